"""Celery tasks of channels to peers. Arguments are the number of a channel and a claim; neither is a secret."""

from __future__ import annotations

import uuid
from typing import Final

from celery import shared_task

from exchange.models import PeerChannel
from exchange.services.peers.claims import CLAIM_S, ChannelClaim, claim_due_channels
from exchange.services.queue import WAKE_CHANNELS
from exchange.sync.pulling.pull import pull
from exchange.sync.pushing.push import push

PULL: Final = "peers.pull"
PUSH: Final = "peers.push"


@shared_task(name=WAKE_CHANNELS)
def wake_channels() -> None:
    """Hand the channels whose time has come to workers."""
    for claim in claim_due_channels():
        # A claim that waited longer than it is good for is made anew.
        task = pull_channel if claim.direction == PeerChannel.Direction.PULL else push_channel
        task.apply_async((claim.channel_id, str(claim.claim)), expires=CLAIM_S)


@shared_task(name=PULL)
def pull_channel(channel_id: int, claim: str) -> None:
    """One run of a channel, then the next one of its peer has its turn."""
    pull(ChannelClaim(channel_id, uuid.UUID(claim)))
    wake_channels()


@shared_task(name=PUSH)
def push_channel(channel_id: int, claim: str) -> None:
    """The same for a channel that pushes."""
    push(ChannelClaim(channel_id, uuid.UUID(claim)))
    wake_channels()
