"""How much may wait for the workers: of one lab, and altogether. Caller holds `lock_room`."""

from __future__ import annotations

import uuid
from typing import Final

from exchange.services.database import execute
from exchange.services.errors import NotReadyError, TooLargeError

MAX_PENDING_PER_LAB: Final = 8
"""Envelopes of one lab, those still arriving among them. Workers take turns among envelopes: this bounds its share."""

MAX_STAGED_BYTES_PER_LAB: Final = 1024**3
"""Twenty envelopes of the usual limit, or one of the largest that makes sense for an operator to allow."""

MAX_STAGED_BYTES: Final = 4 * 1024**3
"""Of all labs: room on disk that no member can take beyond this."""

_USED = """
SELECT count(*) FILTER (WHERE lab_id = %(lab)s), coalesce(sum(octets) FILTER (WHERE lab_id = %(lab)s), 0)::bigint,
       coalesce(sum(octets), 0)::bigint
FROM staged_envelope WHERE status_id <> %(status)s
"""


def lock_room(lab_id: int) -> None:
    """Until the transaction ends no other envelope of the lab takes room, so that a count stays true."""
    execute("SELECT pg_advisory_xact_lock(hashtext('commonwatch.staging'), %(lab)s::int)", {"lab": lab_id})


def require_room(lab_id: int, status_id: uuid.UUID, octets: int) -> None:
    """Refuse an envelope of, so far, `octets` bytes where it does not fit beside what waits already.

    Raises:
        TooLargeError: more than a lab may have waiting at all. NotReadyError: too much waits; it may come again later.
    """
    if octets > MAX_STAGED_BYTES_PER_LAB:
        raise TooLargeError(f"at most {MAX_STAGED_BYTES_PER_LAB} bytes of a lab may wait", code="body-too-large")
    row = execute(_USED, {"lab": lab_id, "status": status_id}).fetchone()
    pending, of_lab, of_all = row or (0, 0, 0)
    if pending >= MAX_PENDING_PER_LAB:
        raise NotReadyError(
            f"{pending} envelopes of your lab are pending already; wait until one is complete", code="too-many-pending"
        )
    if of_lab + octets > MAX_STAGED_BYTES_PER_LAB or of_all + octets > MAX_STAGED_BYTES:
        raise NotReadyError("too much waits to be published; wait until some of it is", code="staging-full")
