"""Removes what is kept for a time only, and makes room for what comes. Intelligence is never removed here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db import connection, transaction

from exchange.models import IdempotentRequest, PublishingStatus
from exchange.services.clock import now

KEEP_ANSWERS = timedelta(hours=24)
"""Idempotency-Key is honoured for 24 h; a status is kept as long after it is complete (TAXII 2.1 section 4.3)."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows went."""

    answers: int
    statuses: int
    sessions: int


def purge_expired(moment: datetime | None = None) -> Purged:
    """Remove answers, statuses and web sessions whose time is over at `moment` (aware, default now)."""
    moment = moment or now()
    limit = moment - KEEP_ANSWERS
    with transaction.atomic():
        answers, _ = IdempotentRequest.objects.filter(created_at__lt=limit).delete()
        statuses, _ = PublishingStatus.objects.filter(completed_at__lt=limit).delete()
        sessions, _ = Session.objects.filter(expire_date__lt=moment).delete()
    return Purged(answers, statuses, sessions)


def ensure_partitions() -> int:
    """Keep a spare partition ahead of each growing table; answers how many were made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ensure_partitions()")
        return int(cursor.fetchone()[0])
