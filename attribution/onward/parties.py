"""Who may ask, list and decide: labs themselves, never their clients; and what a party's transaction sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import transaction

from exchange.services.access import require_publishing, require_scope
from exchange.services.database import execute
from exchange.services.errors import AccessDeniedError
from exchange.services.principals import Principal, PrincipalKind

_LABS: Final = frozenset({PrincipalKind.PERSON, PrincipalKind.TOKEN})


def require_party(principal: Principal, *scopes: str) -> int:
    """The row of the lab that a principal speaks for itself, with all of these scopes.

    Raises:
        AccessDeniedError: a client, a peer, somebody of no lab, or a scope that is missing. NotAuthenticatedError.
    """
    if principal.kind is PrincipalKind.CLIENT:
        raise AccessDeniedError("labs ask and decide themselves, not their clients", code="not-for-clients")
    for scope in scopes:
        require_scope(principal, scope)
    if principal.kind not in _LABS or principal.lab_id is None:
        raise AccessDeniedError("this is for members", code="not-a-member")
    return principal.lab_id


def require_asker(principal: Principal) -> int:
    """The row of the lab that asks: a token that reads, and that says something for its lab elsewhere too.

    Raises:
        AccessDeniedError, NotAuthenticatedError: as `require_party`, or it may neither publish nor give feedback.
    """
    lab_id = require_party(principal, "read")
    require_publishing(principal)
    return lab_id


@contextmanager
def seeing_as(lab_id: int) -> Iterator[None]:
    """A transaction that sees the requests of this lab and those to it (migrations/sql/onward.sql)."""
    with transaction.atomic():
        execute("SELECT set_config('commonwatch.lab', %(lab)s, true)", {"lab": str(lab_id)})
        yield
