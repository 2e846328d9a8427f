"""Removes what is kept for a time only, and makes room for what comes. Intelligence is never removed here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import connection, transaction

from exchange.models import IdempotentRequest
from exchange.services.changes import purge_changes
from exchange.services.clock import now
from exchange.services.idempotency import KEPT_FOR as ANSWERS_KEPT_FOR
from exchange.services.quarantine import purge_decided
from exchange.services.staging import purge_abandoned
from exchange.services.statuses import purge_statuses


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went."""

    answers: int
    statuses: int
    sessions: int
    changes: int
    envelopes: int
    quarantined: int


def purge_expired(moment: datetime | None = None) -> Purged:
    """Remove what is kept for a time only, once that is over: each kind as `Purged` names them.

    moment: when that is (aware, default now).
    """
    moment = moment or now()
    with transaction.atomic():
        answers, _ = IdempotentRequest.objects.filter(created_at__lt=moment - ANSWERS_KEPT_FOR).delete()
        statuses = purge_statuses(moment)
        sessions, _ = Session.objects.filter(expire_date__lt=moment).delete()
        changes = purge_changes(moment)
    return Purged(answers, statuses, sessions, changes, purge_abandoned(moment), purge_decided(moment))


def ensure_partitions() -> int:
    """Keep a spare partition ahead of each growing table; answers how many were made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ensure_partitions()")
        return int(cursor.fetchone()[0])
