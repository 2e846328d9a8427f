"""Texts of a rule as pieces, and as the regular expressions and patterns that mean exactly the same.

Sigma compares whole values, ignores case unless `cased`, and knows `*` and `?` (specification 2.1.0).
"""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from typing import Final

from sigma.types import SigmaString, SpecialChars

MANY: Final = SpecialChars.WILDCARD_MULTI
ONE: Final = SpecialChars.WILDCARD_SINGLE
_OCTET: Final = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_OCTETS: Final = 4
_BITS: Final = 8


def pattern_of(value: SigmaString, literal: Callable[[str], str], many: str, one: str) -> str:
    """The value with each character through `literal` and each wildcard replaced."""
    parts = []
    for part in value.s:
        if isinstance(part, str):
            parts.append("".join(map(literal, part)))
        else:
            parts.append(many if part is MANY else one)
    return "".join(parts)


def has_wildcard(value: SigmaString) -> bool:
    """Whether the value holds a wildcard."""
    return any(part in (MANY, ONE) for part in value.s)


def both_cases(character: str) -> tuple[str, ...]:
    """The character in each of its cases, those alone that are one character."""
    cases = dict.fromkeys([character, character.lower(), character.upper()])
    return tuple(case for case in cases if len(case) == 1)


def regex_literal(character: str) -> str:
    """A character for regular expressions of every kind met here, without any backslash but for `^` and `\\`.

    A class of one character needs no escaping, so that the query language's own escapes do not meet it.
    """
    if character in "^\\":
        return f"\\{character}"
    return character if character.isalnum() or character in " _-/:,;@%&=<>!~'\"#`" else f"[{character}]"


def regex_of(value: SigmaString) -> str:
    """A regular expression for the whole value, anchored; the caller adds flags (`s`, so that `.` is any character)."""
    return f"^{pattern_of(value, regex_literal, '.*', '.')}$"


def cidr_regex(network: IPv4Network) -> str:
    """A regular expression, not anchored, for exactly the IPv4 addresses of a network in dotted form.

    A prefix of text would also take `10.0.0.1.example` for an address of 10.0.0.0/8.
    """
    return "[.]".join(_octets(network))


def _octets(network: IPv4Network) -> Iterator[str]:
    first, last = network[0].packed, network[-1].packed
    for low, high in zip(first, last, strict=True):
        if low == high:
            yield str(low)
        elif (low, high) == (0, 2**_BITS - 1):
            yield _OCTET
        else:
            yield f"({'|'.join(_range(low, high))})"


def _range(low: int, high: int) -> Iterator[str]:
    """The numbers from low to high, those of one ten together."""
    for ten in range(low // 10, high // 10 + 1):
        first, last = max(low, ten * 10) % 10, min(high, ten * 10 + 9) % 10
        digits = str(first) if first == last else f"[{first}-{last}]"
        yield f"{ten or ''}{digits}"
