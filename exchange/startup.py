"""What processes check, and embedded nodes do, before they start: values, database role, migrations.

One clear line and no start when something is wrong.
"""

from __future__ import annotations

from pathlib import Path

import django
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from exchange import environment
from exchange.services.database import require_plain_role
from exchange.services.errors import NotReadyError
from exchange.stack.locks import held_lock

OWNER = "owner"
MIGRATION_LOCK_TIMEOUT_S = 120.0


def require_safe_start() -> None:
    """Check values and database role. Leaves no connection open: the process may fork.

    Raises:
        SystemExit: with one line that names what is missing, weak or wrong.
    """
    environment.require_production_values()
    try:
        require_plain_role()
    except NotReadyError as error:
        raise SystemExit(f"commonwatch cannot start: {error.detail}") from None
    except DatabaseError as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise SystemExit(f"commonwatch cannot start: the database of DATABASE_URL does not answer: {reason}") from None
    finally:
        connection.close()


def apply_missing_migrations(lock: Path) -> bool:
    """Set Django up and migrate if something is missing; tell whether it was.

    Commands that start together wait for one another.

    Raises:
        StackError: another command migrated for longer than `MIGRATION_LOCK_TIMEOUT_S`.
    """
    django.setup()
    if not migrations_are_missing():
        return False
    with held_lock(lock, MIGRATION_LOCK_TIMEOUT_S):
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
