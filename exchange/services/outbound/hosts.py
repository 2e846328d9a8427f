"""Hosts that operators let the node reach although they are not public; managed while the node runs."""

from __future__ import annotations

from exchange.models import AllowedHost
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import execute, writing
from exchange.services.errors import InvalidRequestError, NotFoundError
from exchange.services.outbound.names import canonical_host
from exchange.services.principals import Principal


def allow_host(*, actor: Principal, host: str) -> str:
    """Let the node reach this host, a name or an address; answers its canonical form. Repeating it changes nothing.

    Raises:
        InvalidRequestError: no name of a host, and no address.
    """
    name = _checked(host)
    with writing():
        _, made = AllowedHost.objects.get_or_create(host=name, defaults={"created_at": now()})
        if made:
            record_event(actor, "host-allowed", name)
    return name


def disallow_host(*, actor: Principal, host: str) -> str:
    """Take that back; acts at the next connection.

    Raises:
        InvalidRequestError: as `allow_host`. NotFoundError: the host was not allowed.
    """
    name = _checked(host)
    with writing():
        removed, _ = AllowedHost.objects.filter(host=name).delete()
        if not removed:
            raise NotFoundError(f"the host {name} is not allowed")
        record_event(actor, "host-disallowed", name)
    return name


def list_allowed_hosts() -> list[str]:
    """Their names, in order."""
    return list(AllowedHost.objects.values_list("host", flat=True))


def is_allowed_host(name: str) -> bool:
    """Whether an operator allows the host of this canonical name."""
    return execute("SELECT FROM allowed_host WHERE host = %(host)s", {"host": name}).fetchone() is not None


def _checked(host: str) -> str:
    name = canonical_host(host)
    if name is None:
        raise InvalidRequestError("a host is a name of letters, digits and hyphens, or an address", code="host")
    return name
