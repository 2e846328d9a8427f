"""When a request is asked again: the policy alone.

Exponential backoff with jitter, or what the peer asks for in Retry-After. Requests of TAXII may be repeated: an object
posted twice is a success (TAXII 2.1 section 5.5), one deleted twice is not found.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from exchange.sync.peers.errors import PeerError, PeerFault
from exchange.sync.peers.limits import Limits

MAX_RETRY_AFTER_S: Final = 24 * 3600
"""Of what a peer asks for: longer, it would switch the exchange with it off."""


def pause_s(error: PeerError, attempt: int, limits: Limits) -> float | None:
    """Seconds until the next attempt after this one (counted from 1), None if there is to be none."""
    # A name server is not asked again at once: what a name leads to is the same in a second.
    if attempt >= limits.attempts or not error.is_transient or error.fault is PeerFault.UNRESOLVED:
        return None
    if error.retry_after_s is not None:
        return error.retry_after_s if error.retry_after_s <= limits.max_pause_s else None
    longest = min(limits.max_pause_s, limits.pause_s * 2.0 ** (attempt - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads requests, hides nothing


def read_retry_after(value: str, now: datetime) -> int | None:
    """Seconds of a Retry-After header (RFC 9110 section 10.2.3), at most `MAX_RETRY_AFTER_S`; None for nonsense."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:10]), MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, min(round((moment - now).total_seconds()), MAX_RETRY_AFTER_S))
