"""One page of a peer's objects and how far its channel has come.

New identities and withdrawals commit first, in transactions of their own; the place commits with everything else. A
worker that is killed at any point finds the channel where it was and asks for the same page again; what is stored
already is known by the digest of its payload, and a note that is followed twice changes nothing.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError

from exchange.models import PeerChannel
from exchange.services import counters
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import ConflictError, ExchangeError, InvalidRequestError, NotFoundError
from exchange.services.receiving.judging import judge_turn
from exchange.services.receiving.known import find_known_identities
from exchange.services.receiving.offering import offer_waiting
from exchange.services.receiving.overtaking import forget_overtaken
from exchange.services.receiving.page import Page, Step, Turn, read_page
from exchange.services.receiving.parts import take_turn
from exchange.services.receiving.policy import check_peer
from exchange.services.receiving.quarantining import quarantine_items
from exchange.services.receiving.receipt import Fate, Judged, PageReceipt
from exchange.services.receiving.source import Source, source_of

Place = tuple[str, str, str, bool]
"""added_after, next, last_date, more."""

logger = logging.getLogger(__name__)


def receive_page(
    *,
    channel: PeerChannel,
    bodies: Sequence[bytes],
    added_after: str,
    next: str,
    more: bool,
    last_date: str,
    claim: uuid.UUID | None = None,
) -> PageReceipt:
    """Store a page of a pull channel; what cannot be taken is quarantined and never stops the rest.

    bodies: the bytes of each object, as they came. added_after, next: what the page after this one is asked with, as
    the peer said them. more: whether the peer has more now. last_date: `date_added` of the last object, "" to leave it.
    claim: the one under which the page was asked for; a page that comes after its end is left to who has the channel
    now. `channel` is brought up to date.

    Raises:
        NotFoundError: the channel was removed. InvalidRequestError: it pushes. ConflictError: the claim is over.
        AccessDeniedError: the peer was stopped. TooLargeError: its quarantine is full; the place stays.
        NotReadyError: the node cannot sign the withdrawals that follow, or too many write the same objects.
    """
    page = read_page(channel.peer_id, bodies)
    with writing():
        known = find_known_identities(page.identities)
    arrival = _Arrival(channel.pk, claim, page, now(), (added_after, next, last_date, more))
    judged = [each for turn in page.turns(known) for each in take_turn(turn, arrival.take, arrival.put_aside)]
    channel.refresh_from_db()
    receipt = PageReceipt.of(judged)
    _count(channel, judged, receipt)
    if any(each.fate is Fate.STORED and each.item.object.type == "identity" for each in judged):
        _offer()
    return receipt


def _offer() -> None:
    """What waited for these identities comes now; or if that fails within a minute (sync/tasks.py)."""
    try:
        offer_waiting()
    except (ExchangeError, DatabaseError) as error:
        logger.warning("what waits in quarantine was not judged again: %s", type(error).__name__)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A page on its way in: a transaction for each of its turns, each of which finds the channel as it is by then."""

    channel_id: int
    claim: uuid.UUID | None
    page: Page
    moment: datetime
    place: Place

    def take(self, turn: Turn) -> list[Judged]:
        with writing():
            found, source = self._begin()
            verdict = judge_turn(source, self.page, turn, self.moment)
            quarantine_items(source, verdict.judged, self.moment)
            if turn.step is Step.REST:
                forget_overtaken(source, verdict.names, self.page.standing_notes())
            self._move(found, turn, verdict.judged)
            verdict.batch.place()
        self.page.taken_back.update(verdict.taken_back)
        return verdict.judged

    def put_aside(self, turn: Turn, judged: list[Judged]) -> None:
        with writing():
            found, source = self._begin()
            quarantine_items(source, judged, self.moment)
            self._move(found, turn, judged)

    def _begin(self) -> tuple[PeerChannel, Source]:
        found = _find(self.channel_id)
        if self.claim is not None and found.claim != self.claim:
            raise ConflictError("another worker has the channel", code="claim-lost")
        return found, source_of(found.peer, found.collection, found.pk)

    def _move(self, channel: PeerChannel, turn: Turn, judged: Sequence[Judged]) -> None:
        channel.moved += sum(each.fate in (Fate.STORED, Fate.HELD) for each in judged)
        if turn.is_last:
            channel.added_after, channel.next, last_date, more = self.place
            channel.last_date = last_date or channel.last_date
            channel.behind_since = (channel.behind_since or self.moment) if more else None
        channel.save(update_fields=["added_after", "next", "last_date", "moved", "behind_since"])


def _find(channel_id: int) -> PeerChannel:
    """The channel with its peer, both locked, and its collection: until the transaction ends nobody stops the peer, and
    nothing else of it is judged."""
    found = (
        PeerChannel.objects.select_for_update(of=("self", "peer"), no_key=True)
        .select_related("peer__lab", "collection__api_root")
        .filter(pk=channel_id)
        .first()
    )
    if found is None:
        raise NotFoundError("the channel was removed", code="channel-not-found")
    if found.direction != PeerChannel.Direction.PULL:
        raise InvalidRequestError("nothing is received through a channel that pushes", code="channel-direction")
    check_peer(found.peer)
    return found


def _count(channel: PeerChannel, judged: Sequence[Judged], receipt: PageReceipt) -> None:
    """Counts and a line, after the commit: codes and numbers, never content."""
    for fate, count in Counter(each.fate for each in judged).items():
        counters.RECEIVED.labels(str(fate)).inc(count)
    for reason, count in receipt.reasons.items():
        counters.QUARANTINED.labels(reason).inc(count)
    logger.info(
        "received peer=%s channel=%s objects=%d stored=%d known=%d held=%d withdrawals=%d refused=%d quarantined=%d%s",
        channel.peer.lab.slug,
        channel.pk,
        receipt.received,
        receipt.stored,
        receipt.known,
        receipt.held,
        receipt.withdrawals,
        receipt.refused,
        receipt.quarantined,
        "".join(f" reason.{reason}={count}" for reason, count in receipt.reasons.items()),
    )
