"""What web, worker and beat check before they start; one clear line and no start when something is wrong."""

from __future__ import annotations

from django.db import DatabaseError, connection

from exchange import environment
from exchange.services.database import require_plain_role
from exchange.services.errors import NotReadyError


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
