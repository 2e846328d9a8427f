"""Following a collection: what came after a place in the sequence, batch by batch, for event streams and webhooks.

The rights of each batch are those of its moment. A place moves past what the reader may not see, so that following
costs the same whatever others publish; it leaves the node only as a cursor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from exchange.services.collections import CollectionView
from exchange.services.cursors import make_cursor
from exchange.services.principals import Principal
from exchange.services.query.entries import PageEntry
from exchange.services.query.page import read_page
from exchange.services.query.request import PageRequest
from exchange.services.sequencer import last_number


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries by ascending `date_added`. `place` is where the next batch begins; `more`: there is one already."""

    entries: list[PageEntry]
    more: bool
    place: int


def cursor_at(principal: Principal, collection: CollectionView, request: PageRequest, place: int) -> str:
    """The cursor of a place in the sequence, for this reader and this question."""
    return make_cursor(principal, request.question(collection), collection, place)


def read_on(
    *, principal: Principal, collection: CollectionView, request: PageRequest, until: int | None, door: str
) -> Batch:
    """What stands after `request.cursor`, up to `until` or to the number given out last.

    Raises:
        AccessDeniedError, InvalidRequestError: as `read_page`.
    """
    # Asked before the page is read: everything up to it is visible to the page.
    reached = last_number() if until is None else until
    bounded = replace(request, until=reached)
    page = read_page(principal=principal, collection=collection, request=bounded, door=door)
    return Batch(page.entries, page.more, page.entries[-1].seq if page.more else reached)
