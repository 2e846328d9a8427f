"""From an answer that is no success to an error: the status decides, and of the peer's words a title is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import orjson

from exchange.sync.peers.errors import PeerError, PeerFault, printable
from exchange.sync.peers.lines import Answer
from exchange.sync.peers.retrying import read_retry_after

_FAULTS: Final[Mapping[int, PeerFault]] = {
    HTTPStatus.UNAUTHORIZED: PeerFault.REFUSED,
    HTTPStatus.FORBIDDEN: PeerFault.REFUSED,
    HTTPStatus.NOT_FOUND: PeerFault.NOT_FOUND,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: PeerFault.TOO_LARGE,
    HTTPStatus.TOO_MANY_REQUESTS: PeerFault.RATE_LIMITED,
}
_MAY_SAY_WHEN: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def refusal(answer: Answer) -> PeerError:
    """The error for an answer that is neither a success nor a redirect."""
    title = _title_of(answer.body)
    detail = f"the peer answered {answer.status}" + (f", {title!r}" if title else "")
    retry_after_s = None
    if answer.status in _MAY_SAY_WHEN:
        retry_after_s = read_retry_after(answer.headers.get("retry-after", ""), datetime.now(UTC))
    return PeerError(_fault_of(answer.status), detail, status=answer.status, retry_after_s=retry_after_s)


def _fault_of(status: int) -> PeerFault:
    if status in _FAULTS:
        return _FAULTS[status]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return PeerFault.SERVER_ERROR
    return PeerFault.REJECTED if status >= HTTPStatus.BAD_REQUEST else PeerFault.MALFORMED


def _title_of(body: bytes) -> str:
    """`title` of an error resource (TAXII 2.1 section 3.6.1), "" where there is none."""
    try:
        resource = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    title = resource.get("title") if isinstance(resource, dict) else None
    return printable(title) if isinstance(title, str) else ""
