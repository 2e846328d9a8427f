"""Transactions that say who they are for: a reader's sees its audiences alone, a writer's sees all rows.

Row-level security does the rest (migrations/sql/row_security.sql). Also refuses to run as a role that would
pass it by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.db import connection, transaction

from exchange.services.errors import NotReadyError


@contextmanager
def snapshot() -> Iterator[None]:
    """A transaction whose statements all see the state that its first one sees. Not inside another."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    # Said with BEGIN, and not by a statement of its own.
    raw.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    try:
        with transaction.atomic():
            yield
    finally:
        if not raw.closed:
            raw.isolation_level = None


@contextmanager
def one_round_trip() -> Iterator[None]:
    """What is executed inside goes to the server at once, BEGIN before the first statement of a transaction included.

    Results are there afterwards.
    """
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def plan_by_index() -> None:
    """Have the rest of the transaction planned by indexes wherever there is one.

    For statements that are planned while their tables may be small: the planner would read all of them, and the plan,
    or the time, would grow with what others have there.
    """
    execute("SELECT set_config('enable_seqscan', 'off', true)", {})


@contextmanager
def reading(audience_ids: Sequence[int]) -> Iterator[None]:
    """A transaction that sees the entries, versions, objects and tombstones of these audiences."""
    with transaction.atomic():
        _set_local("commonwatch.audiences", array_text(audience_ids))
        yield


@contextmanager
def writing() -> Iterator[None]:
    """A transaction of a service that writes, or checks what is stored."""
    with transaction.atomic():
        _set_local("commonwatch.writer", "on")
        yield


def _set_local(name: str, value: str) -> None:
    execute("SELECT set_config(%(name)s, %(value)s, true)", {"name": name, "value": value})


def array_text(numbers: Sequence[int]) -> str:
    """PostgreSQL's text for an array of numbers. The driver looks at every number of a list to find its type."""
    return "{" + ",".join(map(str, numbers)) + "}"


def release_connection() -> None:
    """Close this thread's connection: for threads that wait for long, and for those that end."""
    connection.close()


PREPARE_AFTER: Final = 5
"""Uses of a statement of no hot path before it is prepared: psycopg's own default, which Django turns off."""


def execute(query: str, params: Mapping[str, Any], *, prepare: bool = True) -> psycopg.Cursor[Any]:
    """Run a statement of a hot path on Django's connection, with values and results in binary.

    Django's own cursors compose every value into the text of the statement, so that the server plans it anew each
    time, and they cannot fetch bytes as bytes.

    prepare: plan it once for each connection. False for look-ups in tables that grow: a plan that was made while they
    were small reads whole tables, and would be kept until their statistics are next taken.

    Raises:
        django.db.Error: as Django's cursors do.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    raw.prepare_threshold = PREPARE_AFTER
    with connection.wrap_database_errors:
        return psycopg.Cursor(raw).execute(query, params, prepare=prepare, binary=True)


def require_plain_role() -> None:
    """Refuse a database role that row-level security does not bind.

    Raises:
        NotReadyError: the role is a superuser, bypasses row-level security, or owns the tables.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolbypassrls,"
            " EXISTS (SELECT FROM pg_class WHERE relname = 'entry' AND pg_has_role(current_user, relowner, 'USAGE'))"
            " FROM pg_roles WHERE rolname = current_user"
        )
        row = cursor.fetchone()
    faults = [
        name
        for name, is_so in zip(
            ("is a superuser", "bypasses row-level security", "owns the tables"), row or (), strict=False
        )
        if is_so
    ]
    if row is None or faults:
        raise NotReadyError(
            "the role of DATABASE_URL "
            + " and ".join(faults or ["is unknown"])
            + "; give web and workers a plain role",
            code="database-role",
        )
