"""What becomes of open requests by itself: granted when a version is stored that grants them, expired by age.

Storage calls `settle_granted` by its dotted path in the settings, in the transaction that stores the version: a
producer that widens an object in whatever way has granted what was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from attribution.models import OnwardRequest
from attribution.models.onward import OPEN_FOR
from attribution.onward.audiences import has_asked_for, has_lab
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import execute, writing
from exchange.services.principals import NODE
from exchange.services.sharing import AudienceRule, load_audiences
from exchange.services.storing.noticing import Newest

EXPIRED_AT_ONCE: Final = 1_000
"""Rows of one transaction; the task comes again."""

State = OnwardRequest.State

# Asked of every batch, and nearly always answered with nothing: one table, and so little to plan.
_CONCERNED: Final = """
SELECT DISTINCT object_id FROM onward_request
WHERE state = 'asked' AND object_id = ANY (%(objects)s::bigint[]) AND asked_at > %(since)s
"""
_OPEN: Final = """
SELECT r.id, r.object_id, a.identity_id, f.identity_id, v.audience_id, o.newest_audience_id
FROM onward_request r
JOIN object o ON o.id = r.object_id
JOIN version v ON v.id = o.newest_version_id
JOIN lab a ON a.id = r.asker_id
LEFT JOIN lab f ON f.id = r.for_lab_id
WHERE r.state = 'asked' AND r.object_id = ANY (%(objects)s) AND r.asked_at > %(since)s
ORDER BY r.id FOR UPDATE OF r
"""


def settle_granted(changed: Sequence[Newest]) -> None:
    """Note which open requests these newest versions grant. Inside `writing()`. One look-up for all of them
    where nobody asked for any."""
    versions = {each.object_id: each for each in changed if each.version_id is not None and not each.is_first}
    if not versions:
        return
    moment = now()
    params = {"objects": list(versions), "since": moment - OPEN_FOR}
    concerned = [row[0] for row in execute(_CONCERNED, params, prepare=False).fetchall()]
    if not concerned:
        return
    rows = execute(_OPEN, params | {"objects": concerned}, prepare=False).fetchall()
    audiences = load_audiences({audience for row in rows for audience in row[4:]})
    for row in rows:
        version = versions[row[1]]
        if _grants(row, [audiences[each] for each in row[4:]]) and not _is_revoked(version):
            _settle(row[0], version.version_text, moment)


def expire_requests(*, moment: datetime | None = None) -> int:
    """End requests that nobody settled in time; answers how many. Safe to repeat, and in several workers at once."""
    moment = moment or now()
    with writing():
        due = OnwardRequest.objects.select_for_update(skip_locked=True).filter(
            state=State.ASKED, asked_at__lte=moment - OPEN_FOR
        )
        ended = list(due.order_by("id")[:EXPIRED_AT_ONCE])
        for request in ended:
            request.state, request.settled_at = State.EXPIRED, moment
            request.save(update_fields=["state", "settled_at"])
            record_event(NODE, "onward-expired", request.stix_id, request=str(request.public_id))
    return len(ended)


def _grants(row: tuple[Any, ...], audiences: Sequence[AudienceRule]) -> bool:
    """Whom it was asked for sees it, and so does the lab that asked: what it may not see, it is told nothing about."""
    _, _, asker, for_lab, *_ = row
    return all(has_lab(each, asker) and has_asked_for(each, asker=asker, for_lab=for_lab) for each in audiences)


def _is_revoked(version: Newest) -> bool:
    return orjson.loads(version.body).get("revoked") is True


def _settle(request_id: int, version_text: str, moment: datetime) -> None:
    request = OnwardRequest.objects.get(pk=request_id)
    request.state, request.settled_at, request.granting_version = State.GRANTED, moment, version_text
    request.save(update_fields=["state", "settled_at", "granting_version"])
    record_event(NODE, "onward-granted", request.stix_id, request=str(request.public_id), version=version_text)
