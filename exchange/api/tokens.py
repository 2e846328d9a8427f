"""Own tokens: list, issue, revoke. A new token's secret is in the answer to its creation and nowhere else."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from exchange.api import operations, orders, schemas
from exchange.api.authentication import member_of
from exchange.api.endpoint import Endpoint, bytes_response, json_response, no_parameters
from exchange.api.problems import encoded
from exchange.api.repeating import answer_once
from exchange.http.codings import keep_plain
from exchange.models import Token
from exchange.services.idempotency import KeptAnswer
from exchange.services.principals import Principal
from exchange.services.tokens import issue_own_token, list_tokens, revoke_token
from exchange.stix.timestamps import format_taxii, parse_timestamp

MAX_BODY_BYTES: Final = 64 * 1024
"""Room for some thousand networks in the bounds."""


CollectionName = Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[!-~]+\Z")]
"""An alias or an id; text that the database cannot hold stops here."""


class Bounds(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What narrows a token (docs/api.md)."""

    collections: list[CollectionName] | None = None
    highest_label: str | None = None
    networks: list[str] | None = None
    daily_quota: int | None = None


class TokenOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The body that asks for a token."""

    scopes: list[str]
    client: bool = False
    expires: str | None = None
    bounds: Bounds = msgspec.field(default_factory=Bounds)


class TokensView(Endpoint):
    """The tokens of one's own lab."""

    keeps_nothing = True

    @extend_schema(
        operation_id="listTokens",
        summary="Tokens of your lab",
        description="Without their secrets. A client token sees itself alone.",
        responses={200: schemas.answers("Tokens", "The tokens."), **operations.PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Serve them."""
        no_parameters(request)
        return json_response({"tokens": [_token(token) for token in list_tokens(principal=member_of(request))]})

    @extend_schema(
        operation_id="issueToken",
        summary="Issue a token",
        description="Never one that may do more than your own, or for longer. `token` is shown in this answer only, "
        "and for 24 h to the same token under the same Idempotency-Key.",
        parameters=[operations.IDEMPOTENCY_KEY],
        request={"application/json": schemas.form("NewToken")},
        responses={201: schemas.answers("IssuedToken", "The token."), **operations.WRITE_PROBLEMS},
    )
    def post(self, request: Request) -> HttpResponse:
        """Issue one, once under an Idempotency-Key."""
        no_parameters(request)
        principal = member_of(request)
        body = orders.order_body(request._request, max_body_bytes=MAX_BODY_BYTES)
        answer = answer_once(principal, request._request, body, lambda: _issue(principal, body), is_secret=True)
        response = bytes_response(answer.body, answer.status)
        keep_plain(response)
        return response


class TokenView(Endpoint):
    """One token by its prefix, the public part."""

    keeps_nothing = True

    @extend_schema(
        operation_id="revokeToken",
        summary="Revoke a token",
        description="It stops at once. Repeating it changes nothing.",
        parameters=[operations.PREFIX],
        responses={204: None, **operations.MEMBER_PROBLEMS},
    )
    def delete(self, request: Request, prefix: str) -> HttpResponse:
        """Revoke it."""
        no_parameters(request)
        revoke_token(principal=member_of(request), prefix=prefix)
        return HttpResponse(status=204)


def _issue(principal: Principal, body: bytes) -> KeptAnswer:
    order = read_order(body)
    wanted: dict[str, Any] = {"scopes": order.scopes, "client": order.client}
    wanted["bounds"] = msgspec.to_builtins(order.bounds)
    if order.expires is not None:
        wanted["expires_at"] = parse_timestamp(order.expires, "/expires")
    issued = issue_own_token(principal=principal, **wanted)
    return KeptAnswer(201, encoded({"token": issued.secret, **_token(issued.token)}))


def read_order(body: bytes) -> TokenOrder:
    """The body of a request for a token, strictly.

    Raises:
        StixError: not I-JSON, or not an object. InvalidRequestError: a member is missing, unknown or of another type.
    """
    return orders.read_order(body, TokenOrder, code="token-order")


def _token(token: Token) -> dict[str, Any]:
    return {
        "prefix": token.prefix,
        "scopes": list(token.scopes),
        "client": token.client,
        "bounds": token.bounds,
        "created": format_taxii(token.created_at),
        "expires": format_taxii(token.expires_at),
        "revoked": format_taxii(token.revoked_at) if token.revoked_at is not None else None,
    }
