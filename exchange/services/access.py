"""Turns credentials into a principal. One query a request; what it finds is true for this request alone."""

from __future__ import annotations

import hmac
import ipaddress
import json
from dataclasses import replace
from typing import Any

from exchange.models import Lab
from exchange.services.clock import now
from exchange.services.database import execute
from exchange.services.errors import AccessDeniedError, NotAuthenticatedError
from exchange.services.peer_principals import find_peer_reader
from exchange.services.principals import Principal, PrincipalKind
from exchange.services.remembering import recall
from exchange.services.tokens import digest_of, prefix_of

_COLUMNS = """
SELECT t.id, t.digest, t.prefix, t.scopes, t.client, t.bounds::text, t.expires_at, t.revoked_at,
       l.id, l.slug, l.status, coalesce(l.identity_id, ''), l.kind
FROM token t JOIN lab l ON l.id = t.lab_id WHERE
"""
_FIND = _COLUMNS + "t.prefix = %(prefix)s"
_FIND_BY_ID = _COLUMNS + "t.id = %(id)s"
_REFUSED = "the token is not valid"
_OF_FEEDS, _OF_EXCHANGES = frozenset({"read"}), frozenset({"read", "publish"})
"""All that a peer's token is good for, whatever it says. An exchange that posts hands over what labs signed."""


def authenticate_token(secret: str, *, source_address: str) -> Principal:
    """The principal of a token.

    `source_address` is the caller's address, held against the token's networks.

    Raises:
        NotAuthenticatedError: unknown, expired or revoked token, suspended lab, paused peer, or a foreign network.
            The message is the same for all of them.
    """
    prefix = prefix_of(secret)
    row = recall(("token", prefix), lambda: _find(prefix))
    stored = bytes(row[1]) if row else b"\0" * 32
    if not hmac.compare_digest(stored, digest_of(secret)) or row is None:
        raise NotAuthenticatedError(_REFUSED)
    principal = _principal_of(row)
    if not _is_within(source_address, principal.bounds.get("networks")):
        raise NotAuthenticatedError(_REFUSED)
    return principal


def authenticate_again(token_id: int) -> Principal:
    """The principal of a token that showed its secret before, for work that goes on after its request.

    The token's networks bind connections, and this is none.

    Raises:
        NotAuthenticatedError: expired or revoked since then, or of a lab that is suspended now.
    """
    row = execute(_FIND_BY_ID, {"id": token_id}).fetchone()
    if row is None:
        raise NotAuthenticatedError(_REFUSED)
    return _principal_of(row)


def _principal_of(row: tuple[Any, ...]) -> Principal:
    token_id, _, prefix, scopes, client, bounds, expires_at, revoked_at, lab_id, slug, status, identity, kind = row
    if expires_at <= now() or revoked_at is not None or status != "active":
        raise NotAuthenticatedError(_REFUSED)
    principal = Principal(
        kind=PrincipalKind.CLIENT if client else PrincipalKind.TOKEN,
        lab_id=lab_id,
        lab_slug=slug,
        lab_identity=identity,
        token_id=token_id,
        token_prefix=prefix,
        scopes=frozenset(scopes),
        bounds=json.loads(bounds),
    )
    return principal if kind == Lab.Kind.LAB else _as_peer(principal)


def _as_peer(principal: Principal) -> Principal:
    """The principal of a token whose lab's row is a peer's; one of neither a lab nor a peer signs nobody in."""
    lab_id = principal.lab_id or 0
    known = recall(("peer", lab_id), lambda: find_peer_reader(lab_id))
    if known is None or not known.is_active:
        raise NotAuthenticatedError(_REFUSED)
    scopes = principal.scopes & (_OF_EXCHANGES if known.traits.is_exchange else _OF_FEEDS)
    return replace(principal, kind=PrincipalKind.PEER, scopes=scopes, peer=known.traits)


def require_scope(principal: Principal, scope: str) -> None:
    """Refuse a principal that may not do this kind of thing at all.

    Raises:
        NotAuthenticatedError: nobody signed in. AccessDeniedError: the token lacks the scope.
    """
    if principal.kind is PrincipalKind.ANONYMOUS:
        raise NotAuthenticatedError("sign in with a token")
    if not principal.allows(scope):
        raise AccessDeniedError(f"the token does not have the scope {scope}", code="scope-missing")


def require_publishing(principal: Principal) -> None:
    """Refuse a principal that may publish nothing: `publish` is for everything, `feedback` for feedback alone.

    Raises:
        NotAuthenticatedError, AccessDeniedError: as `require_scope`.
    """
    if not principal.allows("feedback"):
        require_scope(principal, "publish")


def may_send_to(principal: Principal, address: str) -> bool:
    """Whether what the principal reads may go to this address: the networks of a token bind what it has sent, too."""
    return _is_within(address, principal.bounds.get("networks"))


def _find(prefix: str) -> tuple[Any, ...] | None:
    if not prefix or not prefix.isascii() or "\0" in prefix:
        return None
    row: tuple[Any, ...] | None = execute(_FIND, {"prefix": prefix}).fetchone()
    return row


def _is_within(address: str, networks: list[str] | None) -> bool:
    if networks is None:
        return True
    try:
        source = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(source, ipaddress.IPv6Address) and source.ipv4_mapped is not None:
        # A socket that listens on both families shows IPv4 callers so.
        source = source.ipv4_mapped
    return any(source in ipaddress.ip_network(net) for net in networks)
