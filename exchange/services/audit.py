"""Writes the audit log. Details are small facts (counts, names of fields); never content, never a secret."""

from __future__ import annotations

from typing import Any

from exchange.models import AuditEvent
from exchange.services.clock import now
from exchange.services.principals import Principal


def record_event(actor: Principal, action: str, subject: str = "", **detail: Any) -> None:
    """Add one event, in the caller's transaction: an act and its record commit together."""
    AuditEvent.objects.create(
        at=now(), actor=str(actor), lab_id=actor.lab_id, action=action, subject=subject, detail=detail
    )
