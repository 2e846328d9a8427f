"""One read of a collection, from the question to the row in the delivery log. What a page shows is its caller's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from exchange.services.changes import Mark, Span, read_mark
from exchange.services.collections import CollectionView
from exchange.services.cursors import make_cursor, make_tag, pack_places, read_cursor
from exchange.services.delivery import Delivery, record_delivery
from exchange.services.errors import AccessDeniedError, InvalidRequestError
from exchange.services.principals import Principal
from exchange.services.query.entries import with_reach
from exchange.services.query.fetching import Fetched, Row, fetch_rows
from exchange.services.query.request import PageRequest
from exchange.services.query.selections import Selection
from exchange.services.sharing import reading_as
from exchange.stix.markings import Tlp

NO_TAGS: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """Who asks what of a collection, through which door, after which place in the sequence."""

    principal: Principal
    collection: CollectionView
    request: PageRequest
    door: str
    question: dict[str, object]
    after: int

    def cursor(self, seq: int) -> str:
        """What continues after a place."""
        return make_cursor(self.principal, self.question, self.collection, seq)

    def tag(self, places: bytes, *, more: bool) -> str:
        """What tells this answer from another to the same question: places are never given out twice."""
        return make_tag(self.principal, self.question, self.collection, places, more=more)

    def delivery(self, seqs: Sequence[int], readable: Sequence[int], label: Tlp) -> Delivery:
        """What the delivery log keeps of an answer; `label` is its strictest."""
        return Delivery(
            principal=self.principal,
            door=self.door,
            collection_ids=self.collection.sources,
            seqs=seqs,
            audience_ids=readable,
            filters=with_reach(self.question, self.collection),
            label=label,
        )


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole page: its rows, the audiences that it was read for, and what it follows from."""

    rows: Sequence[Row]
    readable: Sequence[int]
    span: Span
    mark: Mark


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, the cursor to what follows ("" if nothing does), and the tag.

    is_known: the reader has this answer already, so nothing was delivered. whole: what may be kept of it, if that was
    asked for and the page is whole.
    """

    fetched: Fetched
    next: str
    tag: str
    is_known: bool
    whole: Whole | None = None


def open_reading(
    *, principal: Principal, collection: CollectionView, request: PageRequest, door: str, shows: str = ""
) -> Reading:
    """Check what is asked.

    shows: what the delivery log and cursors say of a page that does not show objects.

    Raises:
        AccessDeniedError: the collection is visible but not readable. InvalidRequestError: a bad cursor or limit.
    """
    if not collection.can_read:
        raise AccessDeniedError(f"you may not read {collection.alias}", code="not-readable")
    if request.limit < 1:
        raise InvalidRequestError("a page has one object at least", code="limit", pointer="limit")
    question = request.question(collection) | ({"shows": shows} if shows else {})
    after = read_cursor(principal, question, collection, request.cursor) if request.cursor else 0
    bounded = replace(request, limit=min(request.limit, collection.page_limit))
    return Reading(principal, collection, bounded, door, question, after)


def answer(
    reading: Reading, selection: Selection, *, known_tags: frozenset[str] = NO_TAGS, keeps: bool = False
) -> Answer:
    """Read the rows and note their delivery, unless the reader has them already.

    keeps: whether to read, for a whole page, what it needs to be kept.
    """
    with reading_as(reading.principal) as readable:
        fetched = fetch_rows(reading.collection, reading.request, readable, reading.after, selection)
        seqs, more = [row[0] for row in fetched.rows], fetched.following is not None
        tag = reading.tag(pack_places(seqs), more=more)
        is_known = is_among(tag, known_tags)
        if seqs and not is_known:
            label = max(row[selection.label_column] for row in fetched.rows)
            record_delivery(reading.delivery(seqs, readable, Tlp(label)))
        whole = _whole(fetched, readable) if keeps else None
    return Answer(fetched, reading.cursor(seqs[-1]) if more else "", tag, is_known, whole)


def read_whole(reading: Reading, selection: Selection) -> Whole | None:
    """What `answer` would read, for nobody yet: its delivery is noted when it is answered. None if it is not whole."""
    with reading_as(reading.principal) as readable:
        fetched = fetch_rows(reading.collection, reading.request, readable, reading.after, selection)
        return _whole(fetched, readable)


def is_among(tag: str, known_tags: frozenset[str]) -> bool:
    """Whether the reader has the answer with this tag; `*` is any (RFC 9110 section 13.1.2)."""
    return tag in known_tags or "*" in known_tags


def _whole(fetched: Fetched, readable: Sequence[int]) -> Whole | None:
    """What a page may be kept by; None if it is not whole, or follows from more entries than those of its stretch."""
    if fetched.following is None or not fetched.is_simple:
        return None
    span = Span(fetched.after, fetched.following)
    return Whole(fetched.rows, readable, span, read_mark(span))
