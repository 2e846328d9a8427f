"""Which worker works on which channel: one at a time, by a claim that ends by itself when the worker dies.

At most one channel of a peer is claimed at once: a peer that is slow keeps one worker, and is not asked from all sides.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exchange.models import PeerChannel
from exchange.services.database import execute

CLAIM_S: Final = 90
"""Longer than one request and the storing of its page take together (exchange/sync/pulling/pull.py): so long a channel
waits whose worker was killed."""

MAX_CLAIMED: Final = 200

_CLAIM: Final = """
WITH due AS (
    SELECT DISTINCT ON (c.peer_id) c.id
    FROM peer_channel c JOIN peer p ON p.id = c.peer_id AND p.state = 'active'
    JOIN lab l ON l.id = p.lab_id AND l.status = 'active'
    WHERE {condition}
      AND NOT EXISTS (SELECT FROM peer_channel other WHERE other.peer_id = c.peer_id
                      AND other.claimed_until > clock_timestamp())
    ORDER BY c.peer_id, c.next_attempt_at, c.id LIMIT %(most)s
), free AS (
    SELECT id FROM peer_channel WHERE id IN (SELECT id FROM due)
      AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
    FOR UPDATE SKIP LOCKED
)
UPDATE peer_channel c SET claim = gen_random_uuid(), claimed_until = clock_timestamp() + %(life)s * interval '1 second',
                        hinted = false
FROM free WHERE c.id = free.id RETURNING c.id, c.claim, c.direction
"""
# A channel that pushes is due when there may be something to push, or an envelope on its way, or an errand.
_CLAIM_DUE: Final = _CLAIM.format(
    condition="""c.next_attempt_at <= clock_timestamp() AND (%(peer)s::text = '' OR l.slug = %(peer)s)
      AND (c.direction = 'pull' OR c.pending_upto IS NOT NULL
           OR c.last_seq < (SELECT last_seq FROM sequencer WHERE id = 1)
           OR EXISTS (SELECT FROM peer_errand d WHERE d.channel_id = c.id AND d.next_attempt_at <= clock_timestamp()))
"""
)
_CLAIM_THESE: Final = _CLAIM.format(condition="c.id = ANY (%(ids)s)")

_RENEW: Final = """
UPDATE peer_channel SET claimed_until = clock_timestamp() + %(life)s * interval '1 second'
WHERE id = %(id)s AND claim = %(claim)s AND claimed_until > clock_timestamp()
  AND EXISTS (SELECT FROM peer p JOIN lab l ON l.id = p.lab_id
              WHERE p.id = peer_channel.peer_id AND p.state = 'active' AND l.status = 'active')
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class ChannelClaim:
    """The right to work on one channel, which pulls or pushes. It is no secret."""

    channel_id: int
    claim: uuid.UUID
    direction: str = PeerChannel.Direction.PULL


def claim_due_channels(slug: str = "", *, most: int = MAX_CLAIMED) -> list[ChannelClaim]:
    """Claim the channels whose time has come, of all peers or of one; at most one of each peer.

    most: who works on them one after another claims one at a time, for a claim is over soon.
    """
    return _claimed(_CLAIM_DUE, most, peer=slug)


def claim_channels(ids: Sequence[int], *, most: int = MAX_CLAIMED) -> list[ChannelClaim]:
    """Claim these channels whether their time has come or not; at most one of each peer, and none that is at work."""
    return _claimed(_CLAIM_THESE, most, ids=list(ids))


def renew_claim(claim: ChannelClaim) -> bool:
    """Keep a claim, as each step of the work does first; False if it is over or another's, or the peer was stopped.

    So a task that runs twice, or a worker that was asleep, does nothing.
    """
    params = {"id": claim.channel_id, "claim": claim.claim, "life": CLAIM_S}
    return execute(_RENEW, params).fetchone() is not None


def release_channel(claim: ChannelClaim) -> None:
    """Give it back, if it is still held: the peer's next channel has its turn."""
    PeerChannel.objects.filter(pk=claim.channel_id, claim=claim.claim).update(claim=None, claimed_until=None)


def _claimed(query: str, most: int, **which: object) -> list[ChannelClaim]:
    params = {"life": CLAIM_S, "most": most, **which}
    return [ChannelClaim(*row) for row in execute(query, params, prepare=False).fetchall()]
