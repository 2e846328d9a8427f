"""Following a collection entry by entry: what REST lists, with a cursor for each entry."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.services.collections import CollectionView
from exchange.services.principals import Principal
from exchange.services.query.entries import PageEntry, entry_of
from exchange.services.query.reading import answer, open_reading
from exchange.services.query.request import PageRequest
from exchange.services.query.selections import ENTRIES


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries, each with the cursor that continues after it. `more`: others are there already."""

    entries: list[tuple[str, PageEntry]]
    more: bool


def read_batch(*, principal: Principal, collection: CollectionView, request: PageRequest, door: str) -> Batch:
    """The next entries; an entry's cursor is one of `read_page` to the same question.

    Raises:
        AccessDeniedError, InvalidRequestError: as `read_page`.
    """
    reading = open_reading(principal=principal, collection=collection, request=request, door=door)
    found = answer(reading, ENTRIES)
    entries = [entry_of(row) for row in found.fetched.rows]
    return Batch([(reading.cursor(entry.seq), entry) for entry in entries], more=bool(found.next))


def cursor_at(seq: int, *, principal: Principal, collection: CollectionView, request: PageRequest, door: str) -> str:
    """The cursor that continues after a place in the sequence.

    Raises:
        As `read_batch`.
    """
    return open_reading(principal=principal, collection=collection, request=request, door=door).cursor(seq)
