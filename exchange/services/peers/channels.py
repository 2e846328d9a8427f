"""Channels of a peer: one collection there, one home collection here, one direction."""

from __future__ import annotations

from typing import Final

from exchange.models import Collection, Grant, PeerChannel
from exchange.models.peer import DEFAULT_INTERVAL_S
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.collections import grant_access
from exchange.services.database import writing
from exchange.services.errors import ConflictError, InvalidRequestError, NotFoundError
from exchange.services.peers.registry import find_peer
from exchange.services.principals import Principal
from exchange.services.sequencer import last_number

INTERVALS_S: Final = (5, 86_400)
"""Least and most seconds between two looks at a peer."""

MAX_REMOTE_CHARS: Final = 100


def add_channel(
    *,
    actor: Principal,
    slug: str,
    direction: PeerChannel.Direction,
    remote_collection: str,
    collection: Collection,
    interval_s: int = DEFAULT_INTERVAL_S,
    from_now: bool = False,
) -> PeerChannel:
    """Exchange one collection with a peer, from the start of what is there, at the next look.

    remote_collection: its id or alias at the peer. collection: the home here of what comes, or where what goes is from.
    from_now: push nothing that is here already. To push, the peer has to be able to read: it gets the grant.

    Raises:
        NotFoundError: there is no such peer. ConflictError: there is this channel already.
        InvalidRequestError: a view, or an interval or name out of bounds.
    """
    if collection.is_view:
        raise InvalidRequestError(f"{collection.alias} is a view and holds nothing of its own", pointer="/collection")
    if not INTERVALS_S[0] <= interval_s <= INTERVALS_S[1]:
        raise InvalidRequestError(
            f"an interval has {INTERVALS_S[0]} to {INTERVALS_S[1]} seconds", pointer="/interval_s"
        )
    is_name = remote_collection.isprintable() and 0 < len(remote_collection) <= MAX_REMOTE_CHARS
    if not is_name or set(remote_collection) & set("/?#%"):
        raise InvalidRequestError("that is no id or alias of a collection", pointer="/remote_collection")
    with writing():
        peer = find_peer(slug, lock=True)
        if peer.channels.filter(
            direction=direction, remote_collection=remote_collection, collection=collection
        ).exists():
            raise ConflictError("there is this channel already")
        moment, is_push = now(), direction == PeerChannel.Direction.PUSH
        if is_push and not Grant.objects.filter(collection=collection, lab=peer.lab, can_read=True).exists():
            can_write = Grant.objects.filter(collection=collection, lab=peer.lab, can_write=True).exists()
            grant_access(actor=actor, collection=collection, lab=peer.lab, can_read=True, can_write=can_write)
        channel = PeerChannel.objects.create(
            peer=peer,
            direction=direction,
            remote_collection=remote_collection,
            collection=collection,
            interval_s=interval_s,
            created_at=moment,
            next_attempt_at=moment,
            last_seq=last_number() if is_push and from_now else 0,
        )
        record_event(actor, "channel-added", slug, **_facts(channel))
    return channel


def remove_channel(*, actor: Principal, number: int) -> None:
    """Exchange nothing more that way. What came stays.

    Raises:
        NotFoundError: there is none of this number.
    """
    with writing():
        channel = find_channel(number, lock=True)
        record_event(actor, "channel-removed", channel.peer.lab.slug, **_facts(channel))
        channel.delete()


def find_channel(number: int, *, lock: bool = False) -> PeerChannel:
    """The channel of this number, with its peer and collection.

    Raises:
        NotFoundError: there is none.
    """
    channels = PeerChannel.objects.select_related("peer__lab", "collection").filter(pk=number)
    channel = (channels.select_for_update(of=("self",)) if lock else channels).first()
    if channel is None:
        raise NotFoundError("there is no channel of this number", code="channel-not-found")
    return channel


def _facts(channel: PeerChannel) -> dict[str, object]:
    return {
        "channel": channel.pk,
        "direction": str(channel.direction),
        "remote": channel.remote_collection,
        "collection": channel.collection.alias,
    }
