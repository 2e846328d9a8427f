"""The outbox of a push channel: what stands in its collection after its place, as far as the peer may read it.

An envelope is begun before it is sent: its end is kept, so that whoever finds it after a crash, not knowing whether it
arrived, sends the same range again. Posting an object twice is a success (TAXII 2.1 section 5.5). The place moves when
the peer has said what became of each object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from django.db.models import F

from exchange.models import Entry, PeerChannel
from exchange.services.clock import now
from exchange.services.collections import CollectionView, find_collection
from exchange.services.database import execute
from exchange.services.errors import ConflictError
from exchange.services.peer_principals import peer_principal
from exchange.services.peers.claims import ChannelClaim
from exchange.services.principals import Principal
from exchange.services.query import PageEntry, PageRequest, cursor_at, read_on
from exchange.stix.fixed import is_fixed

DOOR: Final = "push"
MAX_OBJECTS: Final = 500
MAX_BYTES: Final = 4 * 1024 * 1024
"""Of objects in one envelope: peers publish what they are posted before they answer."""


class _Named(msgspec.Struct):
    id: str


_NAMED: Final = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One version on its way to a peer. seq: its place in the collection. version: its `modified`, or what stands for
    that."""

    seq: int
    stix_id: str
    version: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """What can be sent now. upto: the place that the channel has when it is done. more: another is there already."""

    objects: list[Outgoing]
    upto: int
    more: bool


def next_outgoing(channel: PeerChannel, *, limit: int = MAX_OBJECTS, max_bytes: int = MAX_BYTES) -> Ready:
    """What comes next for the peer, as its rights are now; an envelope that was begun before is read again.

    limit, max_bytes: of objects, beyond the first. The delivery log says so before this returns. What is fixed, the
    same on every exchange, is not sent: servers stumble over definitions of extensions and of TLP.

    Raises:
        NotFoundError, AccessDeniedError: the peer, or its grant for the collection, is not there any more.
    """
    reader, view = reader_of(channel)
    request = PageRequest(limit=limit, max_bytes=max_bytes)
    begun = replace(request, cursor=cursor_at(reader, view, request, channel.last_seq))
    batch = read_on(principal=reader, collection=view, request=begun, until=channel.pending_upto, door=DOOR)
    outgoing = map(_outgoing, batch.entries)
    return Ready([each for each in outgoing if not is_fixed(each.stix_id)], batch.place, batch.more)


def reader_of(channel: PeerChannel) -> tuple[Principal, CollectionView]:
    """Whom the channel reads as, and its collection as the peer may use it.

    Raises:
        NotFoundError, AccessDeniedError: as `next_outgoing`.
    """
    reader = peer_principal(channel.peer.lab_id)
    home = channel.collection
    return reader, find_collection(reader, str(home.public_id), api_root=home.api_root.slug)


def begin_envelope(claim: ChannelClaim, *, upto: int) -> None:
    """Keep how far the envelope goes, before it is sent. Raises: ConflictError: the claim is over."""
    _change(claim, pending_upto=upto, pending_status="", pending_since=now())


def follow_later(claim: ChannelClaim, status_id: str) -> None:
    """Keep the peer's status of the envelope, which is not final yet. Raises: ConflictError: the claim is over."""
    _change(claim, pending_status=status_id)


def send_anew(claim: ChannelClaim) -> None:
    """Forget a status that the peer knows no more, so that the envelope is sent again.

    Raises:
        ConflictError: the claim is over.
    """
    _change(claim, pending_status="")


def advance(claim: ChannelClaim, *, upto: int, given: int, more: bool) -> None:
    """Move the channel's place: everything up to `upto` is with the peer, or among its errands. Inside `writing()`.

    given: objects that the peer took.

    Raises:
        ConflictError: the claim is over.
    """
    behind = PeerChannel.objects.filter(pk=claim.channel_id).values_list("behind_since", flat=True).first()
    _change(
        claim,
        last_seq=upto,
        pending_upto=None,
        pending_status="",
        pending_since=None,
        moved=F("moved") + given,
        behind_since=(behind or now()) if more else None,
    )


_WAKE: Final = """
UPDATE peer_channel c SET next_attempt_at = least(
    c.next_attempt_at,
    greatest(clock_timestamp(), coalesce(c.last_run_at, '-infinity') + %(pause)s * interval '1 second'))
FROM sequencer s
WHERE s.id = 1 AND c.direction = 'push' AND c.failures = 0 AND c.last_seq < s.last_seq
"""


def wake_push_channels(*, pause_s: float) -> bool:
    """Make the channels due for which something may be there, no sooner than `pause_s` after their last run; tells
    whether there are any."""
    return bool(execute(_WAKE, {"pause": pause_s}).rowcount)


def versions_behind(channel: PeerChannel, refused: Sequence[Outgoing]) -> dict[int, int]:
    """The version (its row) behind each of these, by place; without those that are gone. Inside `writing()`."""
    places = [each.seq for each in refused]
    if not places:
        return {}
    found = Entry.objects.filter(collection_id=channel.collection_id, seq__in=places)
    return dict(found.values_list("seq", "version_id"))


def _outgoing(entry: PageEntry) -> Outgoing:
    return Outgoing(entry.seq, _NAMED.decode(entry.body).id, entry.version, entry.body)


def _change(claim: ChannelClaim, **changes: Any) -> None:
    held = PeerChannel.objects.filter(pk=claim.channel_id, claim=claim.claim, claimed_until__gt=now())
    if not held.update(**changes):
        raise ConflictError("another worker has the channel", code="claim-lost")
