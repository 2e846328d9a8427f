"""The prime-order group ristretto255 with SHA-512 (RFC 9497 section 4.1), on libsodium.

libsodium multiplies in constant time and refuses encodings that are not canonical (RFC 9496 section 4.3.1). The
binding checks the sizes of nothing, so the two checks for what comes from outside stand here.
"""

from __future__ import annotations

import hashlib
from typing import Final

import rbcl

ELEMENT_BYTES: Final = 32
SCALAR_BYTES: Final = 32
OUTPUT_BYTES: Final = 64

ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""RFC 9496 section 4: of the group, so scalars are below it."""

_IDENTITY: Final = bytes(ELEMENT_BYTES)
_UNIFORM_BYTES: Final = 64
_BLOCK_BYTES: Final = 128
"""Of SHA-512, `s_in_bytes` of RFC 9380 section 5.3.1."""

_MAX_DST_BYTES: Final = 255


def is_element(encoded: bytes) -> bool:
    """Whether the bytes are the canonical encoding of an element other than the identity."""
    return (
        len(encoded) == ELEMENT_BYTES and encoded != _IDENTITY and rbcl.crypto_core_ristretto255_is_valid_point(encoded)
    )


def is_scalar(encoded: bytes) -> bool:
    """Whether the bytes are a scalar in canonical form."""
    return len(encoded) == SCALAR_BYTES and int.from_bytes(encoded, "little") < ORDER


def random_scalar() -> bytes:
    """A scalar from 1 to the order less 1, from the system's source of randomness."""
    scalar = bytes(SCALAR_BYTES)
    while scalar == bytes(SCALAR_BYTES):
        scalar = bytes(rbcl.crypto_core_ristretto255_scalar_random())
    return scalar


def multiply(scalar: bytes, element: bytes) -> bytes:
    """The element times the scalar; the identity where the scalar is 0. `element`: as `is_element`."""
    return bytes(rbcl.crypto_scalarmult_ristretto255_allow_scalar_zero(scalar, element))


def multiply_checked(scalar: bytes, element: bytes) -> bytes | None:
    """The same for what comes from outside, and a scalar that is not 0; None where it is no element, or the identity.

    libsodium decodes the element anyway, so this is quicker than to look first.
    """
    if len(element) != ELEMENT_BYTES:
        return None
    try:
        return bytes(rbcl.crypto_scalarmult_ristretto255(scalar, element))
    except RuntimeError:
        # Also what it says where the product is the identity, which in a group of prime order the element is then.
        return None


def multiply_base(scalar: bytes) -> bytes:
    """The generator times the scalar."""
    return bytes(rbcl.crypto_scalarmult_ristretto255_base_allow_scalar_zero(scalar))


def add(one: bytes, other: bytes) -> bytes:
    """The sum of two elements."""
    return bytes(rbcl.crypto_core_ristretto255_add(one, other))


def subtract_scalars(one: bytes, other: bytes) -> bytes:
    """The difference modulo the order."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_sub(one, other))


def multiply_scalars(one: bytes, other: bytes) -> bytes:
    """The product modulo the order."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_mul(one, other))


def invert_scalar(scalar: bytes) -> bytes:
    """The inverse modulo the order of a scalar that is not 0."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_invert(scalar))


def hash_to_element(message: bytes, tag: bytes) -> bytes:
    """HashToGroup (RFC 9497 section 4.1): the one-way map of RFC 9496 section 4.3.4. May be the identity."""
    return bytes(rbcl.crypto_core_ristretto255_from_hash(expand_message(message, tag, _UNIFORM_BYTES)))


def hash_to_scalar(message: bytes, tag: bytes) -> bytes:
    """HashToScalar (RFC 9497 section 4.1): 64 uniform bytes, little-endian, modulo the order."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_reduce(expand_message(message, tag, _UNIFORM_BYTES)))


def expand_message(message: bytes, tag: bytes, size: int) -> bytes:
    """expand_message_xmd with SHA-512 (RFC 9380 section 5.3.1). tag: the DST, at most 255 bytes. size: in bytes.

    Raises:
        ValueError: a tag or size that the function is not defined on, which no caller here has.
    """
    count = -(-size // OUTPUT_BYTES)
    if len(tag) > _MAX_DST_BYTES or not 0 < count <= 255:
        raise ValueError("the tag or the size is out of range")
    tag_prime = tag + bytes([len(tag)])
    first = hashlib.sha512(bytes(_BLOCK_BYTES) + message + size.to_bytes(2, "big") + b"\0" + tag_prime).digest()
    blocks = [hashlib.sha512(first + b"\1" + tag_prime).digest()]
    for number in range(2, count + 1):
        mixed = bytes(a ^ b for a, b in zip(first, blocks[-1], strict=True))
        blocks.append(hashlib.sha512(mixed + bytes([number]) + tag_prime).digest())
    return b"".join(blocks)[:size]
