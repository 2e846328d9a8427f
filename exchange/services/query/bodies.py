"""Pages of a collection as the bytes that producers signed and nothing else: what TAXII serves.

A whole page that is asked for again and again is kept (kept_pages.py) and answered without reading its entries; the
next page of whoever follows is read ahead (reading_ahead.py) and answered in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exchange.services.changes import read_mark
from exchange.services.collections import CollectionView
from exchange.services.cursors import pack_places
from exchange.services.delivery import record_repeated_delivery
from exchange.services.principals import Principal
from exchange.services.query.kept_pages import KeptPage, PageShelf
from exchange.services.query.reading import NO_TAGS, Answer, Reading, Whole, answer, is_among, open_reading, read_whole
from exchange.services.query.reading_ahead import ReadAhead
from exchange.services.query.request import PageRequest
from exchange.services.query.selections import BODIES
from exchange.services.query.versions import LAST
from exchange.services.sharing import readable_audiences
from exchange.stix.markings import Tlp


@dataclass(frozen=True, slots=True)
class BodiesPage:
    """`count` bodies side by side, with commas between, as they stand in a JSON list, by ascending `date_added`.

    first, last: `date_added` of the first and the last, None on an empty page. `next` is a cursor, "" when nothing
    remains. `tag` tells this answer from others to the same question; if `is_known` the reader said that it has it, and
    nothing is here. `last_seq` is the number of the last: not for readers.
    """

    joined: bytes = b""
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    next: str = ""
    tag: str = ""
    is_known: bool = False
    last_seq: int = 0


Question = tuple[object, ...]

SHELF: PageShelf[Question] = PageShelf()
AHEAD: ReadAhead[Question] = ReadAhead()


def read_bodies(
    *,
    principal: Principal,
    collection: CollectionView,
    request: PageRequest,
    door: str,
    known_tags: frozenset[str] = NO_TAGS,
) -> BodiesPage:
    """What `read_page` would show, without anything beside the bytes.

    known_tags: tags of answers that the reader has; if this is one of them, nothing is delivered.

    Raises:
        AccessDeniedError: the collection is visible but not readable. InvalidRequestError: a bad cursor or limit.
    """
    reading = open_reading(principal=principal, collection=collection, request=request, door=door)
    if not _may_be_kept(reading):
        return _page(answer(reading, BODIES, known_tags=known_tags))
    page = _answer_again(reading, known_tags) or _answer_anew(reading, known_tags)
    if page.next and request.cursor:
        _read_ahead(replace(reading, after=page.last_seq))
    return page


def _may_be_kept(reading: Reading) -> bool:
    """Whether the answer follows from the entries of one stretch: not where other versions of an object count too, nor
    where a member is anybody in some of the collections, nor where something is left out for a peer: it pulls once."""
    request, view = reading.request, reading.collection
    is_plain = request.all_versions or request.versions == (LAST,)
    return is_plain and not (request.ids or request.until or view.open_sources or view.without_origin is not None)


def _question(reading: Reading) -> Question:
    """What a page is a function of, beside the audiences. The public id tells collections apart over all times."""
    view, request = reading.collection, reading.request
    return (
        view.public_id,
        view.sources,
        request.types,
        request.added_after,
        request.all_versions,
        request.limit,
        reading.after,
    )


def _answer_again(reading: Reading, known_tags: frozenset[str]) -> BodiesPage | None:
    """The page that is kept or was read ahead, if there is one for this reader and it is still true."""
    question = _question(reading)
    if not (SHELF.was_asked(question) or AHEAD.has(question)):
        return None
    readable = readable_audiences(reading.principal)
    kept = SHELF.find(question, readable) or _take(question, readable)
    if kept is None:
        return None
    tag = reading.tag(kept.places, more=True)
    has_it = is_among(tag, known_tags)
    if has_it:
        is_true = read_mark(kept.span) == kept.mark
    else:
        delivery = reading.delivery(kept.seqs, readable, kept.label)
        is_true = record_repeated_delivery(delivery, span=kept.span, mark=kept.mark)
    if not is_true:
        SHELF.drop(question, readable)
        return None
    last_seq = kept.seqs[-1]
    cursor = reading.cursor(last_seq)
    if has_it:
        return BodiesPage(next=cursor, tag=tag, is_known=True, last_seq=last_seq)
    return BodiesPage(kept.joined, len(kept.seqs), kept.first, kept.last, cursor, tag, last_seq=last_seq)


def _answer_anew(reading: Reading, known_tags: frozenset[str]) -> BodiesPage:
    """The page as it is read now; kept if the question is not new."""
    question = _question(reading)
    found = answer(reading, BODIES, known_tags=known_tags, keeps=SHELF.was_asked(question))
    if found.next:
        SHELF.note_asked(question)
    if found.whole is not None:
        SHELF.keep(question, found.whole.readable, _kept(found.whole))
    return _page(found)


def _page(found: Answer) -> BodiesPage:
    rows = found.fetched.rows
    last_seq = rows[-1][0] if rows else 0
    if found.is_known or not rows:
        return BodiesPage(next=found.next, tag=found.tag, is_known=found.is_known, last_seq=last_seq)
    joined = b",".join([row[2] for row in rows])
    return BodiesPage(joined, len(rows), rows[0][1], rows[-1][1], found.next, found.tag, last_seq=last_seq)


def _take(question: Question, readable: Sequence[int]) -> KeptPage | None:
    """What was read ahead. It has been asked for now, and is kept if that was so before."""
    page = AHEAD.take(question, readable)
    if page is None:
        return None
    if SHELF.was_asked(question):
        SHELF.keep(question, readable, page)
    SHELF.note_asked(question)
    return page


def _read_ahead(reading: Reading) -> None:
    """Have the page of this reading read before it is asked for, unless it is kept."""
    question, readable = _question(reading), readable_audiences(reading.principal)
    if SHELF.find(question, readable) is None:
        AHEAD.offer(question, readable, lambda: _read(reading, readable))


def _read(reading: Reading, readable: Sequence[int]) -> KeptPage | None:
    whole = read_whole(reading, BODIES)
    return _kept(whole) if whole is not None and list(whole.readable) == list(readable) else None


def _kept(whole: Whole) -> KeptPage:
    seqs = [row[0] for row in whole.rows]
    return KeptPage(
        joined=b",".join([row[2] for row in whole.rows]),
        seqs=seqs,
        places=pack_places(seqs),
        first=whole.rows[0][1],
        last=whole.rows[-1][1],
        label=Tlp(max(row[BODIES.label_column] for row in whole.rows)),
        span=whole.span,
        mark=whole.mark,
    )
