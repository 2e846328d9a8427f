"""Status resources of posted envelopes (TAXII 2.1 section 4.3): counts and lists always agree.

A status is complete at once where publishing was. One that is pending keeps a part for each batch (services/staging),
and its own lists when it is complete.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.types.json import Jsonb

from exchange.models import PublishingStatus
from exchange.services.clock import now
from exchange.services.database import execute, snapshot
from exchange.services.errors import ExchangeError, NotFoundError
from exchange.services.principals import Principal
from exchange.services.publishing import Outcome, OutcomeStatus
from exchange.stix.errors import StixError

KEPT_FOR = timedelta(hours=24)
"""TAXII 2.1 section 4.3: a server should keep a status for at least 24 h after it is complete."""

MAX_LISTED_PENDING: Final = 10_000
"""Clients ask every second while a status is pending: of more objects than this it then counts successes and pendings,
and lists the failures alone. Complete, it lists everything."""

MAX_WARNINGS: Final = 5
"""Of one object, in its message: an envelope has thousands of objects, and its status lists each."""

Details = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A status as its lab reads it. A list is None where it would be too long; else its length is the count."""

    id: uuid.UUID
    requested_at: datetime
    is_complete: bool
    success_count: int
    failure_count: int
    pending_count: int
    successes: Details | None
    failures: Details | None
    pendings: Details | None


# A hot path: every post over TAXII writes one.
_INSERT = """
INSERT INTO status (id, lab_id, requested_at, completed_at, total_count, successes, failures, pendings)
VALUES (%(id)s, %(lab)s, %(requested_at)s, %(completed_at)s, %(total_count)s, %(successes)s, %(failures)s, '[]')
"""


def record_status(*, principal: Principal, outcomes: Sequence[Outcome], requested_at: datetime) -> StatusReport:
    """Keep what became of an envelope; complete at once, because publishing was."""
    if principal.lab_id is None:
        raise NotFoundError("only labs have statuses")
    status = PublishingStatus(
        lab_id=principal.lab_id,
        requested_at=requested_at,
        completed_at=now(),
        total_count=len(outcomes),
        successes=[detail_of(each) for each in outcomes if each.status is not OutcomeStatus.FAILED],
        failures=[detail_of(each) for each in outcomes if each.status is OutcomeStatus.FAILED],
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
    return _listed(status, status.successes, status.failures, status.pendings)


def find_status(*, principal: Principal, status_id: str) -> StatusReport:
    """The status, for the lab that posted alone.

    Raises:
        NotFoundError: unknown, expired, or another lab's: they look the same.
    """
    try:
        wanted = uuid.UUID(status_id)
    except ValueError:
        raise NotFoundError("there is no such status", code="status-not-found") from None
    with snapshot():
        found = None
        if principal.lab_id is not None:
            found = PublishingStatus.objects.filter(pk=wanted, lab=principal.lab_id).first()
        if found is None:
            raise NotFoundError("there is no such status", code="status-not-found")
        return report_of(found)


def report_of(status: PublishingStatus) -> StatusReport:
    """The status as it is now; of one that is pending, together with its parts."""
    if status.completed_at is not None:
        return _listed(status, status.successes, status.failures, status.pendings)
    if status.total_count > MAX_LISTED_PENDING:
        return _counted(status)
    parts = execute(_PARTS, {"status": status.id}).fetchall()
    successes, failures, pendings = (_in_order(row[column] for row in parts) for column in range(3))
    return _listed(status, status.successes + successes, status.failures + failures, status.pendings + pendings)


def complete_status(status_id: uuid.UUID) -> None:
    """Give a status whose parts are all done its lists, and the time from which it is kept for `KEPT_FOR`.

    The caller is inside a transaction.
    """
    parts = execute(_PARTS, {"status": status_id}).fetchall()
    PublishingStatus.objects.filter(pk=status_id).update(
        completed_at=now(),
        successes=_in_order(row[0] for row in parts),
        failures=_in_order(row[1] for row in parts),
    )
    execute("DELETE FROM status_part WHERE status_id = %(status)s", {"status": status_id})


def purge_statuses(moment: datetime | None = None) -> int:
    """Remove statuses complete for longer than `KEPT_FOR` at `moment` (aware, default now); answers how many."""
    return PublishingStatus.objects.filter(completed_at__lt=(moment or now()) - KEPT_FOR).delete()[0]


def detail_of(outcome: Outcome) -> dict[str, str]:
    """A status-details resource; an object without a usable id or version is named by its place."""
    detail = {"id": outcome.id or f"object at index {outcome.index}", "version": outcome.version or "unknown"}
    if outcome.error is not None:
        detail["message"] = _message(outcome.error)
        return detail
    said = [] if outcome.status is OutcomeStatus.STORED else [str(outcome.status)]
    said += [
        f"{where}: {text} [{code}]" if where else f"{text} [{code}]" for code, where, text in _warnings_of(outcome)
    ]
    if said:
        detail["message"] = "; ".join(said)
    return detail


def _warnings_of(outcome: Outcome) -> Sequence[tuple[str, str, str]]:
    """The first of them: REST answers with all."""
    return outcome.warnings[:MAX_WARNINGS]


_PARTS = "SELECT successes, failures, pendings FROM status_part WHERE status_id = %(status)s"
_COUNTS = """
SELECT coalesce(sum(jsonb_array_length(successes)), 0)::int, coalesce(sum(jsonb_array_length(failures)), 0)::int,
       coalesce(sum(jsonb_array_length(pendings)), 0)::int FROM status_part WHERE status_id = %(status)s
"""
_FAILURES = "SELECT failures FROM status_part WHERE status_id = %(status)s AND failures <> '[]'"


def _listed(status: PublishingStatus, successes: Details, failures: Details, pendings: Details) -> StatusReport:
    return StatusReport(
        id=status.id,
        requested_at=status.requested_at,
        is_complete=status.completed_at is not None,
        success_count=len(successes),
        failure_count=len(failures),
        pending_count=len(pendings),
        successes=successes,
        failures=failures,
        pendings=pendings,
    )


def _counted(status: PublishingStatus) -> StatusReport:
    values = {"status": status.id}
    counts = execute(_COUNTS, values).fetchone() or (0, 0, 0)
    failures = _in_order(row[0] for row in execute(_FAILURES, values).fetchall())
    return StatusReport(
        id=status.id,
        requested_at=status.requested_at,
        is_complete=False,
        success_count=counts[0],
        failure_count=counts[1],
        pending_count=counts[2],
        successes=None,
        failures=failures,
        pendings=None,
    )


def _in_order(parts: Iterable[list[tuple[int, dict[str, str]]]]) -> Details:
    """The details of all parts as the objects were sent."""
    return [detail for _, detail in sorted((pair for part in parts for pair in part), key=lambda pair: pair[0])]


def _message(error: ExchangeError | StixError) -> str:
    text = error.detail if isinstance(error, ExchangeError) else error.message
    where = f"{error.pointer}: " if error.pointer else ""
    return f"{where}{text} [{error.code}]"
