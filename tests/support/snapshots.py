"""What a set-up leaves in the database, kept so that the next test begins with it and need not make it anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connections

from tests.support.database import clear_tables, filled_tables

_SEQUENCES = """
SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
_COLUMNS = """
SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows by table and columns, in PostgreSQL's own form, and where the sequences stand.

    What triggers note of changes is noted again when the rows come back.
    """

    rows: dict[tuple[str, str], bytes]
    sequences: list[tuple[str, int]]

    @classmethod
    def take(cls) -> Snapshot:
        """Everything that is stored now."""
        rows = {}
        with _owner() as cursor:
            for table in filled_tables():
                columns = cursor.execute(_COLUMNS, [table]).fetchall()[0][0]
                with cursor.copy(f'COPY (SELECT {columns} FROM "{table}") TO STDOUT (FORMAT binary)') as copy:
                    rows[table, columns] = b"".join(bytes(part) for part in copy)
            return cls(rows, cursor.execute(_SEQUENCES).fetchall())

    def restore(self) -> None:
        """The database as it was, in one transaction."""
        clear_tables()
        with _owner() as cursor:
            cursor.execute("BEGIN")
            for (table, columns), data in self.rows.items():
                if table != "change":
                    with cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN (FORMAT binary)') as copy:
                        copy.write(data)
            for name, value in self.sequences:
                cursor.execute("SELECT setval(%s::regclass, %s)", [name, value])
            cursor.execute("COMMIT")


def _owner() -> psycopg.Cursor[Any]:
    """A cursor of the owner's connection, past Django."""
    connections["owner"].ensure_connection()
    return psycopg.Cursor(connections["owner"].connection)
