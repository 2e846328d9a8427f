"""One page of a peer's objects and how far its channel has come.

New identities and withdrawals commit first, in transactions of their own; the place commits with everything else. A
worker that is killed at any point finds the channel where it was and asks for the same page again; what is stored
already is known by the digest of its payload, and a note that is followed twice changes nothing.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Coalesce

from exchange.models import PeerChannel
from exchange.services.clock import now
from exchange.services.errors import ConflictError, InvalidRequestError, NotFoundError
from exchange.services.receiving.arriving import Arrival
from exchange.services.receiving.page import Turn, read_page
from exchange.services.receiving.policy import check_peer
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
    arrival = _PulledPage(page, now(), channel.pk, claim, (added_after, next, last_date, more))
    judged = arrival.take_all(name=channel.peer.lab.slug, where=f"channel={channel.pk}")
    channel.refresh_from_db()
    return PageReceipt.of(judged)


@dataclass(frozen=True, slots=True)
class _PulledPage(Arrival):
    """A page of a channel; the channel's place moves with the last of its turns."""

    channel_id: int
    claim: uuid.UUID | None
    place: Place

    def begin(self) -> Source:
        found = _find(self.channel_id)
        if self.claim is not None and found.claim != self.claim:
            raise ConflictError("another worker has the channel", code="claim-lost")
        return source_of(found.peer, found.collection, found.pk)

    def settle(self, turn: Turn, judged: Sequence[Judged]) -> None:
        changes: dict[str, Any] = {"moved": F("moved") + sum(each.fate in (Fate.STORED, Fate.HELD) for each in judged)}
        if turn.is_last:
            added_after, next_, last_date, more = self.place
            changes |= {"added_after": added_after, "next": next_}
            changes |= {"last_date": last_date} if last_date else {}
            changes["behind_since"] = Coalesce(F("behind_since"), Value(self.moment)) if more else None
        PeerChannel.objects.filter(pk=self.channel_id).update(**changes)


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
