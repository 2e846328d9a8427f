"""Reads: pages of a collection, single objects, versions. Every door reads through here.

Two conditions, always both: the collection's grant (a CollectionView with `sources`) and the audience. The query
filters by both; row-level security repeats the second. A page costs the same number of queries whatever its
length, and no object is parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exchange.services.collections import CollectionView
from exchange.services.cursors import make_cursor, read_cursor
from exchange.services.database import execute
from exchange.services.delivery import record_delivery
from exchange.services.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from exchange.services.principals import ANONYMOUS, Principal
from exchange.services.sharing import readable_audiences, reading_as
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_taxii


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What is asked of a collection. `cursor` continues an earlier page of the same question.

    added_after: strictly later than this. types, ids: any of these, empty for all.
    """

    limit: int
    added_after: datetime | None = None
    cursor: str = ""
    types: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    all_versions: bool = False

    def question(self, collection: CollectionView) -> dict[str, object]:
        """The part that a cursor is bound to; the limit may change between pages."""
        return {
            "collection": collection.id,
            "added_after": format_taxii(self.added_after) if self.added_after else "",
            "types": sorted(self.types),
            "ids": sorted(self.ids),
            "all_versions": self.all_versions,
        }


@dataclass(frozen=True, slots=True)
class PageEntry:
    """One version as a reader gets it; `body` is what its producer signed, byte for byte."""

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


@dataclass(frozen=True, slots=True)
class Page:
    """Entries by ascending `date_added`. `next` is a cursor, "" when nothing remains."""

    entries: list[PageEntry]
    more: bool
    next: str


_COLUMNS = """
SELECT e.seq, e.date_added, v.body, v.version_text, e.type, v.label, o.state, c.alias, l.slug, l.status,
       coalesce(k.custody, '')
FROM entry e
JOIN version v ON v.id = e.version_id
JOIN object o ON o.id = e.object_id
JOIN collection c ON c.id = e.collection_id
JOIN lab l ON l.id = o.producer_id
LEFT JOIN signing_key k ON k.kid = v.kid
"""
_READABLE = "e.audience_id = ANY (%(readable)s) AND e.newest_audience_id = ANY (%(readable)s)"


# Where a member reads without a grant, "every lab" does not mean it.
_FOR_ANYBODY = """(e.collection_id <> ALL (%(open)s)
       OR (e.audience_id = ANY (%(anybody)s) AND e.newest_audience_id = ANY (%(anybody)s)))"""


def _open(sources: Sequence[int]) -> dict[str, Any]:
    return {"open": list(sources), "anybody": readable_audiences(ANONYMOUS)}


def _with_open(filters: dict[str, object], sources: Sequence[int]) -> dict[str, object]:
    """The filter for the delivery log: it says where the reader was anybody."""
    return {**filters, "open": list(sources)} if sources else filters


def read_page(*, principal: Principal, collection: CollectionView, request: PageRequest, door: str) -> Page:
    """The next entries of a collection that the principal may read, newest versions only.

    Raises:
        AccessDeniedError: the collection is visible but not readable. InvalidRequestError: a bad cursor or limit.
    """
    if not collection.can_read:
        raise AccessDeniedError(f"you may not read {collection.alias}", code="not-readable")
    question = request.question(collection)
    if request.limit < 1:
        raise InvalidRequestError("a page has one object at least", code="limit", pointer="limit")
    after = read_cursor(principal, question, collection, request.cursor) if request.cursor else 0
    limit = min(request.limit, collection.page_limit)
    with reading_as(principal) as readable:
        query, params = _page_query(collection, request)
        rows = execute(query, {**params, "readable": readable, "after": after, "limit": limit + 1}).fetchall()
        entries = [_entry(row) for row in rows[:limit]]
        record_delivery(
            principal,
            door=door,
            collection_ids=collection.sources,
            seqs=[entry.seq for entry in entries],
            audience_ids=readable,
            filters=_with_open(question, collection.open_sources),
        )
    more = len(rows) > limit
    return Page(entries, more, make_cursor(principal, question, collection, entries[-1].seq) if more else "")


def _page_query(collection: CollectionView, request: PageRequest) -> tuple[str, dict[str, Any]]:
    """The query and its parameters; conditions are added only where asked for, so that plans stay simple."""
    params: dict[str, Any] = {}
    conditions = ["e.seq > %(after)s", _READABLE]
    if not request.all_versions:
        conditions.append("e.is_newest")
    if collection.is_view:
        conditions += ["e.collection_id = ANY (%(sources)s)", "NOT e.is_shared"]
        params["sources"] = list(collection.sources)
    else:
        conditions.append("e.collection_id = %(source)s")
        params["source"] = collection.id
    if collection.open_sources:
        conditions.append(_FOR_ANYBODY)
        params |= _open(collection.open_sources)
    if request.added_after is not None:
        conditions.append("e.seq > seq_at(%(added_after)s)")
        params["added_after"] = request.added_after
    if request.types:
        conditions.append("e.type = ANY (%(types)s)")
        params["types"] = list(request.types)
    if request.ids:
        conditions.append("o.stix_id = ANY (%(ids)s)")
        params["ids"] = list(request.ids)
    return f"{_COLUMNS} WHERE {' AND '.join(conditions)} ORDER BY e.seq LIMIT %(limit)s", params


def read_object(
    *, principal: Principal, stix_id: str, door: str, collections: Sequence[CollectionView]
) -> list[PageEntry]:
    """The newest version of an object by each producer that the principal may read.

    `collections` are those the principal reads; its own objects it reads wherever they are.

    Raises:
        NotFoundError: absent, or not for this reader: the two look the same.
    """
    entries = _read_of_object(principal, stix_id, door, collections, "e.is_newest")
    if not entries:
        raise NotFoundError("there is no such object", code="object-not-found")
    return entries


def read_versions(
    *, principal: Principal, stix_id: str, door: str, collections: Sequence[CollectionView]
) -> list[PageEntry]:
    """Every version that the principal may read, by ascending `date_added`.

    Raises:
        NotFoundError: as `read_object`.
    """
    entries = _read_of_object(principal, stix_id, door, collections, "true")
    if not entries:
        raise NotFoundError("there is no such object", code="object-not-found")
    return entries


def _read_of_object(
    principal: Principal, stix_id: str, door: str, collections: Sequence[CollectionView], which: str
) -> list[PageEntry]:
    if "\0" in stix_id:
        return []
    views = [view for view in collections if view.can_read]
    sources = sorted({source for view in views for source in view.sources})
    open_sources = sorted({source for view in views for source in view.open_sources})
    with reading_as(principal) as readable:
        params = {"readable": readable, "id": stix_id, "sources": sources, "lab": _reads_its_own(principal)}
        where = "e.collection_id = ANY (%(sources)s)"
        if open_sources:
            where += f" AND {_FOR_ANYBODY}"
            params |= _open(open_sources)
        query = (
            f"{_COLUMNS} WHERE {which} AND {_READABLE} AND NOT e.is_shared AND o.stix_id = %(id)s"
            f" AND (({where}) OR o.producer_id = %(lab)s) ORDER BY e.seq"
        )
        entries = [_entry(row) for row in execute(query, params).fetchall()]
        record_delivery(
            principal,
            door=door,
            collection_ids=sources,
            seqs=[entry.seq for entry in entries],
            audience_ids=readable,
            filters=_with_open({"id": stix_id}, open_sources),
        )
    return entries


def _reads_its_own(principal: Principal) -> int | None:
    """The lab whose objects are read wherever they are: not by its clients, nor by a token bound to collections."""
    bound = principal.is_client or "collections" in principal.bounds or not principal.allows("read")
    return None if bound else principal.lab_id


def _entry(row: tuple[Any, ...]) -> PageEntry:
    seq, date_added, body, version, type_, label, state, collection, producer, producer_status, custody = row
    return PageEntry(
        seq=seq,
        date_added=date_added,
        body=bytes(body),
        version=version,
        type=type_,
        label=Tlp(label),
        state=state,
        collection=collection,
        producer=producer,
        producer_status=producer_status,
        custody=custody,
    )
