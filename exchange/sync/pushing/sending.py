"""Sends envelopes of one channel and follows them to the end: what is refused becomes an errand, the place moves on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from exchange.models import PeerChannel
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.peers.claims import ChannelClaim
from exchange.services.pushing import (
    Outgoing,
    Ready,
    advance,
    begin_envelope,
    follow_later,
    next_outgoing,
    note_refused,
    send_anew,
    versions_behind,
)
from exchange.services.pushing.envelopes import envelope, fitting
from exchange.services.pushing.outbox import MAX_BYTES
from exchange.sync.peers import PeerError, PeerFault, RemoteRoot, RemoteStatus
from exchange.sync.pushing.verdicts import is_same_version, refused_of
from exchange.sync.running import keep_claim

FOLLOW_S: Final = 20.0
FIRST_LOOK_S: Final = 0.1
LONGEST_LOOK_S: Final = 3.0
"""A status that is pending is asked for again in a run for so long, at growing pauses; then in the next run."""

STALE_S: Final = 24 * 3_600
"""Peers keep statuses for a day; an envelope whose status is pending for longer is sent again."""

Refused = list[tuple[Outgoing, str]]


@dataclass(slots=True)
class Tally:
    """What a run came to. moved: objects that the peer took. refused: those that it did not take. deleted: those that
    it was told to delete. more: not everything was looked at. is_pending: an envelope has no final status yet."""

    envelopes: int = 0
    moved: int = 0
    refused: int = 0
    deleted: int = 0
    more: bool = True
    is_pending: bool = False


@dataclass(slots=True)
class Sender:
    """Of one run. on_envelope: told how many objects of each envelope were taken and refused."""

    root: RemoteRoot
    claim: ChannelClaim
    tally: Tally
    on_envelope: Callable[[int, int], None]
    _room: int = field(default=0, init=False)

    def send(self, channel: PeerChannel, ready: Ready) -> None:
        """One envelope of what is ready, or of its first part; without anything to send the place moves all the same.

        An envelope that the peer will not take is halved, until it is one object.

        Raises:
            PeerError: it did not arrive, or nobody knows; its range is kept and sent again.
        """
        part: Sequence[Outgoing] = ready.objects
        if part:
            room = self._room_there()
            count = fitting([len(each.body) for each in part], room)
            if count == 0:
                reason = f"it is larger than the {room} bytes of an envelope that the peer takes"
                self._settle(channel, part[:1], [(part[0], reason)], ready)
                return
            part = part[:count]
        while part:
            begin_envelope(self.claim, upto=_end_of(part, ready))
            try:
                self._follow(channel, self.post(channel, part), part, ready)
            except PeerError as error:
                if not _is_about_content(error, channel, self.tally):
                    raise
                if len(part) > 1:
                    part = part[: len(part) // 2]
                    continue
                self._settle(channel, part, [(part[0], error.detail)], ready)
                if error.fault is PeerFault.SERVER_ERROR and not self.tally.moved:
                    raise
            return
        self._settle(channel, [], [], ready)

    def follow_up(self, channel: PeerChannel) -> None:
        """Go on with the envelope that is on its way. One whose status the peer forgot is sent again.

        Raises:
            PeerError.
        """
        try:
            status = self.root.status(channel.pending_status)
        except PeerError as error:
            if error.fault is not PeerFault.NOT_FOUND:
                raise
            send_anew(self.claim)
            return
        ready = next_outgoing(channel)
        self._follow(channel, status, ready.objects, ready)
        since = channel.pending_since
        if self.tally.is_pending and since is not None and (now() - since).total_seconds() > STALE_S:
            send_anew(self.claim)

    def post(self, channel: PeerChannel, part: Sequence[Outgoing]) -> RemoteStatus:
        """Post an envelope of these. Raises: PeerError."""
        return self.root.post(channel.remote_collection, envelope([each.body for each in part]))

    def final(self, status: RemoteStatus) -> RemoteStatus | None:
        """The status when it is final; None if it is not after `FOLLOW_S`. Raises: PeerError, ClaimOverError."""
        pause, ends_at = FIRST_LOOK_S, time.monotonic() + FOLLOW_S
        while not status.is_complete:
            if time.monotonic() + pause > ends_at:
                return None
            time.sleep(pause)
            keep_claim(self.claim)
            status = self.root.status(status.id)
            pause = min(2 * pause, LONGEST_LOOK_S)
        return status

    def not_there(self, channel: PeerChannel, refused: Refused) -> Refused:
        """Those of the refused that the peer does not hold: a request for each.

        Some peers call it a failure to be posted what they hold, as happens to an envelope that is sent again.

        Raises:
            PeerError, ClaimOverError.
        """
        missing = []
        for each, reason in refused:
            keep_claim(self.claim)
            if not self._holds(channel, each):
                missing.append((each, reason))
        return missing

    def _holds(self, channel: PeerChannel, sent: Outgoing) -> bool:
        try:
            held = self.root.versions(channel.remote_collection, sent.stix_id)
        except PeerError as error:
            if error.is_transient:
                raise
            return False
        return any(is_same_version(each, sent.version) for each in held)

    def _follow(self, channel: PeerChannel, status: RemoteStatus, part: Sequence[Outgoing], ready: Ready) -> None:
        if not status.is_complete:
            # Kept first: the worker may be killed while it waits.
            follow_later(self.claim, status.id)
        final = self.final(status)
        self.tally.is_pending = final is None
        if final is not None:
            refused = self.not_there(channel, refused_of(final, part))
            self._settle(channel, part, refused, ready)

    def _settle(self, channel: PeerChannel, part: Sequence[Outgoing], refused: Refused, ready: Ready) -> None:
        """What became of an envelope, and the place after it, at once."""
        upto, given = _end_of(part, ready), len(part) - len(refused)
        # Of a range that was begun in an earlier run nobody has looked beyond its end.
        self.tally.more = ready.more or upto != ready.upto or channel.pending_upto is not None
        with writing():
            versions = versions_behind(channel, [each for each, _ in refused])
            note_refused(channel, [(versions.get(each.seq, 0), each.stix_id, reason) for each, reason in refused])
            advance(self.claim, upto=upto, given=given, more=self.tally.more)
        self.tally.moved += given
        self.tally.refused += len(refused)
        if part:
            self.tally.envelopes += 1
            self.on_envelope(given, len(refused))

    def _room_there(self) -> int:
        """Bytes of an envelope that the peer takes; what it does not say, its refusals do."""
        if not self._room:
            most = self.root.describe().max_content_length
            self._room = MAX_BYTES if most is None else min(most, MAX_BYTES)
        return self._room


def _is_about_content(error: PeerError, channel: PeerChannel, tally: Tally) -> bool:
    """Whether it may be one of the objects that the peer does not take: it says so, or stumbles over it again, or has
    just taken others."""
    if error.fault is PeerFault.SERVER_ERROR:
        return tally.moved > 0 or channel.failures > 0
    return error.fault in (PeerFault.TOO_LARGE, PeerFault.REJECTED)


def _end_of(part: Sequence[Outgoing], ready: Ready) -> int:
    """The place after these: of all that is ready, the end of what was looked at."""
    return ready.upto if len(part) == len(ready.objects) else part[-1].seq
