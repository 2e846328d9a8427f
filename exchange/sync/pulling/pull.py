"""One run of a pull channel: pages until nothing is left, each stored with the place of the channel.

The network is asked outside of transactions; a page and what the next one is asked with commit together
(services/receiving). A worker that is killed anywhere repeats one page, and stores nothing twice.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from exchange.models import Lab, PeerChannel
from exchange.services.clock import now
from exchange.services.errors import NotFoundError
from exchange.services.peers import find_channel
from exchange.services.peers.claims import ChannelClaim
from exchange.services.peers.health import settle_run
from exchange.services.receiving import PageReceipt, receive_page
from exchange.stix.timestamps import format_taxii, ordering_key
from exchange.sync.peers import Limits, PeerError, PeerFault, RemotePage, RemoteRoot
from exchange.sync.pulling.mending import mended
from exchange.sync.pulling.places import (
    END_OF_TIME,
    PAGE_LIMIT,
    NoProgressError,
    Place,
    Step,
    after_page,
    latest,
    smaller,
    without_cursor,
)
from exchange.sync.reaching import access_of
from exchange.sync.running import keep_claim, settled

LIMITS: Final = Limits(deadline_s=60.0)
"""Short enough for the claim to outlast a request (services/peers/claims.py)."""

MAX_PAGES: Final = 200
"""In one run; then other channels of the peer have their turn."""

MAX_EMPTY: Final = 10
"""Pages in a row without an object and with more to come: a peer may leave out what this node may not see."""

LATEST: Final = timedelta(minutes=10)
"""How much later than its date an object of a plain feed may appear, clocks that differ included."""

OnPage = Callable[[PageReceipt], None]

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Run:
    """What a run came to. moved: objects stored or held. failure: a code, "" if it went well. more: not all came."""

    pages: int = 0
    received: int = 0
    moved: int = 0
    seconds: float = 0.0
    more: bool = False
    failure: str = ""
    seen: set[bytes] = field(default_factory=set, repr=False)
    empty: int = field(default=0, repr=False)

    def take(self, asked: Place, page: RemotePage, receipt: PageReceipt, on_page: OnPage) -> None:
        """Count a page that was stored.

        Raises:
            NoProgressError: the peer had more, and sends what it has sent in this run already.
        """
        self.pages += 1
        self.received += receipt.received
        self.moved += receipt.stored + receipt.held
        on_page(receipt)
        if not page.more:
            return
        self.empty = 0 if page.bodies else self.empty + 1
        content = hashlib.sha256(b"\0".join([b"%d" % asked.limit, *page.bodies])).digest()
        if self.empty > MAX_EMPTY or (page.bodies and content in self.seen):
            raise NoProgressError("the peer says that there is more, and sends the same again")
        self.seen.add(content)


def pull(
    claim: ChannelClaim,
    *,
    on_page: OnPage = lambda _receipt: None,
    limits: Limits = LIMITS,
    page_limit: int = PAGE_LIMIT,
) -> Run:
    """Pull what is new through a claimed channel, and note how it went; the claim is given back.

    on_page: told of each page when it is stored. page_limit: objects asked for at once.
    """
    run, began = Run(), time.monotonic()
    try:
        channel = find_channel(claim.channel_id)
    except NotFoundError:
        return run
    with settled(claim, run):
        with RemoteRoot(access_of(channel.peer), limits=limits) as root:
            _drain(root, channel, claim, run, on_page, page_limit)
        run.seconds = time.monotonic() - began
        settle_run(claim, moved=run.moved, seconds=run.seconds, more=run.more)
    run.seconds = time.monotonic() - began
    logger.info(
        "pull peer=%s channel=%d pages=%d objects=%d moved=%d seconds=%.3f more=%s failure=%s",
        channel.peer.lab.slug,
        channel.pk,
        run.pages,
        run.received,
        run.moved,
        run.seconds,
        run.more,
        run.failure or "none",
    )
    return run


def _drain(
    root: RemoteRoot, channel: PeerChannel, claim: ChannelClaim, run: Run, on_page: OnPage, page_limit: int
) -> None:
    place, run.more = Place(channel.added_after, channel.next, page_limit), True
    over_by = _over_by(channel)
    while run.more and run.pages < MAX_PAGES:
        keep_claim(claim)
        asked, page = _ask(root, channel, claim, place)
        try:
            step = after_page(asked, page, last_date=channel.last_date, over_by=over_by)
        except NoProgressError:
            # What came is taken all the same.
            run.take(asked, page, _store(channel, claim, page, Step(asked, more=True)), on_page)
            raise
        run.more, place = step.more, step.place
        run.take(asked, page, _store(channel, claim, page, step), on_page)


def _ask(root: RemoteRoot, channel: PeerChannel, claim: ChannelClaim, place: Place) -> tuple[Place, RemotePage]:
    """The page at a place, or at what the peer makes of it; and what it was asked with in the end."""
    while True:
        try:
            page = root.page(
                channel.remote_collection, added_after=place.added_after, next=place.next, limit=place.limit
            )
        except PeerError as error:
            place = _eased(place, channel, error)
            keep_claim(claim)
        else:
            return place, _without_future(channel, _mended(channel, page))


def _mended(channel: PeerChannel, page: RemotePage) -> RemotePage:
    """What an exchange relays no server of others has written anew."""
    if channel.peer.lab.kind == Lab.Kind.NODE:
        return page
    return replace(page, bodies=tuple(map(mended, page.bodies)))


def _without_future(channel: PeerChannel, page: RemotePage) -> RemotePage:
    """The page without its dates, if they are later than now: believed, they would end the channel until then."""
    if not page.last or ordering_key(page.last) <= ordering_key(format_taxii(now() + LATEST)):
        return page
    logger.warning("pull channel=%d date later than now, which is left out", channel.pk)
    return replace(page, first="", last="")


def _over_by(channel: PeerChannel) -> str:
    """The date up to which everything had appeared when this walk began, in this run or in one before it."""
    began = channel.behind_since or now()
    return END_OF_TIME if channel.peer.lab.kind == Lab.Kind.NODE else format_taxii(began - LATEST)


def _eased(place: Place, channel: PeerChannel, error: PeerError) -> Place:
    """What to ask instead of a question that was refused.

    Raises:
        PeerError: the same, if nothing else is left.
    """
    fewer = smaller(place) if error.fault is PeerFault.TOO_LARGE else None
    if fewer is not None:
        return fewer
    if place.next and error.fault in (PeerFault.REJECTED, PeerFault.NOT_FOUND):
        # An exchange ends cursors when rights change: what has become visible may stand before the last object.
        is_exchange = channel.peer.lab.kind == Lab.Kind.NODE
        return without_cursor(place, "" if is_exchange else channel.last_date)
    raise error


def _store(channel: PeerChannel, claim: ChannelClaim, page: RemotePage, step: Step) -> PageReceipt:
    stays = (step.place.added_after, step.place.next) == (channel.added_after, channel.next)
    if stays and not (page.bodies or page.last or step.more or channel.behind_since):
        return PageReceipt.of([])  # most looks find nothing, and then there is nothing to write either
    return receive_page(
        channel=channel,
        bodies=page.bodies,
        added_after=step.place.added_after,
        next=step.place.next,
        more=step.more,
        last_date=latest(page.last, channel.last_date) if page.last else "",
        claim=claim.claim,
    )
