"""Which mode of RFC 9497 a computation belongs to, and the tags that keep the modes apart (sections 3.1 and 4.1)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

_SUITE: Final = b"ristretto255-SHA512"
_MAX_PREFIXED: Final = 2**16 - 1


class Mode(IntEnum):
    """OPRF has no proofs and is here for the vectors; selectors are made in VOPRF."""

    OPRF = 0
    VOPRF = 1


def tag(purpose: bytes, mode: Mode) -> bytes:
    """The domain separation tag of a purpose: its name before the context string."""
    return purpose + b"OPRFV1-" + bytes([mode]) + b"-" + _SUITE


def prefixed(*parts: bytes) -> bytes:
    """Each part behind its length in two bytes."""
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def is_prefixable(part: bytes) -> bool:
    """Whether two bytes can say how long it is: the longest input of RFC 9497 section 1.2."""
    return len(part) <= _MAX_PREFIXED
