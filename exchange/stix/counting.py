"""Counts what a JSON text holds from its bytes alone, before or beside parsing: a fraction of what a parser costs.

The counts are exact for valid JSON. Of other texts they say little, and the parser refuses those anyway.
"""

import re
from typing import Final

_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_NO_MARKS: Final = bytes(set(range(256)) - set(b'",[{'))
_WINDOW_BYTES: Final = 1024 * 1024
# orjson writes 0.5, 1e-7 and 1.5e-7.
_FRACTION: Final = re.compile(rb"[0-9](?:[.][0-9e-]*|e-)")


def exceeds_values(text: bytes, most: int) -> bool:
    """Tell whether a JSON text has more than `most` values, counted by its commas and opening brackets."""
    # Text in strings looks the same, so the quick count is an upper bound.
    return sum(text.count(mark) for mark in (b",", b"[", b"{")) > most and count_values(text) > most


def count_values(text: bytes) -> int:
    """Return the number of values of a JSON text as `exceeds_values` counts them: commas and opening brackets."""
    unescaped = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two quotation marks side by side have nothing between them, inside or outside of a string.
    marks = unescaped.translate(None, delete=_NO_MARKS).replace(b'""', b"")
    count, is_inside = 0, 0
    for start in range(0, len(marks), _WINDOW_BYTES):
        parts = marks[start : start + _WINDOW_BYTES].split(b'"')
        count += sum(map(len, parts[is_inside::2]))
        is_inside ^= (len(parts) - 1) & 1
    return count


def count_fractions(dumped: bytes) -> int:
    """Return the number of numbers with a fraction or a negative exponent in a text that orjson wrote."""
    return len(_FRACTION.findall(_STRING.sub(b"", dumped)))


def count_quotes(text: bytes) -> int:
    """Return the number of quotation marks that open or close a string of a valid JSON text.

    That is twice the number of strings: a name that a parser dropped as a duplicate shows in the difference.
    """
    if b"\\" not in text:
        return text.count(b'"')
    without_pairs = text.replace(b"\\\\", b"")
    return without_pairs.count(b'"') - without_pairs.count(b'\\"')
