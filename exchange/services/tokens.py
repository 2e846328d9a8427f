"""Issues, lists and revokes tokens. The secret is shown once, in the answer to its creation, and never kept."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from exchange.models import Lab, Token
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError, InvalidRequestError, NotFoundError
from exchange.services.principals import Principal
from exchange.services.rates import TOKEN_KINDS, RateSyntaxError, parse_rates
from exchange.stix.errors import StixError
from exchange.stix.markings import Tlp

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MARK = "cwt_"
"""Begins every token, so that secret scanners and people recognise one."""

PREFIX_CHARS = 12
"""Length of the public part, mark included: 2^32 of them are enough to name tokens."""

SECRET_BYTES = 32
DEFAULT_LIFETIME = timedelta(days=90)
MAX_LIFETIME = timedelta(days=366)

RATES = "rates"
"""A bound that says how fast, and nothing of what."""

SIGNING_BOUNDS = frozenset({"collections", "highest_label", "networks", "daily_quota"})
BOUNDS = ("collections", "highest_label", "networks", "daily_quota", RATES)
"""A token that signs with an exchange-held key must be bound in every way (wire-format, Keys)."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token and its secret text: the only time that it exists outside its owner's hands."""

    token: Token
    secret: str


def digest_of(secret: str) -> bytes:
    """SHA-256 of a token's text: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def prefix_of(secret: str) -> str:
    """The public part of something that may be a token, "" if it is none."""
    return secret[:PREFIX_CHARS] if secret.startswith(MARK) and len(secret) > PREFIX_CHARS else ""


def issue_token(
    *,
    actor: Principal,
    lab: Lab,
    scopes: Sequence[str],
    client: bool = False,
    expires_at: datetime | None = None,
    bounds: Mapping[str, Any] | None = None,
    issued_by: Token | None = None,
) -> IssuedToken:
    """Create a token of `lab`.

    Raises:
        InvalidRequestError: unknown scope or bound, a lifetime over a year or in the past, a client that may
            more than read, a peer's token that may more than read or is a client's, or a signing token that is not
            bound in every way.
    """
    wanted = _checked_scopes(scopes, client=client)
    if lab.kind != Lab.Kind.LAB:
        _check_for_peer(lab, wanted, client=client)
    limits = checked_bounds(bounds or {})
    if Token.Scope.SIGN in wanted and not limits.keys() >= SIGNING_BOUNDS:
        missing = ", ".join(sorted(SIGNING_BOUNDS - limits.keys()))
        raise InvalidRequestError(f"a token with the scope sign needs bounds: {missing} missing", pointer="/bounds")
    moment = now()
    expires_at = expires_at or moment + DEFAULT_LIFETIME
    if not moment < expires_at <= moment + MAX_LIFETIME:
        raise InvalidRequestError("a token expires in the future, within 366 days", pointer="/expires")
    prefix = MARK + secrets.token_hex((PREFIX_CHARS - len(MARK)) // 2)
    secret = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    with writing():
        token = Token.objects.create(
            prefix=prefix,
            digest=digest_of(secret),
            lab=lab,
            scopes=wanted,
            client=client,
            bounds=limits,
            issued_by=issued_by,
            created_at=moment,
            expires_at=expires_at,
        )
        record_event(actor, "token-issued", prefix, lab=lab.slug, scopes=wanted, client=client)
    return IssuedToken(token, secret)


def _check_for_peer(lab: Lab, scopes: Sequence[str], *, client: bool) -> None:
    """A peer pulls, and has no clients here. An exchange may post what labs signed, a feed may not."""
    if client:
        raise InvalidRequestError("a peer has no clients", pointer="/client")
    allowed = {Token.Scope.READ, Token.Scope.PUBLISH} if lab.kind == Lab.Kind.NODE else {Token.Scope.READ}
    if not set(scopes) <= allowed:
        raise InvalidRequestError(
            "an exchange's token reads and publishes" if len(allowed) > 1 else "a feed's token only reads",
            pointer="/scopes",
        )


def issue_own_token(*, principal: Principal, **wanted: Any) -> IssuedToken:
    """A lab's token makes another for the same lab, never one that may more than itself.

    The new one is bound as its maker is, and narrower where that is asked for. Signing is granted by operators alone:
    a daily quota that a token could hand on would be none.

    Raises:
        AccessDeniedError: the principal is a client, or asks for a scope, a bound or a life beyond its own.
        InvalidRequestError: as `issue_token`.
    """
    if not principal.is_member or principal.is_client or principal.token_id is None:
        raise AccessDeniedError("only a lab's own token may issue tokens")
    own = Token.objects.select_related("lab").get(pk=principal.token_id)
    if not set(wanted.get("scopes", ())) <= set(own.scopes):
        raise AccessDeniedError("a token may not issue a scope that it does not have", pointer="/scopes")
    if Token.Scope.SIGN in wanted.get("scopes", ()):
        raise AccessDeniedError("only operators issue tokens that sign", pointer="/scopes")
    if (wanted.get("expires_at") or own.expires_at) > own.expires_at:
        raise AccessDeniedError("a token may not issue one that outlives it", pointer="/expires")
    bounds = _narrowed(own.bounds, checked_bounds(wanted.pop("bounds", None) or {}))
    wanted["expires_at"] = wanted.get("expires_at") or own.expires_at
    return issue_token(actor=principal, lab=own.lab, bounds=bounds, issued_by=own, **wanted)


def _narrowed(own: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    for name in own.keys() & wanted.keys():
        if not _is_narrower(name, wanted[name], own[name]):
            raise AccessDeniedError("a token may not issue one that reaches further", pointer=f"/bounds/{name}")
    return {**own, **wanted}


def _is_narrower(name: str, wanted: Any, own: Any) -> bool:
    match name:
        case "collections":
            return set(wanted) <= set(own)
        case "highest_label":
            return Tlp.parse(wanted) <= Tlp.parse(own)
        case "rates":
            return bool(wanted == own)
        case "networks":
            outer = [ipaddress.ip_network(net) for net in own]
            inner = [ipaddress.ip_network(net) for net in wanted]
            return all(any(_is_subnet(net, other) for other in outer) for net in inner)
        case _:
            return bool(wanted <= own)


def _is_subnet(net: Network, other: Network) -> bool:
    if isinstance(net, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and net.subnet_of(other)
    return isinstance(other, ipaddress.IPv6Network) and net.subnet_of(other)


def list_tokens(*, principal: Principal) -> list[Token]:
    """The lab's tokens, newest first, without secrets."""
    return list(_own_tokens(principal).order_by("-id"))


def revoke_token(*, principal: Principal, prefix: str) -> None:
    """Stop a token of the principal's own lab at once; repeating it changes nothing.

    Raises:
        NotFoundError: no such token, or another lab's: the two look the same.
        AccessDeniedError: the lab's, but not for this token to revoke.
    """
    with writing():
        token = _own_tokens(principal).filter(prefix=prefix).select_for_update().first()
        if token is None:
            raise NotFoundError("there is no such token")
        if not _may_revoke(principal, token):
            raise AccessDeniedError("a token revokes itself, what it issued, and tokens that may no more than itself")
        revoke_with_issued(principal, token)


def _may_revoke(principal: Principal, token: Token) -> bool:
    """Itself, what it issued, or — if it publishes and is bound by nothing — what may no more than itself."""
    return token.pk in _with_issued(principal.token_id) or _reaches_over(principal, token)


def _reaches_over(principal: Principal, token: Token) -> bool:
    return (
        principal.allows("publish") and not principal.bounds.keys() - {RATES} and set(token.scopes) <= principal.scopes
    )


def set_token_rates(*, actor: Principal, prefix: str, rates: str) -> Token:
    """Give a token rate limits of its own, in the form of rates.py; "" gives it those of the node again.

    They count from the next request on. What the token issued keeps its own.

    Raises:
        NotFoundError: no such token. InvalidRequestError: no list of rates.
    """
    wanted = checked_bounds({RATES: rates} if rates else {})
    with writing():
        token = Token.objects.select_for_update().filter(prefix=prefix).first()
        if token is None:
            raise NotFoundError("there is no such token")
        token.bounds = {name: value for name, value in token.bounds.items() if name != RATES} | wanted
        token.save(update_fields=["bounds"])
        record_event(actor, "token-rates-set", prefix, rates=rates)
    return token


def manageable_tokens(principal: Principal) -> list[int]:
    """Ids of the tokens that the principal may stop, stopped ones too: what they have set up is its to manage."""
    family = set(_with_issued(principal.token_id))
    return [token.pk for token in _own_tokens(principal) if token.pk in family or _reaches_over(principal, token)]


def revoke_with_issued(actor: Principal, token: Token) -> None:
    """Stop a token and all that it issued, in the caller's transaction: a thief's copies end with the original."""
    stopped = Token.objects.filter(pk__in=_with_issued(token.pk), revoked_at=None)
    prefixes = sorted(stopped.values_list("prefix", flat=True))
    if prefixes:
        stopped.update(revoked_at=now())
        record_event(actor, "token-revoked", token.prefix, with_issued=prefixes)


_WITH_ISSUED = """
WITH RECURSIVE family AS (
    SELECT id FROM token WHERE id = %s
    UNION SELECT t.id FROM token t JOIN family f ON t.issued_by_id = f.id
)
SELECT id FROM family
"""


def _with_issued(token_id: int | None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_WITH_ISSUED, [token_id])
        return [row[0] for row in cursor.fetchall()]


def _own_tokens(principal: Principal) -> QuerySet[Token]:
    """All tokens of the principal's lab; a client sees itself alone."""
    if principal.lab_id is None:
        return Token.objects.none()
    tokens = Token.objects.filter(lab=principal.lab_id)
    return tokens.filter(prefix=principal.token_prefix) if principal.is_client else tokens


def checked_bounds(bounds: Mapping[str, Any]) -> dict[str, Any]:
    """The bounds in canonical form.

    Raises:
        InvalidRequestError: an unknown bound, or a value of the wrong form, with its pointer.
    """
    for name in bounds:
        if name not in BOUNDS:
            raise InvalidRequestError(f"unknown bound; known are {', '.join(BOUNDS)}", pointer=f"/bounds/{name}")
    checked = dict(bounds)
    for name in ("collections", "networks"):
        listed = bounds.get(name, [])
        if not isinstance(listed, list | tuple) or not all(isinstance(each, str) for each in listed):
            raise InvalidRequestError("the bound is a list of texts", pointer=f"/bounds/{name}")
    try:
        if "networks" in bounds:
            checked["networks"] = [str(ipaddress.ip_network(net)) for net in bounds["networks"]]
        if "highest_label" in bounds:
            checked["highest_label"] = Tlp.parse(bounds["highest_label"]).label
        if RATES in bounds:
            parse_rates(str(bounds[RATES]), TOKEN_KINDS)
        quota = bounds.get("daily_quota", 1)
        if not isinstance(quota, int) or isinstance(quota, bool) or quota < 1:
            raise ValueError("daily_quota is a whole number above 0")
    except (ValueError, AttributeError, StixError, RateSyntaxError) as error:
        raise InvalidRequestError(f"a bound has the wrong form: {error}", pointer="/bounds") from None
    return checked


def _checked_scopes(scopes: Sequence[str], *, client: bool) -> list[str]:
    wanted = sorted(set(scopes))
    known = [str(value) for value in Token.Scope.values]
    if not wanted or not set(wanted) <= set(known):
        raise InvalidRequestError(f"scopes are one or more of {', '.join(known)}", pointer="/scopes")
    if client and wanted != [Token.Scope.READ]:
        raise InvalidRequestError("a client token only reads", pointer="/scopes")
    return wanted
