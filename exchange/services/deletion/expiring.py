"""Retention: whole objects whose newest version came longer ago than their collection keeps leave it.

Age is no withdrawal: nobody gets a note. A name and tombstones remain, so that nothing comes back, revoked or not.
Identities, markings, extension definitions and what the node itself says stay. References keep nothing: an object that
outlived its time would tell readers that something which they may not see refers to it. Nor does an older version that
waits for its marking; a newer one does, and while it waits nobody but its producer reads the object.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from exchange.models import StixObject
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import execute, writing
from exchange.services.deletion import rows
from exchange.services.principals import OPERATOR
from exchange.services.storing import retrying

BATCH: Final = 100
"""Objects in one transaction, which holds the sequencer: publishers wait for it."""

MAX_BATCHES: Final = 100
"""Batches of one run; what is left goes at the next one."""

_STAYING_TYPES: Final = ["identity", "marking-definition", "extension-definition"]
_DUE: Final = """
FROM object o
JOIN collection c ON c.id = o.home_collection_id AND c.retention_days IS NOT NULL
JOIN version v ON v.id = o.newest_version_id
JOIN lab l ON l.id = o.producer_id AND NOT l.is_self
WHERE v.received_at < %(moment)s - c.retention_days * interval '1 day' AND NOT o.type = ANY (%(staying)s)
  AND NOT EXISTS (SELECT FROM held h
                  JOIN version_key waiting ON waiting.version_id = h.version_id
                  JOIN version_key newest ON newest.version_id = o.newest_version_id
                  WHERE h.object_id = o.id AND waiting.version_key > newest.version_key
                    AND h.held_since >= %(moment)s - c.retention_days * interval '1 day')
"""
_COUNT: Final = f"SELECT count(*) {_DUE}"
# In the order of publishers. What one of them has locked is being changed, and waits for the next run.
_LOCK: Final = f"""
SELECT o.id {_DUE} ORDER BY o.producer_id, o.stix_id LIMIT %(limit)s FOR UPDATE OF o SKIP LOCKED
"""


def count_due(moment: datetime | None = None) -> int:
    """How many objects would leave now."""
    with writing():
        found = execute(_COUNT, {"moment": moment or now(), "staying": _STAYING_TYPES}).fetchall()
    return int(found[0][0])


def expire_objects(moment: datetime | None = None) -> int:
    """Remove what is older than its collection keeps, in short transactions; answers how many objects left.

    moment: when that is (aware, default now). A run that is killed has done whole batches; the next goes on.
    """
    at = moment or now()
    total = 0
    for _ in range(MAX_BATCHES):
        expired = retrying(lambda: _expire_batch(at))
        total += expired
        if expired < BATCH:
            break
    return total


def _expire_batch(moment: datetime) -> int:
    with writing():
        params = {"moment": moment, "staying": _STAYING_TYPES, "limit": BATCH}
        ids = [row[0] for row in execute(_LOCK, params).fetchall()]
        due = StixObject.objects.select_related("producer").filter(id__in=ids).order_by("producer_id", "stix_id")
        for found in due:
            seq = rows.log_deletion(found, found.producer.identity_id or "", moment)
            rows.remove_object(found, seq, moment, state=StixObject.State.EXPIRED)
        if ids:
            record_event(OPERATOR, "objects-expired", objects=len(ids))
    return len(ids)
