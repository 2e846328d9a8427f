"""Pages of what meets filters: the same rights, cursors and bounds as pages of a collection, which are the hot path.

Numbers first, then rows: the search reads no bodies, so what is bounded by bytes is bounded before anything is read.
Works on the newest versions alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import OperationalError
from psycopg import errors as pg_errors

from exchange.services.collections import CollectionView
from exchange.services.cursors import make_cursor, read_cursor
from exchange.services.database import execute
from exchange.services.delivery import Delivery, record_delivery
from exchange.services.errors import AccessDeniedError, InvalidRequestError, NotReadyError
from exchange.services.principals import Principal
from exchange.services.query.entries import (
    COLUMNS,
    FROM,
    READABLE,
    PageEntry,
    entry_of,
    strictest,
    with_reach,
)
from exchange.services.query.filters import Filters, entry_conditions, facet_conditions
from exchange.services.query.page import Page
from exchange.services.query.request import MAX_PAGE_BYTES, PageRequest, page_conditions
from exchange.services.query.sight import places_of
from exchange.services.sharing import reading_as

SEARCH_TIMEOUT_MS: Final = 10_000
"""A search that takes longer was made to take long; its thread and its connection are wanted by others."""

_FOUND: Final = """
SELECT e.seq, octet_length(v.body)
FROM entry e
JOIN version v ON v.id = e.version_id
JOIN object o ON o.id = e.object_id
"""
_BY_INDEX: Final = """
JOIN facet_in_sight f ON f.version_id = e.version_id AND f.object_id = e.object_id AND f.places && %(places)s::bigint[]
"""
_ALONG_THE_SEQUENCE: Final = """
JOIN LATERAL (SELECT x.* FROM facet_in_sight x WHERE x.version_id = e.version_id OFFSET 0) f ON true
"""

MANY: Final = 10_000
"""Rows of facets; they are counted in some 20 ms, and looked at one by one in 120 ms."""

STRETCH: Final = 50_000
"""Numbers of the sequence; a walk along so many takes some 300 ms if it finds nothing."""


@dataclass(frozen=True, slots=True)
class Search:
    """A page of newest versions that meet the filters. newest_first: by descending `date_added`."""

    page: PageRequest
    filters: Filters = field(default_factory=Filters)
    newest_first: bool = False

    def question(self, collection: CollectionView) -> dict[str, object]:
        """What a cursor is bound to."""
        order = {"order": "newest"} if self.newest_first else {}
        return {**self.page.question(collection), "filters": self.filters.question(), **order}


def search_page(*, principal: Principal, collection: CollectionView, search: Search, door: str) -> Page:
    """The next entries of a collection that the principal may read and that meet the filters.

    The delivery log names the entries shown, and not what was looked for.

    Raises:
        AccessDeniedError: the collection is visible but not readable. InvalidRequestError: a bad cursor or limit.
        NotReadyError: the search takes too long.
    """
    if not collection.can_read:
        raise AccessDeniedError(f"you may not read {collection.alias}", code="not-readable")
    if search.page.limit < 1:
        raise InvalidRequestError("a page has one object at least", code="limit", pointer="limit")
    question = search.question(collection)
    after = read_cursor(principal, question, collection, search.page.cursor) if search.page.cursor else None
    limit = min(search.page.limit, collection.page_limit)
    with searching_as(principal) as readable:
        found = _find(collection, search, readable, after, limit)
        shown = fitting(found, limit)
        entries = _read(collection, search, readable, shown)
        record_delivery(
            Delivery(
                principal=principal,
                door=door,
                collection_ids=collection.sources,
                seqs=shown,
                audience_ids=readable,
                filters=with_reach({"seqs": sorted(shown)}, collection),
                label=strictest(entries),
            )
        )
    more = len(found) > len(shown)
    return Page(entries, more, make_cursor(principal, question, collection, shown[-1]) if more else "")


@contextmanager
def searching_as(principal: Principal) -> Iterator[list[int]]:
    """`reading_as` for statements that somebody may make long: each ends after `SEARCH_TIMEOUT_MS`.

    Raises:
        NotReadyError: one took longer.
    """
    with _bounded_in_time(), reading_as(principal) as readable:
        execute("SELECT set_config('statement_timeout', %(most)s, true)", {"most": str(SEARCH_TIMEOUT_MS)})
        yield readable


def fitting(found: list[tuple[int, int]], limit: int) -> list[int]:
    """The first numbers of (number, bytes) that fit on a page: at most `limit`, and one whatever its size."""
    numbers: list[int] = []
    room = MAX_PAGE_BYTES
    for number, size in found[:limit]:
        if numbers and room <= 0:
            break
        numbers.append(number)
        room -= size
    return numbers


def _find(
    collection: CollectionView, search: Search, readable: list[int], after: int | None, limit: int
) -> list[tuple[int, int]]:
    """One more than the limit, if there are as many."""
    conditions, params = page_conditions(collection, search.page)
    of_entry, entry_params = entry_conditions(search.filters)
    of_facet, facet_params = facet_conditions(search.filters)
    met = ["e.is_newest", conditions, *of_entry, *of_facet]
    if search.page.added_after is not None:
        met.append("e.seq > seq_at(%(added_after)s)")
    if after is not None:
        met.append("e.seq < %(after)s" if search.newest_first else "e.seq > %(after)s")
    params |= {**entry_params, **facet_params, "readable": readable, "after": after, "limit": limit + 1}
    params["added_after"] = search.page.added_after
    if search.filters.producers:
        params["producer_ids"] = _ids_of(search.filters.producers)
    params["places"] = places_of(collection.granted_sources, collection.open_sources, readable)
    is_alone = search.filters.is_about_content and not of_entry and not search.page.ids
    if is_alone and _are_many(of_facet, params):
        found = _numbers(_ALONG_THE_SEQUENCE, [*met, _near(search, after)], params, search)
        if len(found) > limit:
            return found
    return _numbers(_BY_INDEX if of_facet else "", met, params, search)


def _numbers(join: str, met: list[str], params: dict[str, Any], search: Search) -> list[tuple[int, int]]:
    order = "DESC" if search.newest_first else "ASC"
    query = f"{_FOUND} {join} WHERE {' AND '.join(met)} ORDER BY e.seq {order} LIMIT %(limit)s"
    return execute(query, params, prepare=False).fetchall()


def _are_many(conditions: list[str], params: dict[str, Any]) -> bool:
    """Whether so much of what this reader may read has the words and tags that looking at all of it takes long.

    The planner knows how many rows have a word, and not how many of them this reader may see.
    """
    met = " AND ".join(["f.places && %(places)s::bigint[]", *conditions])
    few = f"SELECT FROM facet_in_sight f WHERE {met} LIMIT {MANY}"
    row = execute(f"SELECT count(*) FROM ({few}) AS few", params, prepare=False).fetchone()  # noqa: S608 - constants
    return row is not None and row[0] == MANY


def _near(search: Search, after: int | None) -> str:
    """The stretch of the sequence in which a page of what is common is likely full."""
    if not search.newest_first:
        return f"e.seq <= {(after or 0) + STRETCH}"
    last = "coalesce(%(after)s::bigint, (SELECT last_seq FROM sequencer))"
    return f"e.seq > {last} - {STRETCH}"


def _ids_of(slugs: Sequence[str]) -> list[int]:
    """Ids of labs and nodes. The planner knows how many objects each has, if it is given the number."""
    rows = execute("SELECT id FROM lab WHERE slug = ANY (%(slugs)s)", {"slugs": list(slugs)}).fetchall()
    return [row[0] for row in rows]


def _read(collection: CollectionView, search: Search, readable: list[int], seqs: list[int]) -> list[PageEntry]:
    order = "DESC" if search.newest_first else "ASC"
    query = (
        f"SELECT {COLUMNS} {FROM} WHERE e.is_newest AND e.collection_id = ANY (%(sources)s) AND e.seq = ANY (%(seqs)s)"
        f" AND {READABLE} ORDER BY e.seq {order}"
    )
    params = {"sources": list(collection.sources), "seqs": seqs, "readable": readable}
    return [entry_of(row) for row in execute(query, params, prepare=False).fetchall()]


@contextmanager
def _bounded_in_time() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if not isinstance(error.__cause__, pg_errors.QueryCanceled):
            raise
        raise NotReadyError("the search takes too long; ask for less at a time", code="search-too-long") from None
