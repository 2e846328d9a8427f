"""One page of a peer's objects and how far its channel has come, in one transaction.

A worker that is killed at any point finds the channel where it was and asks for the same page again; what is stored
already is known by the digest of its payload.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db import DatabaseError, DataError

from exchange.models import Peer, PeerChannel
from exchange.services import counters
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import (
    AccessDeniedError,
    ConflictError,
    ExchangeError,
    InvalidRequestError,
    NotFoundError,
)
from exchange.services.publishing.item import Item
from exchange.services.receiving.judging import judge_bodies
from exchange.services.receiving.offering import offer_waiting
from exchange.services.receiving.quarantining import quarantine_items
from exchange.services.receiving.receipt import Fate, Judged, PageReceipt
from exchange.services.receiving.source import Source, source_of
from exchange.services.storing import retrying

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
    moment, place = now(), (added_after, next, last_date, more)
    try:
        source, judged = retrying(lambda: _take(channel.pk, bodies, moment, claim, place))
    except DataError:
        source, judged = _take_each(channel.pk, bodies, moment, claim, place)
    channel.refresh_from_db()
    receipt = PageReceipt.of(judged)
    _count(source, judged, receipt)
    if any(each.fate is Fate.STORED and each.item.object.type == "identity" for each in judged):
        _offer()
    return receipt


def _offer() -> None:
    """What waited for these identities comes now; or if that fails within a minute (sync/tasks.py)."""
    try:
        offer_waiting()
    except (ExchangeError, DatabaseError) as error:
        logger.warning("what waits in quarantine was not judged again: %s", type(error).__name__)


def _take_each(
    channel_id: int, bodies: Sequence[bytes], moment: datetime, claim: uuid.UUID | None, place: Place
) -> tuple[Source, list[Judged]]:
    """A page with something that the database does not take: object by object, so that it stops nothing else."""
    judged = []
    for body in bodies:
        try:
            judged += retrying(partial(_take, channel_id, [body], moment, claim))[1]
        except DataError:
            judged += _put_aside(channel_id, body, moment)
    source, _ = retrying(lambda: _take(channel_id, [], moment, claim, place))
    return source, judged


def _put_aside(channel_id: int, body: bytes, moment: datetime) -> list[Judged]:
    error = ConflictError("the database does not take it", code="unstorable")
    judged = [Judged(Item(0, body), Fate.QUARANTINED, error)]
    with writing():
        found = _find(channel_id)
        quarantine_items(source_of(found.peer, found.collection, found.pk), judged, moment)
    return judged


def _take(
    channel_id: int,
    bodies: Sequence[bytes],
    moment: datetime,
    claim: uuid.UUID | None,
    place: Place | None = None,
) -> tuple[Source, list[Judged]]:
    with writing():
        found = _find(channel_id)
        if claim is not None and found.claim != claim:
            raise ConflictError("another worker has the channel", code="claim-lost")
        source = source_of(found.peer, found.collection, found.pk)
        judged = judge_bodies(source, bodies, moment)
        quarantine_items(source, judged, moment)
        _move(found, place, sum(each.fate in (Fate.STORED, Fate.HELD) for each in judged), moment)
    return source, judged


def _find(channel_id: int) -> PeerChannel:
    """The channel, locked, with its peer and collection."""
    found = (
        PeerChannel.objects.select_for_update(of=("self",))
        .select_related("peer__lab", "collection__api_root")
        .filter(pk=channel_id)
        .first()
    )
    if found is None:
        raise NotFoundError("the channel was removed", code="channel-not-found")
    if found.direction != PeerChannel.Direction.PULL:
        raise InvalidRequestError("nothing is received through a channel that pushes", code="channel-direction")
    if found.peer.state != Peer.State.ACTIVE or not found.peer.lab.is_active:
        raise AccessDeniedError("the peer was stopped", code="peer-stopped")
    return found


def _move(channel: PeerChannel, place: Place | None, taken: int, moment: datetime) -> None:
    channel.moved += taken
    if place is not None:
        channel.added_after, channel.next, last_date, more = place
        channel.last_date = last_date or channel.last_date
        channel.behind_since = (channel.behind_since or moment) if more else None
    channel.save(update_fields=["added_after", "next", "last_date", "moved", "behind_since"])


def _count(source: Source, judged: Sequence[Judged], receipt: PageReceipt) -> None:
    """Counts and a line, after the commit: codes and numbers, never content."""
    for each in judged:
        counters.RECEIVED.labels(str(each.fate)).inc()
    for reason, count in receipt.reasons.items():
        counters.QUARANTINED.labels(reason).inc(count)
    logger.info(
        "received peer=%s channel=%s objects=%d stored=%d known=%d held=%d withdrawals=%d refused=%d quarantined=%d%s",
        source.name,
        source.channel_id,
        receipt.received,
        receipt.stored,
        receipt.known,
        receipt.held,
        receipt.withdrawals,
        receipt.refused,
        receipt.quarantined,
        "".join(f" reason.{reason}={count}" for reason, count in receipt.reasons.items()),
    )
