"""Transactions that say who they are for: a reader's sees its audiences alone, a writer's sees all rows.

Row-level security does the rest (migrations/sql/row_security.sql). Also refuses to run as a role that would
pass it by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, transaction

from exchange.services.errors import NotReadyError


@contextmanager
def reading(audience_ids: Sequence[int]) -> Iterator[None]:
    """A transaction that sees the entries, versions, objects and tombstones of these audiences."""
    with transaction.atomic():
        _set_local("commonwatch.audiences", "{" + ",".join(map(str, audience_ids)) + "}")
        yield


@contextmanager
def writing() -> Iterator[None]:
    """A transaction of a service that writes, or checks what is stored."""
    with transaction.atomic():
        _set_local("commonwatch.writer", "on")
        yield


def _set_local(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def execute(query: str, params: Mapping[str, Any]) -> psycopg.Cursor[Any]:
    """Run a statement of a hot path in Django's current transaction, with values and results in binary.

    Django's own cursors compose every value into the text of the statement, and cannot fetch bytes as bytes.
    Raises psycopg's errors, not Django's.
    """
    connection.ensure_connection()
    cursor: psycopg.Cursor[Any] = psycopg.Cursor(connection.connection)
    return cursor.execute(query, params, prepare=True, binary=True)


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
