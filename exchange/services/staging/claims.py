"""Who works on a staged envelope: one worker at a time, for a time that it renews with each batch.

Times are the database's own, so the clocks of hosts do not matter. A batch is done under the lock of the envelope's row
besides, so that not even a worker which slept through the end of its claim does a batch that another one does.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from exchange.services.database import execute, writing
from exchange.services.queue import FINISH_ENVELOPE, send_task

CLAIMED_FOR_S: Final = 60
"""Many times what a batch takes. A worker that was killed is missed after this."""

OFFERED_AGAIN_AFTER_S: Final = 300
"""What nobody has claimed after this, the queue has lost; if it had not, the second message finds nothing to do."""


@dataclass(slots=True)
class Claim:
    """One worker's right to an envelope. `tries`: claims since the last batch that was finished, this one included."""

    status_id: uuid.UUID
    token: uuid.UUID
    token_id: int
    collection_id: int
    tries: int


class ClaimLostError(Exception):
    """The claim ran out and is another worker's now, or the envelope is done. Never leaves the package."""


_CLAIM = """
UPDATE staged_envelope SET claimed_by = %(token)s, tries = tries + 1,
    claimed_until = clock_timestamp() + %(claimed)s::int * interval '1 second',
    due_at = clock_timestamp() + %(claimed)s::int * interval '1 second'
WHERE status_id = (SELECT status_id FROM staged_envelope WHERE status_id = %(status)s AND is_whole
                   AND (claimed_until IS NULL OR claimed_until <= clock_timestamp()) FOR UPDATE SKIP LOCKED)
RETURNING token_id, collection_id, tries
"""
_RENEW = """
UPDATE staged_envelope SET tries = 0,
    claimed_until = clock_timestamp() + %(claimed)s::int * interval '1 second',
    due_at = clock_timestamp() + %(claimed)s::int * interval '1 second'
WHERE status_id = %(status)s AND claimed_by = %(token)s
RETURNING status_id
"""
_RELEASE = """
UPDATE staged_envelope SET claimed_by = NULL, claimed_until = NULL,
    due_at = clock_timestamp() + %(due)s::int * interval '1 second'
WHERE status_id = %(status)s AND claimed_by = %(token)s
"""
_OFFER = """
UPDATE staged_envelope SET due_at = clock_timestamp() + %(due)s::int * interval '1 second'
WHERE status_id IN (SELECT status_id FROM staged_envelope WHERE is_whole AND due_at <= clock_timestamp()
                    AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
                    ORDER BY due_at FOR UPDATE SKIP LOCKED)
RETURNING status_id
"""


def claim_envelope(status_id: uuid.UUID) -> Claim | None:
    """Claim an envelope; None if there is none, or another worker has it."""
    token = uuid.uuid4()
    with writing():
        row = execute(_CLAIM, {"status": status_id, "token": token, "claimed": CLAIMED_FOR_S}).fetchone()
    return Claim(status_id, token, *row) if row is not None else None


def renew_claim(claim: Claim) -> None:
    """Go on for another `CLAIMED_FOR_S`, and hold the envelope's row until the caller's `writing()` ends.

    Raises:
        ClaimLostError: it is this worker's no more.
    """
    values = {"status": claim.status_id, "token": claim.token, "claimed": CLAIMED_FOR_S}
    if execute(_RENEW, values).fetchone() is None:
        raise ClaimLostError


def release_claim(claim: Claim) -> None:
    """Leave the rest to whoever comes next."""
    with writing():
        values = {"status": claim.status_id, "token": claim.token, "due": OFFERED_AGAIN_AFTER_S}
        execute(_RELEASE, values)


def offer_due_envelopes() -> int:
    """Ask workers again for what the queue lost and what a worker left in the middle; answers how many envelopes."""
    with writing():
        due = [row[0] for row in execute(_OFFER, {"due": OFFERED_AGAIN_AFTER_S}).fetchall()]
    for status_id in due:
        send_task(FINISH_ENVELOPE, str(status_id))
    return len(due)
