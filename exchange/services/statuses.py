"""Status resources of posted envelopes (TAXII 2.1 section 4.3): counts and lists always agree."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from exchange.models import PublishingStatus
from exchange.services.clock import now
from exchange.services.database import execute
from exchange.services.errors import ExchangeError, NotFoundError
from exchange.services.principals import Principal
from exchange.services.publishing import Outcome, OutcomeStatus
from exchange.stix.errors import StixError

KEPT_FOR = timedelta(hours=24)
"""TAXII 2.1 section 4.3: a server should keep a status for at least 24 h after it is complete."""


# A hot path: every post over TAXII writes one.
_INSERT = """
INSERT INTO status (id, lab_id, requested_at, completed_at, total_count, successes, failures, pendings)
VALUES (%(id)s, %(lab)s, %(requested_at)s, %(completed_at)s, %(total_count)s, %(successes)s, %(failures)s, '[]')
"""


def record_status(*, principal: Principal, outcomes: Sequence[Outcome], requested_at: datetime) -> PublishingStatus:
    """Keep what became of an envelope; complete at once, because publishing was."""
    if principal.lab_id is None:
        raise NotFoundError("only labs have statuses")
    status = PublishingStatus(
        lab_id=principal.lab_id,
        requested_at=requested_at,
        completed_at=now(),
        total_count=len(outcomes),
        successes=[_detail(each) for each in outcomes if each.status is not OutcomeStatus.FAILED],
        failures=[_detail(each) for each in outcomes if each.status is OutcomeStatus.FAILED],
    )
    execute(
        _INSERT,
        {
            "id": status.id,
            "lab": status.lab_id,
            "requested_at": status.requested_at,
            "completed_at": status.completed_at,
            "total_count": status.total_count,
            "successes": Jsonb(status.successes),
            "failures": Jsonb(status.failures),
        },
    )
    return status


def find_status(*, principal: Principal, status_id: str) -> PublishingStatus:
    """The status, for the lab that posted alone.

    Raises:
        NotFoundError: unknown, expired, or another lab's: they look the same.
    """
    try:
        wanted = uuid.UUID(status_id)
    except ValueError:
        raise NotFoundError("there is no such status", code="status-not-found") from None
    found = None
    if principal.lab_id is not None:
        found = PublishingStatus.objects.filter(pk=wanted, lab=principal.lab_id).first()
    if found is None:
        raise NotFoundError("there is no such status", code="status-not-found")
    return found


def purge_statuses(moment: datetime | None = None) -> int:
    """Remove statuses complete for longer than `KEPT_FOR` at `moment` (aware, default now); answers how many."""
    return PublishingStatus.objects.filter(completed_at__lt=(moment or now()) - KEPT_FOR).delete()[0]


def _detail(outcome: Outcome) -> dict[str, str]:
    """A status-details resource; an object without a usable id or version is named by its place."""
    detail = {"id": outcome.id or f"object at index {outcome.index}", "version": outcome.version or "unknown"}
    if outcome.error is not None:
        detail["message"] = _message(outcome.error)
    elif outcome.status is not OutcomeStatus.STORED:
        detail["message"] = str(outcome.status)
    return detail


def _message(error: ExchangeError | StixError) -> str:
    text = error.detail if isinstance(error, ExchangeError) else error.message
    where = f"{error.pointer}: " if error.pointer else ""
    return f"{where}{text} [{error.code}]"
