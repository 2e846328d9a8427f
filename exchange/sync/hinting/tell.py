"""Tells one peer that something is new for it."""

from __future__ import annotations

import logging

from exchange.models import Peer
from exchange.services import counters
from exchange.services.errors import ExchangeError
from exchange.services.peers.hints import settle_hint
from exchange.sync.peers.hint import send_hint
from exchange.sync.reaching import access_of

logger = logging.getLogger(__name__)


def tell(peer_id: int) -> bool:
    """Tell the peer of this row; whether it took the word. A peer that is gone by now is told nothing."""
    peer = Peer.objects.select_related("lab").filter(pk=peer_id, state=Peer.State.ACTIVE).first()
    if peer is None:
        return False
    failure = ""
    try:
        send_hint(access_of(peer))
    except ExchangeError as error:
        failure = error.code
    settle_hint(peer_id, was_told=not failure)
    counters.PEER_HINTS.labels("failed" if failure else "sent").inc()
    logger.info("hint peer=%s failure=%s", peer.lab.slug, failure or "none")
    return not failure
