"""Pages of a collection as the bytes that producers signed and nothing else: what TAXII serves.

A whole page that is asked for again and again is kept (kept_pages.py) and answered without reading its entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from exchange.services.changes import read_mark
from exchange.services.collections import CollectionView
from exchange.services.delivery import record_repeated_delivery
from exchange.services.principals import Principal
from exchange.services.query.kept_pages import KeptPage, PageShelf
from exchange.services.query.reading import NO_TAGS, Answer, Reading, answer, is_among, open_reading
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
    nothing is here.
    """

    joined: bytes = b""
    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    next: str = ""
    tag: str = ""
    is_known: bool = False


Question = tuple[object, ...]

SHELF: PageShelf[Question] = PageShelf()


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
    question = _question(reading) if _may_be_kept(reading) else None
    was_asked = question is not None and SHELF.was_asked(question)
    if question is not None and was_asked:
        page = _answer_again(reading, question, known_tags)
        if page is not None:
            return page
    found = answer(reading, BODIES, known_tags=known_tags, marks=was_asked)
    page = _page(found)
    if question is not None and found.next:
        _keep(question, found, page)
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


def _page(found: Answer) -> BodiesPage:
    rows = found.fetched.rows
    if found.is_known or not rows:
        return BodiesPage(next=found.next, tag=found.tag, is_known=found.is_known)
    joined = b",".join([row[2] for row in rows])
    return BodiesPage(joined, len(rows), rows[0][1], rows[-1][1], found.next, found.tag)


def _keep(question: Question, found: Answer, page: BodiesPage) -> None:
    """Remember the question, and keep the answer if the question is not new."""
    SHELF.note_asked(question)
    if found.span is None or found.mark is None or page.first is None or page.last is None:
        return
    rows = found.fetched.rows
    label = Tlp(max(row[BODIES.label_column] for row in rows))
    seqs = tuple(row[0] for row in rows)
    kept = KeptPage(page.joined, seqs, page.first, page.last, label, found.span, found.mark)
    SHELF.keep(question, found.readable, kept)


def _answer_again(reading: Reading, question: Question, known_tags: frozenset[str]) -> BodiesPage | None:
    """The kept page, if it is here for this reader and still true."""
    readable = readable_audiences(reading.principal)
    kept = SHELF.find(question, readable)
    if kept is None:
        return None
    tag = reading.tag(kept.seqs, more=True)
    has_it = is_among(tag, known_tags)
    if has_it:
        is_true = read_mark(kept.span) == kept.mark
    else:
        delivery = reading.delivery(kept.seqs, readable, kept.label)
        is_true = record_repeated_delivery(delivery, span=kept.span, mark=kept.mark)
    if not is_true:
        SHELF.drop(question, readable)
        return None
    cursor = reading.cursor(kept.seqs[-1])
    if has_it:
        return BodiesPage(next=cursor, tag=tag, is_known=True)
    return BodiesPage(kept.joined, len(kept.seqs), kept.first, kept.last, cursor, tag)
