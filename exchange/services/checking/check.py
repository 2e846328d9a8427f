"""The order of the checks. One transaction, so that they all see one state while others write on."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from exchange.services.checking import keys, leaves, sequence, versions
from exchange.services.checking.report import Report
from exchange.services.database import writing

Progress = Callable[[str, int], None]


def check_exchange(progress: Progress | None = None) -> Report:
    """Re-verify keys, versions, audiences, the sequence and the log leaves. Changes nothing.

    progress: called with the kind of what is checked and how many were, as the work goes on.
    """
    report = Report()
    tell = progress or _silent
    with writing():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        known = keys.check_keys(report)
        versions.check_versions(report, known, tell)
        sequence.check_sequence(report)
        leaves.check_leaves(report, tell)
    return report


def _silent(kind: str, number: int) -> None:
    """Nobody watches."""
