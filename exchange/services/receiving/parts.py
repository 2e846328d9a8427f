"""Runs a turn of a page so that nothing of it stops the rest: what the database refuses is found and put aside."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DataError, OperationalError
from psycopg import errors as pg_errors

from exchange.services.errors import ConflictError
from exchange.services.receiving.page import Turn
from exchange.services.receiving.receipt import Fate, Judged
from exchange.services.storing import retrying

Take = Callable[[Turn], list[Judged]]
"""One try of a transaction that takes a whole turn."""

PutAside = Callable[[Turn, list[Judged]], None]
"""A transaction that keeps in quarantine what could not be taken, in the place of the turn."""


def take_turn(turn: Turn, take: Take, put_aside: PutAside) -> list[Judged]:
    """Take a turn, in halves of halves if there is something in it that the database refuses.

    Raises:
        NotReadyError: as `retrying`, and as `take`.
    """
    try:
        return retrying(lambda: take(turn.begun()))
    except (DataError, OperationalError) as error:
        if not _is_refusal(error) or not turn.items:
            raise
    if len(turn.items) > 1:
        return [each for half in turn.halves() for each in take_turn(half, take, put_aside)]
    refused = ConflictError("the database does not take it", code="unstorable")
    judged = [Judged(item, Fate.QUARANTINED, refused) for item in turn.items]
    put_aside(turn, judged)
    return judged


def _is_refusal(error: Exception) -> bool:
    """Whether it is about values: text that is none, numbers out of range, what an index has no room for."""
    return isinstance(error, DataError) or isinstance(error.__cause__, pg_errors.ProgramLimitExceeded)
