"""Characters that make two texts look alike or one text look like another: refused, never repaired.

Unicode TR 36 and TR 39 describe the tricks. A lab that took such a text would make a selector that nobody else makes.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from attribution.normalising.errors import IdentifierError

_REFUSED: Final = {
    "Cc": "a control character",
    "Cf": "an invisible or direction-changing character",
    "Cs": "half of a surrogate pair",
    "Co": "a private-use character",
    "Cn": "a code point without a character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
"""By general category (Unicode chapter 4.5)."""

_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing: Hangul fillers and the empty Braille pattern."""


def fold(text: str) -> str:
    """NFKC, case-folded, without space around it.

    Folding may undo the composition, so the first is done again; what comes out is a fixed point of the function.

    Raises:
        IdentifierError: nothing is left, or a character that cannot be seen is in it; the message says where.
    """
    _refuse_unseen(text.strip())
    folded = unicodedata.normalize("NFKC", text).strip()
    while (again := unicodedata.normalize("NFKC", folded.casefold()).strip()) != folded:
        folded = again
    _refuse_unseen(folded)
    if not folded:
        raise IdentifierError("the value is empty")
    return folded


def refuse_mixed_scripts(label: str, what: str) -> None:
    """Refuse letters of Latin beside letters of Cyrillic or Greek, which look the same. Raises: IdentifierError."""
    scripts = {unicodedata.name(character, "").partition(" ")[0] for character in label if character.isalpha()}
    mixed = scripts & {"LATIN", "CYRILLIC", "GREEK"}
    if len(mixed) > 1:
        raise IdentifierError(f"{what} mixes {' and '.join(sorted(name.title() for name in mixed))} letters")


def _refuse_unseen(text: str) -> None:
    for place, character in enumerate(text, start=1):
        refused = _REFUSED.get(unicodedata.category(character))
        if character in _BLANK:
            refused = "a character that shows nothing"
        if refused is not None:
            raise IdentifierError(f"character {place} is {refused}")
