"""Keys of an issuer (RFC 9497 section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from attribution.voprf import group
from attribution.voprf.context import Mode, prefixed, tag
from attribution.voprf.errors import InputError

SEED_BYTES: Final = 32
_TRIES: Final = 256
_ZERO: Final = bytes(group.SCALAR_BYTES)


@dataclass(frozen=True, slots=True, eq=False)
class IssuerKey:
    """A private key and its public one. Neither repr nor str shows the secret."""

    secret: bytes = field(repr=False)
    public: bytes

    @classmethod
    def from_secret(cls, secret: bytes) -> IssuerKey:
        """The key of a scalar. Raises: InputError: not 32 bytes in canonical form, or 0."""
        if not group.is_scalar(secret) or secret == _ZERO:
            raise InputError("a private key is a scalar of 32 bytes other than 0")
        return cls(secret, group.multiply_base(secret))


def generate_key() -> IssuerKey:
    """A new key from the system's source of randomness."""
    return IssuerKey.from_secret(group.random_scalar())


def derive_key(seed: bytes, info: bytes, mode: Mode = Mode.VOPRF) -> IssuerKey:
    """DeriveKeyPair (RFC 9497 section 3.2.1). seed: 32 bytes.

    Raises:
        InputError: a seed of another size, info of more than 65,535 bytes, or no key within 256 tries.
    """
    if len(seed) != SEED_BYTES:
        raise InputError(f"a seed has {SEED_BYTES} bytes")
    if len(info) > 2**16 - 1:
        raise InputError("the info is too long")
    for counter in range(_TRIES):
        message = seed + prefixed(info) + bytes([counter])
        secret = group.hash_to_scalar(message, tag(b"DeriveKeyPair", mode))
        if secret != _ZERO:
            return IssuerKey.from_secret(secret)
    raise InputError("no key follows from this seed")
