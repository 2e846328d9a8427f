"""The database of a test run: the embedded stack, or a server given by DATABASE_URL and DATABASE_OWNER_URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from exchange.environment import parse_database_url
from exchange.stack import Stack

DATABASE = "commonwatch_test"

KEPT_TABLES = frozenset({"django_migrations", "django_content_type", "auth_permission"})


@dataclass(frozen=True, slots=True)
class TestServices:
    """Addresses of the servers that a run uses."""

    __test__ = False

    app_url: str
    owner_url: str
    broker_url: str
    cache_url: str = ""


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
        stack.create_database(DATABASE)
        yield TestServices(stack.app_url(DATABASE), stack.owner_url(DATABASE), stack.broker_url(), stack.broker_url(1))


def point_django_at(services: TestServices) -> None:
    """Give this process's connections their addresses and bring the tables up to date."""
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
    call_command("migrate", verbosity=0)


def empty_tables() -> None:
    """Empty every table, as their owner; the sequencer begins again."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(relname), ', ') FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
            " AND relname <> ALL (%s)",
            [sorted(KEPT_TABLES)],
        )
        tables = cursor.fetchone()[0]
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        cursor.execute("INSERT INTO sequencer (id, last_seq, last_date_added) VALUES (1, 0, clock_timestamp())")


def close_connections() -> None:
    for alias in ("default", "owner"):
        connections[alias].close()
