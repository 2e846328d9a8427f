"""From an Authorization header to a principal: Bearer (RFC 6750) and Basic (RFC 7617) with the token as password.

A token bound to networks is held against the source address of sources.py.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from django.http import HttpRequest

from exchange.http.limits import limit_anonymous, limit_member, limit_refused
from exchange.http.sources import source_address
from exchange.services.access import authenticate_token
from exchange.services.errors import NotAuthenticatedError
from exchange.services.principals import ANONYMOUS, Principal

CHALLENGE: Final = 'Bearer realm="commonwatch", Basic realm="commonwatch"'
"""Value of WWW-Authenticate on every 401 (RFC 9110 section 11.6.1)."""

MAX_HEADER_CHARS: Final = 1_024
"""A token has about 60 characters; Basic adds a user name and a third for base64."""

_REFUSED: Final = "the Authorization header holds no token that is valid"


def principal_of_request(request: HttpRequest) -> Principal:
    """Who asks, counted (limits.py); ANONYMOUS if the request has no Authorization header.

    Raises:
        NotAuthenticatedError: credentials that open nothing. RateLimitedError: too many requests.
    """
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        limit_anonymous(request)
        return ANONYMOUS
    try:
        principal = authenticate_token(secret_in(header), source_address=source_address(request))
    except NotAuthenticatedError:
        limit_refused(request)
        raise
    limit_member(request, principal)
    return principal


def secret_in(header: str) -> str:
    """The token in an Authorization header.

    Raises:
        NotAuthenticatedError: another scheme, or not of its form.
    """
    scheme, _, credentials = header.strip().partition(" ")
    credentials = credentials.strip()
    if len(header) <= MAX_HEADER_CHARS and credentials:
        if scheme.lower() == "bearer":
            return credentials
        if scheme.lower() == "basic":
            return _password_in(credentials)
    raise NotAuthenticatedError(_REFUSED)


def _password_in(credentials: str) -> str:
    try:
        text = base64.b64decode(credentials, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise NotAuthenticatedError(_REFUSED) from None
    return text.partition(":")[2]
