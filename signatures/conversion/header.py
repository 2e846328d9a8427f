"""What every conversion carries with it: where the signature is from, and how far to trust it.

Comment lines where the language has comments. Every text here may be hostile: what could end a line or a comment, or
means something to the engine even inside one, is written as its number.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

# Enough to read, too little to bury the query.
MAX_LINE_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class CommentStyle:
    """A comment of one line. special: characters with a meaning even there. is_last: it stands after the query."""

    opening: str
    closing: str = ""
    special: str = ""
    is_last: bool = False

    def line(self, text: str) -> str:
        """One line of comment, whatever the text is."""
        return f"{self.opening} {harmless(text, self.special)}{self.closing}"


def harmless(text: str, special: str = "") -> str:
    """The text in one printable line, cut to size; `special` and what cannot be printed as numbers."""
    shortened = text if len(text) <= MAX_LINE_CHARS else text[: MAX_LINE_CHARS - 3] + "..."
    return "".join(map(_number, shortened) if not shortened.isprintable() else shortened).translate(
        {ord(character): _numbered(character) for character in special}
    )


def _number(character: str) -> str:
    return character if character.isprintable() else _numbered(character)


def _numbered(character: str) -> str:
    return f"(U+{ord(character):04X})"


@dataclass(frozen=True, slots=True)
class Header:
    """Of one conversion. Texts are as their producer wrote them; "" is what nobody said.

    state: current, disputed, revoked, expired, what a node said, or several joined by ", ". disputes: by whom, why.
    before: the version before this one; changes: what changed since. notes: of this project on this conversion.
    """

    title: str
    id: str
    version: str
    state: str
    confidence: str
    techniques: tuple[str, ...]
    kill_chain: tuple[str, ...]
    marking: str
    valid_until: str
    producer: str
    maturity: str = ""
    disputes: tuple[str, ...] = ()
    before: str = ""
    changes: tuple[str, ...] = ()
    false_positives: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def items(self) -> Iterator[tuple[str, str]]:
        """(name, text) of all lines; what nobody said is said to be so, but for the last seven."""
        for name, text in (
            ("title", self.title),
            ("id", self.id),
            ("version", self.version),
            ("state", self.state),
            ("confidence", self.confidence),
            ("ATLAS techniques", ", ".join(self.techniques)),
            ("kill chain", ", ".join(self.kill_chain)),
            ("marking", self.marking),
            ("valid until", self.valid_until),
            ("producer", self.producer),
        ):
            yield name, text or "not stated"
        yield from (("disputed by", text) for text in self.disputes)
        yield from (("maturity", text) for text in [self.maturity] if text)
        yield from (("false positive", text) for text in self.false_positives)
        yield from (("version before", text) for text in [self.before] if text)
        yield from (("changed since", text) for text in self.changes)
        yield from (("note", text) for text in self.notes)

    def lines(self, special: str = "") -> list[str]:
        """`name: text` lines, harmless."""
        return [f"{name}: {harmless(text, special)}" for name, text in self.items()]

    def comment(self, style: CommentStyle) -> str:
        """The whole header as comment lines."""
        return "\n".join(style.line(f"{name}: {text}") for name, text in self.items())

    def field(self) -> str:
        """The whole header as one line, for languages without comments."""
        return "; ".join(self.lines())


def joined(query: str, comment: str, style: CommentStyle) -> str:
    """A query with its comment before it, or after it."""
    return f"{query}\n{comment}" if style.is_last else f"{comment}\n{query}"


def listed(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts that say something, each once, in their order."""
    return tuple(dict.fromkeys(text for text in texts if text))
