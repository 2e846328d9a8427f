"""The statements behind a page: one for each branch of what it shows, whatever the limit.

Called inside a reader's transaction (services/sharing.reading_as); row-level security repeats the conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from exchange.services.collections import CollectionView
from exchange.services.database import array_text, execute
from exchange.services.query.entries import READABLE
from exchange.services.query.request import MAX_PAGE_BYTES, PageRequest, page_branches, page_conditions
from exchange.services.query.selections import Selection

Row = tuple[Any, ...]

LARGEST_SEQ: Final = 2**63 - 1

_PAGE: Final = """
SELECT {columns} {tables} WHERE e.seq > %(after)s AND {conditions} ORDER BY e.seq LIMIT %(limit)s + 1
"""
# Keeps the rows whose predecessors stay below the bound. The window is read as it grows: nothing is stored for it.
_BOUNDED: Final = """
SELECT * FROM (
    SELECT {columns}, sum(octet_length(v.body)) OVER w - octet_length(v.body) AS bytes_before, lead(e.seq) OVER w
    {tables} WHERE e.seq > %(after)s AND {conditions}
    WINDOW w AS (ORDER BY e.seq ROWS UNBOUNDED PRECEDING) ORDER BY e.seq LIMIT %(limit)s
) AS page WHERE bytes_before < %(most)s
"""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows by ascending place. `following` is the place of the row after the last, None if there is none.

    after: the place that they begin behind, the later one of what was asked by cursor and by date.
    is_simple: the rows follow from the entries between `after` and `following` alone.
    """

    rows: list[Row]
    following: int | None
    after: int
    is_simple: bool


def fetch_rows(
    collection: CollectionView, request: PageRequest, readable: list[int], after: int, selection: Selection
) -> Fetched:
    """At most `request.limit` rows after a place in the sequence."""
    conditions, params = page_conditions(collection, request)
    params |= {
        "readable": readable,
        "after": after,
        "limit": request.limit,
        "most": min(request.max_bytes, MAX_PAGE_BYTES),
    }
    has_late = False
    if request.added_after is not None:
        since, has_late = _find_start(collection, request.added_after, readable, after)
        params |= {"since": since, "after": max(after, since)}
    first, *others = page_branches(collection, request)
    found = _fetch(selection, f"{conditions} AND {first.condition}", params)
    for branch in others:
        if branch.is_of_late and not has_late:
            continue
        # Nothing beyond what fills the page already has to be looked at.
        before = found.rows[-1][0] if found.following is not None else LARGEST_SEQ
        query = f"{conditions} AND e.seq <= %(before)s AND {branch.condition}"
        found = _merged(found, _fetch(selection, query, {**params, "before": before}), request.limit)
    return found


_START: Final = f"""
SELECT s.seq, EXISTS (
    SELECT FROM entry e
    WHERE e.is_late AND e.collection_id = ANY (%(sources)s::text::int[]) AND e.seq > greatest(s.seq, %(after)s)
      AND {READABLE})
FROM (SELECT seq_at(%(added_after)s) AS seq) s
"""  # noqa: S608 - put together from constants


def _find_start(collection: CollectionView, added_after: datetime, readable: list[int], after: int) -> tuple[int, bool]:
    """The last place of that date, and whether a version that came late stands behind it and `after`: mostly not.

    Asked before the page and not within it. So the page's plan knows the place, and the branch of late versions, which
    costs as much as a page, is looked at only where it can find something. Prepared, although the table grows: late
    versions have an index of their own, which stays small.
    """
    sources = array_text(collection.sources)
    params = {"sources": sources, "added_after": added_after, "readable": readable, "after": after}
    seq, has_late = execute(_START, params).fetchall()[0]
    return seq, has_late


def _fetch(selection: Selection, conditions: str, params: dict[str, Any]) -> Fetched:
    form = _BOUNDED if selection.has_bodies else _PAGE
    query = form.format(columns=selection.columns, tables=selection.tables, conditions=conditions)
    rows = execute(query, params, prepare=False).fetchall()
    if selection.has_bodies:
        return Fetched(rows, rows[-1][-1] if rows else None, params["after"], is_simple=True)
    # Of names one more is cheaper than a column that looks ahead; of bodies it is another body.
    shown, beyond = rows[: params["limit"]], rows[params["limit"] :]
    return Fetched(shown, beyond[0][0] if beyond else None, params["after"], is_simple=True)


def _merged(one: Fetched, other: Fetched, limit: int) -> Fetched:
    """The rows of both, as far as both are known."""
    known = min((each.rows[-1][0] for each in (one, other) if each.following is not None), default=LARGEST_SEQ)
    by_place = {row[0]: row for row in (*one.rows, *other.rows)}
    places = sorted(by_place)
    taken = [place for place in places if place <= known][:limit]
    beyond = [place for place in places if not taken or place > taken[-1]]
    beyond += [each.following for each in (one, other) if each.following is not None]
    return Fetched([by_place[place] for place in taken], min(beyond, default=None), one.after, is_simple=False)
