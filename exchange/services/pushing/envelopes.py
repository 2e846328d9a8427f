"""How objects go into envelopes (TAXII 2.1 section 3.7): sizes alone, nothing is parsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_BEGIN: Final = b'{"objects":['
_END: Final = b"]}"
FRAME_BYTES: Final = len(_BEGIN) + len(_END)


def fitting(sizes: Sequence[int], room: int) -> int:
    """How many of these objects, from the first on, one envelope of `room` bytes holds; 0 if not even the first."""
    used = FRAME_BYTES
    for count, size in enumerate(sizes):
        used += size + (count > 0)
        if used > room:
            return count
    return len(sizes)


def envelope(bodies: Sequence[bytes]) -> bytes:
    """An envelope of these objects, their bytes as they are."""
    return _BEGIN + b",".join(bodies) + _END
