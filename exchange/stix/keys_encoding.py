"""Base64url as JOSE uses it (RFC 7515 section 2), read strictly.

One text for one value: no padding, no foreign characters, no stray bits after the last byte. It does not know what the
bytes mean.
"""

import base64
import binascii


def encode(data: bytes) -> str:
    """Base64url of the bytes, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: object) -> bytes | None:
    """The bytes of a base64url text, or None where the text is not the only spelling of them."""
    if not isinstance(text, str) or not text.isascii() or "=" in text:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    return data if encode(data) == text else None


def decode_exactly(text: object, size_bytes: int) -> bytes | None:
    """As :func:`decode`, and None as well where the value is not of that many bytes."""
    data = decode(text)
    return data if data is not None and len(data) == size_bytes else None
