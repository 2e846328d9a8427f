"""Tokens as DRF's authentication: the principal stands in `request.auth`, and nobody is `request.user`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from exchange.http.credentials import CHALLENGE, principal_of_request
from exchange.services.errors import AccessDeniedError, NotAuthenticatedError
from exchange.services.principals import ANONYMOUS, Principal, PrincipalKind


class TokenAuthentication(BaseAuthentication):
    """Bearer and Basic, as at every door."""

    def authenticate(self, request: Request) -> tuple[None, Principal] | None:
        """The principal; None for a request without credentials.

        Raises: NotAuthenticatedError: credentials that open nothing.
        """
        principal = principal_of_request(request._request)
        return None if principal is ANONYMOUS else (None, principal)

    def authenticate_header(self, _request: Request) -> str:
        return CHALLENGE


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself, untyped
    """How OpenAPI describes it."""

    target_class = "exchange.api.authentication.TokenAuthentication"
    name = ["bearer", "basic"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:  # noqa: ARG002 - its interface
        return [
            {"type": "http", "scheme": "bearer", "description": "A token that begins with cwt_."},
            {"type": "http", "scheme": "basic", "description": "The token as password, any user name."},
        ]


def principal_of(request: Request) -> Principal:
    """Who asks; ANONYMOUS for a request without credentials."""
    return request.auth if isinstance(request.auth, Principal) else ANONYMOUS


def member_of(request: Request) -> Principal:
    """Who asks, if it speaks for a lab. Raises: NotAuthenticatedError, AccessDeniedError: a peer, which reads alone."""
    principal = granted_of(request)
    if principal.kind is PrincipalKind.PEER:
        raise AccessDeniedError("this is for members; a peer reads what crosses to it", code="not-a-member")
    return principal


def granted_of(request: Request) -> Principal:
    """Who asks, if it reads by grants: a member or a peer. Raises: NotAuthenticatedError."""
    principal = principal_of(request)
    if not principal.is_granted:
        raise NotAuthenticatedError("sign in with a token")
    return principal
