"""Text in a drawing: made harmless, measured by a table of widths, broken into lines.

There is no font here to ask; widths are those of common sans-serif fonts, rounded up.
"""

import re
import unicodedata
from typing import Final

# Not allowed in XML 1.0, or able to turn the direction of what stands around them.
_HARMFUL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_NARROW: Final = frozenset("iljtfrI.,:;'|!()[]{}/\\` ")
_BROAD: Final = frozenset("mwMW@%")
MAX_CHARS: Final = 400
"""What is longer is cut before it is measured: no shape has room for it."""

MONO_EM: Final = 0.61


def harmless(text: str) -> str:
    """Return text that XML can hold and that stays where it is put, on one line, cut to `MAX_CHARS`."""
    return " ".join(_HARMFUL.sub("\ufffd", text[:MAX_CHARS]).split())


def escaped(text: str) -> str:
    """Return text for element content or an attribute in double quotes."""
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("'", "&#39;")
    )


def width_of(text: str, size: float, *, is_mono: bool = False) -> float:
    """Width in pixels at a font size."""
    return sum(map(_em_mono if is_mono else _em, text)) * size


def wrapped(text: str, size: float, room: float, lines: int, *, is_mono: bool = False) -> list[str]:
    """Break harmless text into at most so many lines of at most `room` pixels; an ellipsis says what is missing."""
    found: list[str] = []
    line = ""
    for word in _fitting(text.split(" "), size, room, is_mono):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, size, is_mono=is_mono) > room:
            found.append(line)
            line = word
        else:
            line = longer
    found.append(line)
    if len(found) <= lines:
        return [each for each in found if each]
    last = found[lines - 1]
    while last and width_of(last + "…", size, is_mono=is_mono) > room:
        last = last[:-1]
    return [*found[: lines - 1], last.rstrip() + "…"]


def _fitting(words: list[str], size: float, room: float, is_mono: bool) -> list[str]:
    """Words, those that are too long in pieces."""
    found = []
    for word in words:
        piece = ""
        for character in word:
            if piece and width_of(piece + character, size, is_mono=is_mono) > room:
                found.append(piece)
                piece = ""
            piece += character
        found.append(piece)
    return found


def _em(character: str) -> float:
    if character in _NARROW:
        return 0.34
    if character in _BROAD:
        return 0.95
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if unicodedata.combining(character):
        return 0.0
    return 0.72 if character.isupper() else 0.58


def _em_mono(character: str) -> float:
    return 1.2 if unicodedata.east_asian_width(character) in "WF" else MONO_EM
