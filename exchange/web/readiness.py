"""Asks each part that the node needs whether it is usable, with short time limits. Says nothing of their addresses."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from kombu import Connection

from exchange.models import Lab
from exchange.services.database import require_plain_role
from exchange.services.errors import NotReadyError

BROKER_TIMEOUT_S = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the node; `fault` is empty when it is usable."""

    name: str
    fault: str = ""


def check_parts() -> list[Part]:
    """The parts in the order in which they are needed."""
    database = _check_database()
    if database.fault:
        return [database, _check_broker()]
    return [database, _check_migrations(), _check_node(), _check_broker()]


def _check_database() -> Part:
    try:
        require_plain_role()
    except NotReadyError as error:
        return Part("database", error.detail)
    except DatabaseError:
        # A dead connection of this thread must not answer for the next request.
        with contextlib.suppress(DatabaseError):
            connection.close()
        return Part("database", "does not answer")
    return Part("database")


def _check_migrations() -> Part:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return Part("migrations", f"{len(missing)} not applied" if missing else "")


def _check_node() -> Part:
    try:
        is_set_up = Lab.objects.filter(is_self=True, identity_id__isnull=False).exists()
    except DatabaseError:
        is_set_up = False
    return Part("node", "" if is_set_up else "not set up: run manage.py init_node")


def _check_broker() -> Part:
    try:
        with Connection(settings.BROKER_URL, connect_timeout=BROKER_TIMEOUT_S) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_S)
            # Opening a channel speaks to the server; ensure_connection alone may not.
            broker.channel()
    except Exception:  # noqa: BLE001 - each transport raises its own errors, and they name addresses
        return Part("broker", "does not answer")
    return Part("broker")
