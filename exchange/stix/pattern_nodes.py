"""What a STIX pattern compares, as a tree (STIX 2.1 section 9). Values are left out: nobody evaluates them here."""

from typing import NamedTuple


class Comparison(NamedTuple):
    """One test of a pattern: type and names of the object path, without quotation marks and list positions.

    is_negated: it holds where the value differs or is absent (`NOT =`, `!=`, `NOT EXISTS`).
    """

    type: str
    names: tuple[str, ...]
    is_negated: bool


class Joined(NamedTuple):
    """Parts of a pattern of which all (AND, FOLLOWEDBY) or any (OR) must hold."""

    is_all: bool
    parts: tuple["Comparison | Joined", ...]


Node = Comparison | Joined


class PatternReading(NamedTuple):
    """What a pattern says. longest_token_chars: of a literal or a name, quotation marks included."""

    root: Node
    comparisons: tuple[Comparison, ...]
    has_comment: bool
    longest_token_chars: int
