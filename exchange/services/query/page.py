"""Pages of a collection, by cursor or by date: objects, or the list of what they would be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar

from exchange.services.collections import CollectionView
from exchange.services.cursors import make_cursor, read_cursor
from exchange.services.database import execute
from exchange.services.delivery import record_delivery
from exchange.services.errors import AccessDeniedError, InvalidRequestError
from exchange.services.principals import Principal
from exchange.services.query.entries import COLUMNS, PageEntry, entry_of, with_open
from exchange.services.query.request import PageRequest, page_branches, page_conditions
from exchange.services.sharing import reading_as


@dataclass(frozen=True, slots=True)
class Page:
    """Entries by ascending `date_added`. `next` is a cursor, "" when nothing remains."""

    entries: list[PageEntry]
    more: bool
    next: str


@dataclass(frozen=True, slots=True)
class ManifestRecord:
    """One version, named and dated but not shown."""

    seq: int
    date_added: datetime
    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Records by ascending `date_added`. `next` is a cursor, "" when nothing remains."""

    records: list[ManifestRecord]
    more: bool
    next: str


_NAMES: Final = """
SELECT e.seq, e.date_added, o.stix_id, v.version_text
FROM entry e
JOIN version v ON v.id = e.version_id
JOIN object o ON o.id = e.object_id
"""

_IN_ORDER: Final = "ORDER BY e.seq LIMIT %(limit)s"
LARGEST_SEQ: Final = 2**63 - 1

MAX_PAGE_BYTES: Final = 16 * 1024 * 1024
"""Bodies on one page, beyond the first: a thousand large objects must exhaust neither the node nor its readers."""

# Keeps the rows whose predecessors stay below the bound, and says how many there would be without it.
_BOUNDED: Final = """
SELECT * FROM (
    SELECT q.*, sum(octet_length(q.body)) OVER (ORDER BY q.seq) - octet_length(q.body) AS bytes_before,
           count(*) OVER () AS unbounded
    FROM ({query}) AS q
) AS page WHERE bytes_before < {most} ORDER BY seq
"""

Item = TypeVar("Item", PageEntry, ManifestRecord)


def read_page(*, principal: Principal, collection: CollectionView, request: PageRequest, door: str) -> Page:
    """The next entries of a collection that the principal may read.

    Raises:
        AccessDeniedError: the collection is visible but not readable. InvalidRequestError: a bad cursor or limit.
    """
    question = request.question(collection)
    return Page(*_read(principal, collection, request, door, question, COLUMNS, entry_of))


def read_manifest(*, principal: Principal, collection: CollectionView, request: PageRequest, door: str) -> Manifest:
    """What `read_page` would show, without the objects (TAXII 2.1 sections 5.3 and 5.8).

    The delivery log says that names were shown and nothing else. Its cursors are not those of pages.

    Raises:
        As `read_page`.
    """
    question = {**request.question(collection), "shows": "names"}
    return Manifest(*_read(principal, collection, request, door, question, _NAMES, lambda row: ManifestRecord(*row)))


def has_object(*, principal: Principal, collection: CollectionView, stix_id: str) -> bool:
    """Whether the principal may read any version of the object in this collection."""
    if "\0" in stix_id or not collection.can_read:
        return False
    any_version = PageRequest(limit=1, ids=(stix_id,), all_versions=True)
    with reading_as(principal) as readable:
        return bool(_rows(collection, any_version, readable, 0, _NAMES)[0])


def _read(
    principal: Principal,
    collection: CollectionView,
    request: PageRequest,
    door: str,
    question: dict[str, object],
    columns: str,
    make: Callable[[tuple[Any, ...]], Item],
) -> tuple[list[Item], bool, str]:
    """Items, whether there are more, and the cursor that leads to them."""
    if not collection.can_read:
        raise AccessDeniedError(f"you may not read {collection.alias}", code="not-readable")
    if request.limit < 1:
        raise InvalidRequestError("a page has one object at least", code="limit", pointer="limit")
    after = read_cursor(principal, question, collection, request.cursor) if request.cursor else 0
    limit = min(request.limit, collection.page_limit)
    with reading_as(principal) as readable:
        rows, is_cut = _rows(collection, replace(request, limit=limit), readable, after, columns)
        items = [make(row) for row in rows[:limit]]
        record_delivery(
            principal,
            door=door,
            collection_ids=collection.sources,
            seqs=[item.seq for item in items],
            audience_ids=readable,
            filters=with_open(question, collection.open_sources),
        )
    more = is_cut or len(rows) > limit
    return items, more, make_cursor(principal, question, collection, items[-1].seq) if more else ""


def _rows(
    collection: CollectionView, request: PageRequest, readable: list[int], after: int, columns: str
) -> tuple[list[tuple[Any, ...]], bool]:
    """One row more than the limit, if there are as many; and whether the bound in bytes left rows out.

    A statement for each branch, whatever the limit.
    """
    conditions, params = page_conditions(collection, request)
    query = f"{columns} WHERE e.seq > %(after)s AND {conditions}"
    params |= {"readable": readable, "after": after, "limit": request.limit + 1}
    first, *others = page_branches(collection, request)
    rows, is_cut = _fetch(f"{query} AND {first} {_IN_ORDER}", params, columns)
    for branch in others:
        # Nothing beyond what fills the page already has to be looked at.
        before = rows[-1][0] if is_cut or len(rows) > request.limit else LARGEST_SEQ
        statement = f"{query} AND e.seq <= %(before)s AND {branch} {_IN_ORDER}"
        found, is_found_cut = _fetch(statement, {**params, "before": before}, columns)
        last = found[-1][0] if is_found_cut else LARGEST_SEQ
        merged = {row[0]: row for row in (*rows, *found)}
        rows = [merged[seq] for seq in sorted(merged) if seq <= last][: request.limit + 1]
        is_cut = is_cut or is_found_cut
    return rows, is_cut


def _fetch(query: str, params: dict[str, Any], columns: str) -> tuple[list[tuple[Any, ...]], bool]:
    """Rows, and whether the bound in bytes left some out; names have no bodies to bound."""
    if columns is not COLUMNS:
        return execute(query, params, prepare=False).fetchall(), False
    rows = execute(_BOUNDED.format(query=query, most=MAX_PAGE_BYTES), params, prepare=False).fetchall()
    return [row[:-2] for row in rows], bool(rows) and rows[-1][-1] > len(rows)
