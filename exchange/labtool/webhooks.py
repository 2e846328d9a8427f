"""The receiver's side of a node's webhooks: is this message the node's, and is it new?

The Standard Webhooks scheme: HMAC-SHA256 over id, time and body. What was sent long ago, or will be, is refused, so a
message that somebody recorded cannot be played back later; within the window the receiver drops ids that it has seen.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from exchange.labtool.errors import DataError, UsageError

REPLAY_WINDOW: Final = timedelta(minutes=5)
MAX_SIGNATURES: Final = 16
"""A node sends two at most, while a secret changes."""

_MARK: Final = "whsec_"
_SECRET_BYTES: Final = range(24, 65)
_VERSION: Final = "v1"
_SECONDS: Final = re.compile("[0-9]{1,11}")


class WebhookForgedError(DataError):
    """The message is not the node's, or not of now."""


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """A message that is the node's. `id` stays the same when the node sends it again."""

    id: str
    sent_at: datetime
    body: bytes


def read_webhook_secret(text: str) -> bytes:
    """The key in a secret's text, `whsec_` and base64. Raises: UsageError."""
    try:
        key = base64.b64decode(text.strip().removeprefix(_MARK), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _SECRET_BYTES:
        raise UsageError("a webhook's secret is whsec_ and base64 of 24 to 64 bytes")
    return key


def verify_webhook(
    *,
    secrets: Sequence[bytes],
    message_id: str,
    timestamp: str,
    signature: str,
    body: bytes,
    now: datetime,
    window: timedelta = REPLAY_WINDOW,
) -> WebhookMessage:
    """The message, if one of its signatures is by one of `secrets` and its time is within `window` of `now` (aware).

    message_id, timestamp, signature: the headers webhook-id, webhook-timestamp, webhook-signature. body: the bytes as
    they came, before anything parsed them. Takes the same time wherever a signature differs.

    Raises:
        WebhookForgedError: anything else.
    """
    if not message_id or not _SECONDS.fullmatch(timestamp):
        raise WebhookForgedError("the message has no id or no time")
    content = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body
    wanted = [hmac.new(secret, content, hashlib.sha256).digest() for secret in secrets]
    # No short cut: every signature is held against every secret.
    matches = [hmac.compare_digest(given, each) for given in _signatures(signature) for each in wanted]
    if not any(matches):
        raise WebhookForgedError("no signature of the message is by a secret of this webhook")
    sent_at = datetime.fromtimestamp(int(timestamp), UTC)
    if abs(now - sent_at) > window:
        raise WebhookForgedError(f"the message is not of the last {window.total_seconds():.0f} s")
    return WebhookMessage(message_id, sent_at, body)


def _signatures(header: str) -> list[bytes]:
    """The signatures of the version that we know; what is malformed matches nothing."""
    found = []
    for part in header.split(" ")[:MAX_SIGNATURES]:
        version, _, encoded = part.partition(",")
        if version == _VERSION and encoded.isascii():
            try:
                found.append(base64.b64decode(encoded, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found
