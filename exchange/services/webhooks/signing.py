"""Signatures of webhook messages, by the Standard Webhooks scheme: HMAC-SHA256 over id, time and body.

The receiver's side is exchange/labtool/webhooks.py. Secrets are sealed in the database, each for its hook.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Sequence
from typing import Final

from exchange.services.errors import NotReadyError
from exchange.services.sealing import seal, unseal

SECRET_BYTES: Final = 32
"""The scheme allows 24 to 64."""

_MARK: Final = "whsec_"
_PURPOSE: Final = b"webhook "


def new_secret() -> bytes:
    """A secret for a hook."""
    return secrets.token_bytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """The form in which the scheme's libraries take it."""
    return _MARK + base64.b64encode(secret).decode()


def seal_secret(secret: bytes, hook: uuid.UUID) -> bytes:
    """The secret as it is stored: it opens for this hook alone."""
    return seal(_PURPOSE + hook.bytes + secret)


def open_secret(sealed: bytes | memoryview, hook: uuid.UUID) -> bytes:
    """The secret that was sealed for the hook.

    Raises:
        NotReadyError: no SEALING_KEYS value opens it, or it is another hook's.
    """
    opened, lead = unseal(bytes(sealed)), _PURPOSE + hook.bytes
    if not opened.startswith(lead):
        raise NotReadyError("the sealed secret belongs to something else", code="sealing")
    return opened[len(lead) :]


def signed_headers(keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The headers of a message, with a signature for each secret: a receiver may change over while both are valid."""
    content = f"{message_id}.{timestamp_s}.".encode() + body
    signatures = [base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
