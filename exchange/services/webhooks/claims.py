"""Which worker delivers to which hook: one at a time, by a claim that ends by itself when the worker dies.

At most one hook of a lab is claimed at once, so that slow targets of one lab do not keep all workers.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from exchange.models import Webhook
from exchange.services.database import execute

CLAIM_S: Final = 90
"""Longer than resolving, reading and one POST take together (exchange/sync/outbound.py)."""

MAX_CLAIMED: Final = 200

_CLAIM_DUE: Final = """
WITH due AS (
    SELECT DISTINCT ON (w.lab_id) w.id
    FROM webhook w JOIN lab l ON l.id = w.lab_id AND l.status = 'active'
    WHERE w.state = 'active' AND w.next_attempt_at <= clock_timestamp()
      AND w.watermark < (SELECT last_seq FROM sequencer WHERE id = 1)
      AND NOT EXISTS (SELECT FROM webhook other WHERE other.lab_id = w.lab_id
                      AND other.claimed_until > clock_timestamp())
    ORDER BY w.lab_id, w.next_attempt_at, w.id LIMIT %(most)s
), free AS (
    SELECT id FROM webhook WHERE id IN (SELECT id FROM due)
      AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
    FOR UPDATE SKIP LOCKED
)
UPDATE webhook w SET claim = gen_random_uuid(), claimed_until = clock_timestamp() + %(life)s * interval '1 second'
FROM free WHERE w.id = free.id RETURNING w.id, w.claim
"""
_TAKE: Final = """
UPDATE webhook SET claim = gen_random_uuid(), claimed_until = clock_timestamp() + %(life)s * interval '1 second'
WHERE id = %(id)s AND claim = %(claim)s AND claimed_until > clock_timestamp() AND state = 'active'
RETURNING id, claim
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to deliver to one hook. It is no secret."""

    hook_id: int
    claim: uuid.UUID


def claim_due() -> list[Claim]:
    """Claim the hooks for which something may be there, at most one for each lab."""
    rows = execute(_CLAIM_DUE, {"life": CLAIM_S, "most": MAX_CLAIMED}, prepare=False).fetchall()
    return [Claim(*row) for row in rows]


def take_claim(claim: Claim) -> Claim | None:
    """Exchange a claim for a fresh one, as each step of the work does first; None if it is over or taken.

    So a task that runs twice, or a worker that was asleep, does nothing.
    """
    row = execute(_TAKE, {"id": claim.hook_id, "claim": claim.claim, "life": CLAIM_S}).fetchone()
    return Claim(*row) if row is not None else None


def release_claim(claim: Claim) -> None:
    """Give it back, if it is still held: the lab's next hook has its turn."""
    Webhook.objects.filter(pk=claim.hook_id, claim=claim.claim).update(claim=None, claimed_until=None)
