"""The database of a test run: the embedded stack, or a server given by DATABASE_URL and DATABASE_OWNER_URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction

from exchange.environment import parse_database_url
from exchange.stack import Stack

DATABASE = "commonwatch_test"

_migrated: set[str] = set()

KEPT_TABLES = frozenset({"django_migrations", "django_content_type", "auth_permission"})


@dataclass(frozen=True, slots=True)
class TestServices:
    """Addresses of the servers that a run uses, and the stack that they are of, if it is the run's own."""

    __test__ = False

    app_url: str
    owner_url: str
    broker_url: str
    cache_url: str = ""
    stack: Stack | None = None

    @classmethod
    def of(cls, stack: Stack, number: int = 0) -> TestServices:
        """Those of one node on a stack that may serve several: each has a database and two of the broker's."""
        name = f"{DATABASE}_{number}" if number else DATABASE
        stack.create_database(name)
        urls = (stack.app_url(name), stack.owner_url(name))
        return cls(*urls, stack.broker_url(2 * number), stack.broker_url(2 * number + 1), stack)


@contextmanager
def started_services(data_dir: Path) -> Iterator[TestServices]:
    """The servers: those named by the environment, else a stack of our own for the time of the run."""
    if os.environ.get("DATABASE_URL"):
        yield TestServices(
            os.environ["DATABASE_URL"],
            os.environ.get("DATABASE_OWNER_URL", os.environ["DATABASE_URL"]),
            os.environ["BROKER_URL"],
            os.environ.get("CACHE_URL", os.environ["BROKER_URL"]),
        )
        return
    with Stack(data_dir, durable=False) as stack:
        yield TestServices.of(stack)


def point_django_at(services: TestServices) -> None:
    """Give this process's connections their addresses; a database that it meets first is brought up to date."""
    for alias, url in (("default", services.app_url), ("owner", services.owner_url)):
        address = parse_database_url(alias, url)
        connections.settings[alias] |= {
            "ENGINE": "exchange.postgres",
            "NAME": address.name,
            "USER": address.user,
            "PASSWORD": address.password,
            "HOST": address.host,
            "PORT": address.port,
            "CONN_MAX_AGE": None,
        }
        settings.DATABASES[alias] = connections.settings[alias]
        # The connection of the dummy engine, if anybody has looked at it already.
        with suppress(AttributeError):
            del connections[alias]
    if services.owner_url not in _migrated:
        call_command("migrate", verbosity=0)
        _migrated.add(services.owner_url)


_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> ALL (%s)
"""
_RESTART = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""

MANY_ENTRIES = 5_000
"""From here on it is faster to make the files of the tables anew than to delete their rows."""


def empty_tables() -> None:
    """Empty every table, as their owner; the sequencer begins again."""
    clear_tables()
    with connections["owner"].cursor() as cursor:
        cursor.execute("INSERT INTO sequencer (id, last_seq, last_date_added) VALUES (1, 0, clock_timestamp())")


def clear_tables() -> None:
    """Empty every table, that of the sequencer too, and start the numbers again.

    All tables are locked first, as TRUNCATE would: a process that a test left behind may still be writing.
    """
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(_TABLES, [sorted(KEPT_TABLES)])
        names = _quoted([row[0] for row in cursor.fetchall()])
        cursor.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS EXCLUSIVE MODE; SET CONSTRAINTS ALL DEFERRED")
        tables = _quoted(filled_tables())
        cursor.execute("SELECT coalesce(max(last_seq), 0) FROM sequencer")
        if cursor.fetchone()[0] > MANY_ENTRIES:
            cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        else:
            # TRUNCATE makes some hundred files.
            cursor.execute("; ".join(f"DELETE FROM {table}" for table in tables))
        # Triggers note what goes, either way, so that table comes last.
        cursor.execute('DELETE FROM "change"')
        cursor.execute(_RESTART)


def filled_tables() -> list[str]:
    """Names of the tables that have rows."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(_TABLES, [sorted(KEPT_TABLES)])
        names = sorted(row[0] for row in cursor.fetchall())
        looks = (f"CASE WHEN EXISTS (SELECT FROM {table}) THEN '{table}' END" for table in _quoted(names))
        cursor.execute(f"SELECT array_remove(ARRAY[{', '.join(looks)}], NULL)")
        return [table.strip('"') for table in cursor.fetchone()[0]]


def _quoted(tables: list[str]) -> list[str]:
    return [f'"{table}"' for table in tables]


def close_connections() -> None:
    for alias in ("default", "owner"):
        connections[alias].close()
