"""What the plain role of web and workers may do to each table.

The role owns nothing. It gets no privilege on partitions themselves: a partition reached directly would answer
without the row-level policies of its parent.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

APPEND_ONLY = ("audit", "delivery", "audience")
"""Logs, and the interned audiences: rows are added and read, never changed or removed by the web or a worker."""

GROWS_ONLY = ("signing_key", "pin", "identity_approval", "lab", "leaf", "onward_request")
"""Rows change but are never removed."""

CHANGES_ONLY = ("sequencer",)
"""The one row changes; none is added or removed."""

READ_ONLY = ("django_migrations",)

NOTED = ("change",)
"""Rows are added by a trigger of the owner; the role reads them, and notes and removes those that are old."""


def grant_privileges(connection: BaseDatabaseWrapper, role: str) -> None:
    """Give `role` exactly its privileges, as the owner of the tables. Safe to repeat after each migration."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relkind = 'v' FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p', 'v') AND NOT relispartition"
        )
        for table, is_view in cursor.fetchall():
            for statement in _statements(table, is_view=is_view):
                cursor.execute(
                    sql.SQL(statement).format(table=sql.Identifier(table), role=sql.Identifier(role)).as_string(None)
                )
        for statement in (
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
            "GRANT EXECUTE ON FUNCTION ensure_partitions(), seq_at(timestamptz) TO {role}",
        ):
            cursor.execute(sql.SQL(statement).format(role=sql.Identifier(role)).as_string(None))


def _statements(table: str, *, is_view: bool) -> list[str]:
    """A view shows what the reader of the transaction may see; nobody writes through one."""
    granted = "SELECT, INSERT, UPDATE, DELETE"
    if table in APPEND_ONLY:
        granted = "SELECT, INSERT"
    elif table in CHANGES_ONLY:
        granted = "SELECT, UPDATE"
    elif table in GROWS_ONLY:
        granted = "SELECT, INSERT, UPDATE"
    elif table in NOTED:
        granted = "SELECT, UPDATE, DELETE"
    elif is_view or table in READ_ONLY:
        granted = "SELECT"
    return ["REVOKE ALL ON {table} FROM {role}", f"GRANT {granted} ON {{table}} TO {{role}}"]
