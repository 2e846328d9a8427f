"""Applies missing migrations of an embedded node, one command at a time. Needs the settings; sets Django up itself."""

from __future__ import annotations

from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from exchange.stack.locks import held_lock

OWNER = "owner"
LOCK_TIMEOUT_S = 120.0


def apply_missing_migrations(lock: Path) -> bool:
    """Migrate if something is missing; tell whether it was. Commands that start together wait for one another.

    Raises:
        StackError: another command migrated for longer than `LOCK_TIMEOUT_S`.
    """
    django.setup()
    if not migrations_are_missing():
        return False
    with held_lock(lock, LOCK_TIMEOUT_S):
        missing = migrations_are_missing()
        if missing:
            call_command("migrate", verbosity=0, interactive=False)
    return missing


def migrations_are_missing() -> bool:
    """Whether the owner's database lacks migrations of this code."""
    connection = connections[OWNER]
    try:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    finally:
        connection.close()
