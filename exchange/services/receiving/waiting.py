"""What waits in quarantine and may be taken by now: whose turn it is, and what becomes of those that were judged again.

No peer keeps another's objects from their turn: each has as many as the others in a run, those first that were never
judged again or were so longest ago. What fails again waits twice as long each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from exchange.models import QuarantinedObject
from exchange.services.database import execute
from exchange.services.receiving.quarantining import MAX_REASON_CHARS, detail_of
from exchange.services.receiving.receipt import Fate, Judged

MAX_OF_A_PEER: Final = 500
MAX_AT_ONCE: Final = 2_000
"""Objects of one round: some seconds of work. What is left goes at the next one."""

# Kept for want of a pin or a key that is here now.
_READY: Final = """
SELECT due.id
FROM peer p
JOIN lab l ON l.id = p.lab_id AND l.status = 'active'
CROSS JOIN LATERAL (
    SELECT q.id, q.judged_at, row_number() OVER (ORDER BY q.judged_at NULLS FIRST, q.id) AS turn
    FROM quarantine q
    WHERE q.peer_id = p.id AND q.state = 'waiting'
      AND (q.judged_at IS NULL
           OR q.judged_at < %(moment)s - least(interval '1 minute' * 2 ^ q.judgings, interval '1 day'))
      AND (
        (q.reason IN ('lab-unknown', 'chain-unpinned') AND EXISTS (SELECT FROM pin WHERE pin.thumbprint = q.kid))
        OR (q.reason = 'signature-key-unknown'
            AND EXISTS (SELECT FROM signing_key k WHERE k.kid = q.kid AND k.nbf > 0))
        OR (q.reason = 'lab-suspended' AND EXISTS (SELECT FROM signing_key k JOIN lab s ON s.id = k.lab_id
                                                   WHERE k.kid = q.kid AND s.status = 'active')))
    ORDER BY q.judged_at NULLS FIRST, q.id LIMIT %(most)s
) due
WHERE p.state = 'active'
ORDER BY due.turn, due.judged_at NULLS FIRST, due.id LIMIT %(limit)s
"""


def find_ready(moment: datetime) -> list[int]:
    """Numbers of what is judged in this round. The caller is inside `writing()`."""
    params = {"moment": moment, "most": MAX_OF_A_PEER, "limit": MAX_AT_ONCE}
    return [row[0] for row in execute(_READY, params, prepare=False).fetchall()]


_SETTLE: Final = """
UPDATE quarantine q
SET state = n.state, reason = coalesce(n.reason, q.reason), detail = coalesce(n.detail, q.detail),
    body = CASE WHEN n.state = 'waiting' THEN q.body ELSE '' END,
    decided_at = CASE WHEN n.state = 'waiting' THEN q.decided_at ELSE %(at)s END,
    decided_by = CASE WHEN n.state = 'waiting' THEN q.decided_by ELSE %(by)s END,
    judged_at = %(at)s, judgings = least(q.judgings + 1, %(most)s)
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(details)s::text[])
     AS n (id, state, reason, detail)
WHERE q.id = n.id
"""
_MOST_JUDGINGS: Final = 30


def settle(answers: Iterable[tuple[int, Judged]], by: str, moment: datetime) -> None:
    """Write what became of rows that are locked: taken, no longer wanted, or waiting for another reason."""
    rows = list(answers)
    if not rows:
        return
    errors = [answer.error for _, answer in rows]
    params: dict[str, Any] = {
        "ids": [number for number, _ in rows],
        "states": [str(_state_after(answer)) for _, answer in rows],
        "reasons": [None if error is None else error.code[:MAX_REASON_CHARS] for error in errors],
        "details": [None if error is None else detail_of(error) for error in errors],
        "by": by,
        "at": moment,
        "most": _MOST_JUDGINGS,
    }
    execute(_SETTLE, params, prepare=False)


def _state_after(answer: Judged) -> QuarantinedObject.State:
    if answer.fate is Fate.QUARANTINED:
        return QuarantinedObject.State.WAITING
    # What was deleted since must not be kept here either.
    return QuarantinedObject.State.DROPPED if answer.fate is Fate.REFUSED else QuarantinedObject.State.RELEASED


def lock_waiting(numbers: Sequence[int]) -> set[int]:
    """Lock these rows; answers those that still wait."""
    rows = QuarantinedObject.objects.select_for_update(of=("self",), no_key=True)
    waiting = rows.filter(pk__in=list(numbers), state=QuarantinedObject.State.WAITING).order_by("pk")
    return set(waiting.values_list("pk", flat=True))
