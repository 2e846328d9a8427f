"""Seals what the exchange holds and nobody may find in its database: private keys, and answers that hold secrets.

SEALING_KEYS: the first seals, all of them open (rotation).
"""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from exchange.services.errors import NotReadyError
from exchange.stix.keys import SigningKey


def seal_key(key: SigningKey) -> bytes:
    """The private key, encrypted and authenticated; it names its own kid inside."""
    return _box().encrypt(key.to_text().encode())


def open_key(sealed: bytes, kid: str) -> SigningKey:
    """The private key that was sealed for `kid`.

    Raises:
        NotReadyError: no SEALING_KEYS value opens it, or it belongs to another kid.
    """
    try:
        key = SigningKey.from_text(_box().decrypt(bytes(sealed)).decode())
    except InvalidToken:
        raise NotReadyError("no value of SEALING_KEYS opens the sealed key", code="sealing") from None
    if key.kid != kid:
        raise NotReadyError("the sealed key belongs to another kid", code="sealing")
    return key


def seal(secret: bytes) -> bytes:
    """The bytes, encrypted and authenticated."""
    return _box().encrypt(secret)


def unseal(sealed: bytes) -> bytes:
    """The bytes that were sealed.

    Raises:
        NotReadyError: no SEALING_KEYS value opens them.
    """
    try:
        return _box().decrypt(bytes(sealed))
    except InvalidToken:
        raise NotReadyError("no value of SEALING_KEYS opens what was sealed", code="sealing") from None


def _box() -> MultiFernet:
    if not settings.SEALING_KEYS:
        raise NotReadyError("SEALING_KEYS is not set", code="sealing")
    try:
        return MultiFernet([Fernet(key) for key in settings.SEALING_KEYS])
    except ValueError:
        raise NotReadyError("SEALING_KEYS holds a value that is not 32 bytes in base64url", code="sealing") from None
