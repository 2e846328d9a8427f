"""Cursors of pages: opaque, authenticated, bound to the reader and the question.

A cursor holds a position in the sequence and nothing about audiences; rights are asked anew with every page. It
is encrypted, because a bare number would tell how much a reader does not see.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from exchange.services.errors import InvalidRequestError
from exchange.services.principals import Principal
from exchange.stix.canonical import canonicalize

BINDING_BYTES = 16


def make_cursor(principal: Principal, question: dict[str, object], seq: int) -> str:
    """The text that continues after `seq` for this reader and this question (collection and filters)."""
    sealed = _box().encrypt(seq.to_bytes(8, "big") + _binding(principal, question))
    return sealed.decode().rstrip("=")


def read_cursor(principal: Principal, question: dict[str, object], cursor: str) -> int:
    """The position of a cursor.

    Raises:
        InvalidRequestError: forged, of another reader, or of another question.
    """
    try:
        opened = _box().decrypt(cursor + "=" * (-len(cursor) % 4))
    except (InvalidToken, ValueError):
        raise InvalidRequestError("the cursor is not valid; start again", code="cursor", pointer="next") from None
    if opened[8:] != _binding(principal, question):
        raise InvalidRequestError("the cursor belongs to another request; start again", code="cursor", pointer="next")
    return int.from_bytes(opened[:8], "big")


def _binding(principal: Principal, question: dict[str, object]) -> bytes:
    who = [str(principal.kind), principal.lab_id, principal.person_id]
    return hashlib.sha256(canonicalize({"who": who, "question": question})).digest()[:BINDING_BYTES]


@lru_cache(maxsize=1)
def _box() -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"commonwatch cursors")
    return Fernet(base64.urlsafe_b64encode(derived.derive(settings.SECRET_KEY.encode())))
