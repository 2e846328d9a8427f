"""Stores prepared versions of one producer at once, and begins transactions again that lost a race."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import OperationalError
from psycopg import errors as pg_errors

from exchange.services.errors import NotReadyError
from exchange.services.storing.batch import Batch, RaceError
from exchange.services.storing.prepared import AudienceChange, PreparedVersion, StoreResult

MAX_TRIES = 5
"""Tries of a transaction that lost a race for the same new object, or met a deadlock. Each loser sees the winner's
rows at its next try, so more than two are needed only under heavy contention for one object."""

T = TypeVar("T")


def retrying(transaction: Callable[[], T]) -> T:
    """Run a whole transaction, again if it lost a race.

    Raises:
        NotReadyError: it lost `MAX_TRIES` times.
    """
    for _ in range(MAX_TRIES):
        try:
            return transaction()
        except RaceError:
            continue
        except OperationalError as error:
            if not isinstance(error.__cause__, pg_errors.DeadlockDetected):
                raise
    raise NotReadyError("the objects are being written by many at once; try again", code="contention")


def store_versions(
    producer_id: int, versions: Sequence[PreparedVersion]
) -> tuple[list[StoreResult], list[AudienceChange]]:
    """Store the versions, in their order, and give them their places, inside the caller's `writing()` transaction.

    Answers a result per version, and the objects whose readers changed.

    Raises:
        RaceError: begin the transaction again (`retrying` does).
    """
    batch = Batch()
    answer = batch.store([(producer_id, version) for version in versions])
    batch.place()
    return answer
