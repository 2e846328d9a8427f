"""The versions of an object in pages, and what changed between two: of what the reader may read, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.services.collections import CollectionView
from exchange.services.cursors import make_cursor, read_cursor
from exchange.services.database import execute
from exchange.services.delivery import Delivery, record_delivery
from exchange.services.errors import NotFoundError
from exchange.services.principals import Principal
from exchange.services.query import object as one
from exchange.services.query.entries import COLUMNS, FROM, PageEntry, entry_of, strictest, with_reach
from exchange.services.query.search import fitting
from exchange.services.query.sight import Sight, sight_of
from exchange.services.query.versions import KEY
from exchange.services.sharing import reading_as
from exchange.stix.difference import Change, difference
from exchange.stix.reading import read_object

MAX_VERSIONS: Final = 100
"""Versions on one page."""


@dataclass(frozen=True, slots=True)
class VersionsRequest:
    """Versions of one object. producer: slug of a lab or node, "" for all that have an object of this id."""

    stix_id: str
    producer: str = ""
    limit: int = MAX_VERSIONS
    cursor: str = ""

    def question(self) -> dict[str, object]:
        """What a cursor is bound to."""
        return {"versions_of": self.stix_id, "producer": self.producer}


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions by ascending `date_added`. `next` is a cursor, "" when nothing remains."""

    entries: list[PageEntry]
    more: bool
    next: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Two versions of an object by one producer, and the changes that make the second out of the first."""

    old: PageEntry
    new: PageEntry
    changes: list[Change]


_NUMBERS: Final = f"""
SELECT e.seq, octet_length(v.body), {KEY}, l.slug
FROM entry e
JOIN version v ON v.id = e.version_id
JOIN object o ON o.id = e.object_id
JOIN lab l ON l.id = o.producer_id
"""  # noqa: S608 - put together from constants


def read_versions(
    *, principal: Principal, request: VersionsRequest, door: str, collections: Sequence[CollectionView]
) -> Versions:
    """The next versions that the principal may read, in the bounds of a page.

    Raises:
        NotFoundError: none, or not for this reader: the two look the same. InvalidRequestError: a bad cursor.
    """
    sight, question = sight_of(principal, collections), request.question()
    after = read_cursor(principal, question, sight, request.cursor) if request.cursor else 0
    limit = min(request.limit, MAX_VERSIONS)
    with reading_as(principal) as readable:
        where = _Where(sight, readable, request.stix_id, request.producer)
        found = where.rows("e.seq > %(after)s ORDER BY e.seq LIMIT %(most)s", after=after, most=limit + 1)
        shown = fitting([row[:2] for row in found], limit)
        entries = _show(principal, where, shown, door)
    more = len(found) > len(shown)
    return Versions(entries, more, make_cursor(principal, question, sight, shown[-1]) if more else "")


def compare_versions(
    *,
    principal: Principal,
    stix_id: str,
    old: str,
    new: str,
    producer: str,
    door: str,
    collections: Sequence[CollectionView],
) -> Difference:
    """What changed from one version to another of those that the principal may read.

    old, new: versions as `ordering_key`; "" for new is the latest, and for old the one before `new`. producer: a slug,
    needed where several have an object of this id.

    Raises:
        NotFoundError: there is no such object or version, or not for this reader: they look the same.
        InvalidRequestError: several producers, and none is named.
    """
    sight = sight_of(principal, collections)
    with reading_as(principal) as readable:
        where = _Where(sight, readable, stix_id, producer)
        if len({row[3] for row in where.rows("true ORDER BY l.slug, e.seq")}) > 1:
            raise one.several_producers()
        later = where.version("true" if not new else f"{KEY} = %(key)s", new)
        earlier = where.version(f"{KEY} < %(key)s" if not old else f"{KEY} = %(key)s", old or later[2])
        entries = {entry.seq: entry for entry in _show(principal, where, sorted({later[0], earlier[0]}), door)}
    first, second = entries[earlier[0]], entries[later[0]]
    changes = difference(read_object(first.body).members, read_object(second.body).members)
    return Difference(first, second, changes)


@dataclass(frozen=True, slots=True)
class _Where:
    """The versions of one object that a reader may read."""

    sight: Sight
    readable: list[int]
    stix_id: str
    producer: str

    def rows(self, rest: str, **params: Any) -> list[tuple[Any, ...]]:
        """Rows of `_NUMBERS`.

        Raises:
            NotFoundError: none.
        """
        found = self._execute(_NUMBERS, rest, params)
        if not found:
            raise one.no_such_object()
        return found

    def version(self, condition: str, key: str) -> tuple[Any, ...]:
        """The latest version that meets the condition. Raises: NotFoundError."""
        found = self._execute(_NUMBERS, f"{condition} ORDER BY {KEY} DESC LIMIT 1", {"key": key})
        if not found:
            raise NotFoundError("the object has no such version", code="version-not-found")
        return found[0]

    def entries(self, seqs: list[int]) -> list[PageEntry]:
        """The versions at these places, by ascending place."""
        return [
            entry_of(row)
            for row in self._execute(
                f"SELECT {COLUMNS} {FROM}", "e.seq = ANY (%(seqs)s) ORDER BY e.seq", {"seqs": seqs}
            )
        ]

    def _execute(self, columns: str, rest: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        if "\0" in self.stix_id:
            return []
        conditions, mine = self.sight.conditions(self.stix_id, self.readable)
        if self.producer:
            conditions += " AND l.slug = %(producer)s"
        query = f"{columns} WHERE {conditions} AND {rest}"
        return execute(query, {**mine, **params, "producer": self.producer}, prepare=False).fetchall()


def _show(principal: Principal, where: _Where, seqs: list[int], door: str) -> list[PageEntry]:
    """These versions, with the row in the delivery log."""
    entries = where.entries(seqs)
    record_delivery(
        Delivery(
            principal=principal,
            door=door,
            collection_ids=where.sight.sources,
            seqs=seqs,
            audience_ids=where.readable,
            filters=with_reach({"id": where.stix_id, "seqs": seqs}, where.sight),
            label=strictest(entries),
        )
    )
    return entries
