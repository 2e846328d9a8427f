"""What another exchange posts here, instead of waiting to be asked: taken as if it had been pulled from it.

The sender is told what was taken, and of the rest no more than that it was not: reasons may be about what is here and
not for it. Operators find them in quarantine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exchange.models import Collection, Peer
from exchange.services.clock import now
from exchange.services.collections import CollectionView
from exchange.services.errors import AccessDeniedError, ConflictError
from exchange.services.principals import Principal
from exchange.services.publishing.outcome import Outcome, OutcomeStatus
from exchange.services.receiving.arriving import Arrival
from exchange.services.receiving.page import Turn, read_page
from exchange.services.receiving.policy import check_peer
from exchange.services.receiving.receipt import Fate, Judged
from exchange.services.receiving.source import Source, source_of

_STATUSES: Final = {
    Fate.STORED: OutcomeStatus.STORED,
    Fate.WITHDRAWAL: OutcomeStatus.STORED,
    Fate.KNOWN: OutcomeStatus.EXISTS,
    Fate.HELD: OutcomeStatus.HELD,
}


def receive_posted(*, principal: Principal, collection: CollectionView, bodies: Sequence[bytes]) -> list[Outcome]:
    """Take what a peer posts to a collection; one outcome for each of the bodies, in their order.

    Raises:
        AccessDeniedError: the sender is no exchange, may not write there, or was stopped.
        TooLargeError: its quarantine is full. NotReadyError: as for pages that are pulled.
    """
    if principal.peer is None or not principal.peer.is_exchange:
        raise AccessDeniedError("this is for exchanges that are peers", code="not-a-peer")
    if not collection.can_write:
        raise AccessDeniedError("you may not write to this collection", code="not-writable")
    page = read_page(principal.peer.id, bodies)
    judged = _PostedPage(page, now(), principal.peer.id, collection.id).take_all(
        name=principal.lab_slug, where=f"posted-to={collection.alias}"
    )
    return [_outcome(each) for each in sorted(judged, key=lambda each: each.item.index)]


@dataclass(frozen=True, slots=True)
class _PostedPage(Arrival):
    """What was posted; nothing moves with it."""

    peer_id: int
    collection_id: int

    def begin(self) -> Source:
        peer = (
            Peer.objects.select_for_update(of=("self",), no_key=True).select_related("lab").filter(pk=self.peer_id)
        ).first()
        if peer is None:
            raise AccessDeniedError("the peer was removed", code="peer-stopped")
        check_peer(peer)
        return source_of(peer, Collection.objects.select_related("api_root").get(pk=self.collection_id), None)

    def settle(self, turn: Turn, judged: Sequence[Judged]) -> None:
        """Nothing."""


def _outcome(judged: Judged) -> Outcome:
    item = judged.item
    refused = None
    if judged.error is not None:
        refused = ConflictError("it was not taken; the operators of this exchange can say why", code="not-taken")
    return Outcome(
        index=item.index,
        id=item.claimed_id,
        version=item.claimed_version,
        status=OutcomeStatus.FAILED if refused is not None else _STATUSES[judged.fate],
        error=refused,
    )
