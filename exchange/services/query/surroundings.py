"""Objects by their ids, and what refers to them, of all that a reader may read: newest versions that stand.

What is revoked, suspended or deleted does not stand. Nothing is parsed here, and what is made of it is the caller's;
so is what of it was shown, which the delivery log is told once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from exchange.services.collections import CollectionView
from exchange.services.database import execute, plan_by_index
from exchange.services.delivery import Delivery, record_delivery
from exchange.services.principals import Principal
from exchange.services.query.entries import COLUMNS, FROM, PageEntry, entry_of, strictest, with_reach
from exchange.services.query.search import fitting, searching_as
from exchange.services.query.sight import Sight, sight_of
from exchange.stix.facets import tag

STANDING: Final = ("current", "disputed")
"""States in which an object counts."""

MAX_FOUND: Final = 1_000
"""Objects of one question."""

MAX_OF_A_LAB: Final = 100
"""Of one type, among what refers to something, so that nobody outshouts the others."""

_FROM_NUMBERS: Final = """
FROM entry e
JOIN version v ON v.id = e.version_id
JOIN object o ON o.id = e.object_id
"""
_BY_ID: Final = f"""
SELECT e.seq, octet_length(v.body) {_FROM_NUMBERS}
WHERE e.is_newest AND o.state = ANY (%(standing)s) AND o.stix_id = ANY (%(ids)s) AND {{rights}}
ORDER BY e.seq LIMIT %(most)s + 1
"""
# What names it is found first, and then looked at; the planner would else, without statistics, go through all that the
# reader may see. Of each lab in turn, the latest first.
_REFERRING: Final = f"""
WITH naming AS MATERIALIZED (
    SELECT f.version_id, f.object_id FROM facet_in_sight f WHERE f.places && %(places)s::bigint[] AND f.tags && %(tags)s
)
SELECT seq, size, place FROM (
    SELECT e.seq, octet_length(v.body) AS size,
           row_number() OVER (PARTITION BY o.producer_id, e.type ORDER BY e.seq DESC) AS place
    {_FROM_NUMBERS}
    JOIN naming f ON f.version_id = e.version_id AND f.object_id = e.object_id
    WHERE e.is_newest AND o.state = ANY (%(standing)s) AND e.type = ANY (%(types)s) AND {{rights}} AND {{saying}}
) ranked
WHERE place <= %(most_of_a_lab)s + 1 ORDER BY place, seq DESC LIMIT %(most)s + 1
"""  # noqa: S608 - put together from constants
# Bytes that hold no escape say a plain word plainly. The others may say it, and are looked at by the caller.
_SAYING: Final = "(position(%(word)s IN v.body) > 0 OR position('\\x5c75'::bytea IN v.body) > 0)"


@dataclass(frozen=True, slots=True)
class Found:
    """Versions by ascending place in the sequence. more: some were left out for their number or size."""

    entries: list[PageEntry]
    more: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One reader's look, inside its transaction. Every question is two statements, whatever it finds."""

    principal: Principal
    door: str
    sight: Sight
    readable: list[int]

    def find(self, ids: Collection[str]) -> Found:
        """The objects under these ids, of every producer."""
        numbers = self._numbers(_BY_ID, {"ids": _sound(ids)})
        return self._read(numbers, more=len(numbers) > MAX_FOUND)

    def find_referring(self, ids: Collection[str], types: Sequence[str], *, saying: str = "") -> Found:
        """Objects of these types that name one of these ids in any property.

        saying: an ASCII word that their bytes hold; some that do not may be among them.
        """
        params = {
            "tags": [tag("refers", each) for each in _sound(ids)],
            "types": list(types),
            "places": self.sight.places(self.readable),
            "word": saying.encode("ascii"),
        }
        found = self._numbers(_REFERRING, params, saying=_SAYING if saying else "true")
        kept = [row[:2] for row in found if row[2] <= MAX_OF_A_LAB]
        return self._read(kept, more=len(found) > min(len(kept), MAX_FOUND))

    def note_shown(self, entries: Iterable[PageEntry]) -> None:
        """The row in the delivery log: once, for all that an answer is made of."""
        shown = list(entries)
        seqs = sorted({entry.seq for entry in shown})
        record_delivery(
            Delivery(
                principal=self.principal,
                door=self.door,
                collection_ids=self.sight.sources,
                seqs=seqs,
                audience_ids=self.readable,
                filters=with_reach({"seqs": seqs}, self.sight),
                label=strictest(shown),
            )
        )

    def _numbers(self, query: str, params: dict[str, Any], *, saying: str = "") -> list[tuple[Any, ...]]:
        rights, mine = self.sight.rights(self.readable)
        asked = {**mine, **params, "standing": list(STANDING), "most": MAX_FOUND, "most_of_a_lab": MAX_OF_A_LAB}
        return execute(query.format(rights=rights, saying=saying), asked, prepare=False).fetchall()

    def _read(self, numbers: Sequence[tuple[Any, ...]], *, more: bool) -> Found:
        shown = fitting([(seq, size) for seq, size in numbers], MAX_FOUND)
        rights, params = self.sight.rights(self.readable)
        query = f"SELECT {COLUMNS} {FROM} WHERE e.seq = ANY (%(seqs)s) AND {rights} ORDER BY e.seq"
        rows = execute(query, {**params, "seqs": shown}, prepare=False).fetchall()
        return Found([entry_of(row) for row in rows], more=more or len(shown) < len(numbers))


@contextmanager
def looking_around(*, principal: Principal, door: str, collections: Sequence[CollectionView]) -> Iterator[Surroundings]:
    """A transaction in which a reader looks at what it reads of these collections, and at its own.

    What refers to something is looked for in the collections alone.

    Raises:
        NotReadyError: a look takes too long.
    """
    sight = sight_of(principal, collections)
    with searching_as(principal) as readable:
        plan_by_index()
        yield Surroundings(principal, door, sight, readable)


def _sound(ids: Collection[str]) -> list[str]:
    """PostgreSQL keeps no NUL, so nothing is under such an id."""
    return sorted(each for each in ids if "\0" not in each)
