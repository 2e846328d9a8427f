"""How channels to peers are doing: what the last runs came to, when the next one is, and the circuit.

After `OPEN_AFTER` failures in a row a channel's circuit is open: the peer is asked now and then whether it is back, and
one answer closes it. Each change holds only while the claim does. Reasons are codes; nothing of what a peer said is
kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from exchange.models import Lab, Peer, PeerChannel
from exchange.services import counters
from exchange.services.clock import now
from exchange.services.database import execute
from exchange.services.pausing import growing_pause_s, spread_s
from exchange.services.peers.claims import ChannelClaim
from exchange.services.sequencer import last_number

OPEN_AFTER: Final = 5
LONGEST_PAUSE_S: Final = 1_800.0


class Circuit(StrEnum):
    """closed: asked at its interval. open: not asked until its pause is over. probing: asked once, to see."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """What operators see of a channel.

    behind: 0 if nothing is left. Of a pull None while the peer has more: TAXII does not say how much. Of a push the
    numbers of the sequence that it has yet to pass, whether what stands there is for the peer or not.
    behind_s: seconds since which the peer had more than was taken, 0 if nothing is left.
    rate: objects a second of the last run that moved any. last_failure: a code, "" if the last run went well.
    """

    number: int
    peer: str
    state: str
    direction: str
    remote_collection: str
    collection: str
    circuit: Circuit
    failures: int
    last_failure: str
    last_run: datetime | None
    last_success: datetime | None
    next_attempt: datetime
    watermark: str
    behind: int | None
    behind_s: float
    moved: int
    rate: float


# In one statement: peers that have nothing new are asked all day long.
_SETTLE: Final = """
UPDATE peer_channel
SET failures = 0, failing_since = NULL, last_failure = '', last_run_at = %(at)s, last_success_at = %(at)s,
    -- What the peer spoke of may have come after the last page.
    next_attempt_at = CASE WHEN hinted THEN %(at)s
                           ELSE %(at)s + coalesce(%(pause)s, interval_s * %(spread)s) * interval '1 second' END,
    moved_last_run = CASE WHEN %(moved)s > 0 THEN %(moved)s ELSE moved_last_run END,
    seconds_last_run = CASE WHEN %(moved)s > 0 THEN %(seconds)s ELSE seconds_last_run END,
    claim = NULL, claimed_until = NULL
WHERE id = %(id)s AND claim = %(claim)s AND claimed_until > %(at)s
"""


def settle_run(claim: ChannelClaim, *, moved: int, seconds: float, more: bool, pause_s: float | None = None) -> None:
    """A run ended well: the next one is after the interval, or at once if there is more or the peer has said so.

    The claim is given back. moved: objects taken or given in it, `seconds` its time. pause_s: another pause than the
    interval.
    """
    counters.PEER_RUNS.labels("done").inc()
    params = {
        "at": now(),
        "pause": 0.0 if more and pause_s is None else pause_s,
        "spread": spread_s(1.0),
        "moved": moved,
        "seconds": seconds,
        "id": claim.channel_id,
        "claim": claim.claim,
    }
    execute(_SETTLE, params)


def settle_trouble(claim: ChannelClaim, *, code: str, retry_after_s: int | None = None) -> None:
    """A run came to nothing: it is tried again later each time, and not before the peer wants to be asked.

    The claim is given back.
    """
    moment = now()
    held = PeerChannel.objects.filter(pk=claim.channel_id, claim=claim.claim, claimed_until__gt=moment)
    channel = held.first()
    if channel is None:
        return
    failures = channel.failures + 1
    pause = max(pause_s(failures, channel.interval_s), float(retry_after_s or 0))
    counters.PEER_RUNS.labels("failed").inc()
    held.update(
        failures=failures,
        failing_since=channel.failing_since or moment,
        last_failure_at=moment,
        last_failure=code,
        last_run_at=moment,
        next_attempt_at=moment + timedelta(seconds=pause),
        claim=None,
        claimed_until=None,
    )


def pause_s(failures: int, interval_s: int) -> float:
    """Seconds until the run after so many failures in a row: the interval, doubled each time, and spread."""
    return growing_pause_s(failures, first_s=interval_s, longest_s=max(LONGEST_PAUSE_S, interval_s))


def circuit_of(channel: PeerChannel, moment: datetime) -> Circuit:
    """Whether a channel is asked, by what its last runs came to."""
    if channel.failures < OPEN_AFTER:
        return Circuit.CLOSED
    return Circuit.OPEN if channel.next_attempt_at > moment else Circuit.PROBING


def channels_health(slug: str = "") -> list[ChannelHealth]:
    """Every channel, or those of one peer, by peer and number. Two queries."""
    channels = PeerChannel.objects.select_related("peer__lab", "collection").order_by("peer__lab__slug", "pk")
    if slug:
        channels = channels.filter(peer__lab__slug=slug)
    newest = last_number()
    return [_health(channel, newest) for channel in channels]


def channel_health(channel: PeerChannel) -> ChannelHealth:
    """How one channel is doing; its peer, the peer's lab and the collection are read with it."""
    return _health(channel, last_number())


def _health(channel: PeerChannel, newest: int) -> ChannelHealth:
    moment = now()
    is_on = channel.peer.state == Peer.State.ACTIVE and channel.peer.lab.status == Lab.Status.ACTIVE
    is_pull = channel.direction == PeerChannel.Direction.PULL
    return ChannelHealth(
        number=channel.pk,
        peer=channel.peer.lab.slug,
        state="active" if is_on else "paused",
        direction=channel.direction,
        remote_collection=channel.remote_collection,
        collection=channel.collection.alias,
        circuit=circuit_of(channel, moment),
        failures=channel.failures,
        last_failure=channel.last_failure,
        last_run=channel.last_run_at,
        last_success=channel.last_success_at,
        next_attempt=channel.next_attempt_at,
        watermark=(channel.last_date or channel.added_after) if is_pull else str(channel.last_seq),
        behind=(None if channel.behind_since else 0) if is_pull else max(0, newest - channel.last_seq),
        behind_s=(moment - channel.behind_since).total_seconds() if channel.behind_since else 0.0,
        moved=channel.moved,
        rate=channel.moved_last_run / channel.seconds_last_run if channel.seconds_last_run else 0.0,
    )
