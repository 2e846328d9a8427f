"""What a reader gets of one version, and the conditions under which it does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from exchange.services.principals import ANONYMOUS
from exchange.services.sharing import readable_audiences
from exchange.stix.markings import Tlp


class PageEntry(NamedTuple):
    """One version as a reader gets it; `body` is what its producer signed, byte for byte.

    `vouched_by` names the feed that sent it where nobody signed it, "" for everything else.

    A tuple and not a dataclass: a page makes a thousand of them, and a frozen dataclass takes five times as long.
    """

    seq: int
    date_added: datetime
    body: bytes
    version: str
    type: str
    label: Tlp
    state: str
    collection: str
    producer: str
    producer_status: str
    custody: str
    vouched_by: str


COLUMNS = """
e.seq, e.date_added, v.body, v.version_text, e.type, v.label, o.state, c.alias, l.slug, l.status,
coalesce(k.custody, ''), CASE WHEN v.kid = '' AND v.origin_peer_id IS NOT NULL THEN l.slug ELSE '' END
"""
FROM = """
FROM entry e
JOIN version v ON v.id = e.version_id
JOIN object o ON o.id = e.object_id
JOIN collection c ON c.id = e.collection_id
JOIN lab l ON l.id = o.producer_id
LEFT JOIN signing_key k ON k.kid = v.kid
"""
READABLE = "e.audience_id = ANY (%(readable)s) AND e.newest_audience_id = ANY (%(readable)s)"


NOT_ITS_OWN: Final = "v.origin_peer_id IS DISTINCT FROM %(origin)s"
"""Nothing returns to the peer that it came from. For peers alone: everybody else's statements do without it."""

# Where a member reads without a grant, "every lab" does not mean it.
FOR_ANYBODY = """(e.collection_id <> ALL (%(open)s)
       OR (e.audience_id = ANY (%(anybody)s) AND e.newest_audience_id = ANY (%(anybody)s)))"""


def open_params(sources: Sequence[int]) -> dict[str, Any]:
    """Parameters of FOR_ANYBODY: where the reader is anybody, and what anybody reads."""
    return {"open": list(sources), "anybody": readable_audiences(ANONYMOUS)}


class Reach(Protocol):
    """Where a reader is anybody, and the peer that it is, to which nothing returns that came from it."""

    @property
    def open_sources(self) -> Sequence[int]: ...
    @property
    def without_origin(self) -> int | None: ...


def with_reach(filters: dict[str, object], reach: Reach) -> dict[str, object]:
    """The filter for the delivery log: it says where the reader was anybody, and what was left out for a peer."""
    if reach.open_sources:
        filters = {**filters, "open": list(reach.open_sources)}
    if reach.without_origin is not None:
        filters = {**filters, "without_origin": reach.without_origin}
    return filters


_LABELS: Final = {int(label): label for label in Tlp}


def entry_of(row: tuple[Any, ...]) -> PageEntry:
    """A row that begins with COLUMNS, fetched in binary."""
    seq, date_added, body, version, type_, label, state, collection, producer, status, custody, vouched_by = row[:12]
    return PageEntry(
        seq,
        date_added,
        body,
        version,
        type_,
        _LABELS[label],
        state,
        collection,
        producer,
        status,
        custody,
        vouched_by,
    )


def strictest(entries: Sequence[PageEntry]) -> Tlp:
    """The strictest label of these, CLEAR if there are none."""
    return max((entry.label for entry in entries), default=Tlp.CLEAR)
