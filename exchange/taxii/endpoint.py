"""The way of every TAXII request, in the order that leaks nothing: who asks, what it reads, whether the thing is there
for it, whether the method is, and only then what was sent.

A resource module says how its thing is found and what its methods answer; everything around that stands here.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from exchange.http.credentials import principal_of_request
from exchange.http.errors import DATABASE_AWAY, MethodNotAllowedError, NotAcceptableError, database_away
from exchange.http.validators import is_known, known_tags, make_not_modified, set_tag, tag_of
from exchange.services.errors import AccessDeniedError, ExchangeError, NotAuthenticatedError, NotFoundError
from exchange.services.principals import Principal, PrincipalKind
from exchange.services.remembering import one_request
from exchange.services.roots import ROOT_NOT_FOUND
from exchange.stix.errors import StixError
from exchange.taxii.answers import error_response, internal_error_response
from exchange.taxii.media_types import TAXII, is_acceptable, names_taxii

T = TypeVar("T")
Locate = Callable[[Principal, Mapping[str, str]], T]
Handler = Callable[[HttpRequest, Principal, T], HttpResponse]

_log: Final = logging.getLogger("exchange.taxii")


class View(Protocol):
    """What a URL pattern calls; `names` are the parts of the path."""

    def __call__(self, request: HttpRequest, **names: str) -> HttpResponse: ...


def endpoint(locate: Locate[T], **handlers: Handler[T]) -> View:
    """A view of one resource: `locate` finds it for a principal, a handler per method (GET, POST) answers."""
    if "GET" in handlers:
        handlers["HEAD"] = handlers["GET"]
    allowed = ", ".join(sorted(handlers))

    def answer(request: HttpRequest, names: Mapping[str, str]) -> HttpResponse:
        _require_tls(request)
        principal = principal_of_request(request)
        _require_acceptable(request)
        found = _locate(locate, request, principal, names)
        handler = handlers.get(request.method or "")
        if handler is None:
            raise MethodNotAllowedError(allowed)
        return _with_tag(request, handler(request, principal, found))

    def view(request: HttpRequest, **names: str) -> HttpResponse:
        try:
            with one_request():
                response = answer(request, names)
        except (ExchangeError, StixError) as error:
            response = error_response(error)
        except Http404:
            raise
        except DATABASE_AWAY:
            _log.exception("TAXII request without a database")
            response = error_response(database_away())
        except Exception:  # noqa: BLE001 - the door's last guard: whatever failed, the answer is TAXII and tells nothing
            error_id = str(uuid.uuid4())
            _log.exception("TAXII request failed, error_id %s", error_id)
            response = internal_error_response(error_id)
        return response

    return csrf_exempt(view)


def speaks_tls_alone() -> bool:
    """Whether the node's own address is HTTPS; plain HTTP is for loopback."""
    return urlsplit(settings.PUBLIC_URL).scheme == "https"


def _require_tls(request: HttpRequest) -> None:
    """In clear nothing is served where the node is at an HTTPS address (section 1.6.6); credentials are not read."""
    if speaks_tls_alone() and not request.is_secure():
        raise AccessDeniedError("this node speaks TAXII over HTTPS alone", code="plain-http")


def _require_acceptable(request: HttpRequest) -> None:
    if not is_acceptable(request.META.get("HTTP_ACCEPT")):
        raise NotAcceptableError(f"this door speaks {TAXII}; say so in Accept")


def _locate(locate: Locate[T], request: HttpRequest, principal: Principal, names: Mapping[str, str]) -> T:
    try:
        return locate(principal, names)
    except NotFoundError as error:
        if error.code == ROOT_NOT_FOUND and not names_taxii(request.META.get("HTTP_ACCEPT")):
            # A root is any first part of a path, so a mistyped page of the web comes here too.
            raise Http404 from error
        if principal.kind is PrincipalKind.ANONYMOUS:
            # What is absent and what is not public look the same: both may be there for somebody who signs in.
            raise NotAuthenticatedError("sign in with a token") from error
        raise


def _with_tag(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A resource whose handler said no tag of its own has one by its bytes."""
    if request.method not in {"GET", "HEAD"} or response.status_code != 200 or "ETag" in response:
        return response
    tag = tag_of(response.content)
    set_tag(response, tag)
    return make_not_modified(response) if is_known(tag, known_tags(request)) else response
