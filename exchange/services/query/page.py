"""Pages of a collection, by cursor or by date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exchange.services.collections import CollectionView
from exchange.services.cursors import make_cursor, read_cursor
from exchange.services.database import execute
from exchange.services.delivery import record_delivery
from exchange.services.errors import AccessDeniedError, InvalidRequestError
from exchange.services.principals import Principal
from exchange.services.query.entries import COLUMNS, FOR_ANYBODY, READABLE, PageEntry, entry_of, open_params, with_open
from exchange.services.sharing import reading_as
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
class Page:
    """Entries by ascending `date_added`. `next` is a cursor, "" when nothing remains."""

    entries: list[PageEntry]
    more: bool
    next: str


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
        entries = [entry_of(row) for row in rows[:limit]]
        record_delivery(
            principal,
            door=door,
            collection_ids=collection.sources,
            seqs=[entry.seq for entry in entries],
            audience_ids=readable,
            filters=with_open(question, collection.open_sources),
        )
    more = len(rows) > limit
    return Page(entries, more, make_cursor(principal, question, collection, entries[-1].seq) if more else "")


def _page_query(collection: CollectionView, request: PageRequest) -> tuple[str, dict[str, Any]]:
    """The query and its parameters; conditions are added only where asked for, so that plans stay simple."""
    params: dict[str, Any] = {}
    conditions = ["e.seq > %(after)s", READABLE]
    if not request.all_versions:
        conditions.append("e.is_newest")
    if collection.is_view:
        conditions += ["e.collection_id = ANY (%(sources)s)", "NOT e.is_shared"]
        params["sources"] = list(collection.sources)
    else:
        conditions.append("e.collection_id = %(source)s")
        params["source"] = collection.id
    if collection.open_sources:
        conditions.append(FOR_ANYBODY)
        params |= open_params(collection.open_sources)
    if request.added_after is not None:
        conditions.append("e.seq > seq_at(%(added_after)s)")
        params["added_after"] = request.added_after
    if request.types:
        conditions.append("e.type = ANY (%(types)s)")
        params["types"] = list(request.types)
    if request.ids:
        conditions.append("o.stix_id = ANY (%(ids)s)")
        params["ids"] = list(request.ids)
    return f"{COLUMNS} WHERE {' AND '.join(conditions)} ORDER BY e.seq LIMIT %(limit)s", params
