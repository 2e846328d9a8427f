"""Celery tasks of hints. Their argument is the number of a peer."""

from __future__ import annotations

from typing import Final

from celery import shared_task

from exchange.services.peers.hints import LEAST_PAUSE_S, take_hints
from exchange.services.pushing import wake_push_channels
from exchange.services.queue import LOOK_FOR_NEWS, WAKE_CHANNELS, send_task
from exchange.sync.hinting.tell import tell

TELL: Final = "hints.tell"

EXPIRES_S: Final = 30
"""A word that waited longer says nothing any more: the peer has looked, or will."""


@shared_task(name=LOOK_FOR_NEWS)
def look_for_news() -> None:
    """Hand the peers for which something is new to workers: exchanges are told, channels that push have their turn."""
    for peer_id in take_hints():
        tell_peer.apply_async((peer_id,), expires=EXPIRES_S)
    if wake_push_channels(pause_s=LEAST_PAUSE_S):
        send_task(WAKE_CHANNELS)


@shared_task(name=TELL)
def tell_peer(peer_id: int) -> None:
    """Tell one peer."""
    tell(peer_id)
