"""What the TAXII door answers: resources, error resources, and the headers of pages (TAXII 2.1 sections 3.2, 3.6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse

from exchange.http.bodies import ACCEPTED_CODINGS
from exchange.http.credentials import CHALLENGE
from exchange.http.errors import MethodNotAllowedError, NotAcceptableError, UnsupportedMediaTypeError
from exchange.http.validators import make_not_modified, set_tag
from exchange.services.errors import (
    AccessDeniedError,
    ConflictError,
    ExchangeError,
    InvalidRequestError,
    NotAuthenticatedError,
    NotFoundError,
    NotReadyError,
    OutOfScopeError,
    PolicyError,
    RateLimitedError,
    TooLargeError,
)
from exchange.stix.errors import MalformedJsonError, StixError
from exchange.stix.timestamps import format_taxii
from exchange.taxii.media_types import TAXII

STATUS_OF: Final[Mapping[type[Exception], tuple[int, str]]] = {
    InvalidRequestError: (400, "The request is malformed"),
    MalformedJsonError: (400, "The body is not sound JSON"),
    NotAuthenticatedError: (401, "Sign in"),
    AccessDeniedError: (403, "Not allowed"),
    NotFoundError: (404, "Not found"),
    MethodNotAllowedError: (405, "Method not allowed"),
    NotAcceptableError: (406, "Nothing acceptable"),
    TooLargeError: (413, "Too large"),
    UnsupportedMediaTypeError: (415, "Unsupported media type"),
    # TAXII 2.1 section 5.5 knows no 409.
    ConflictError: (422, "In conflict with what is stored"),
    PolicyError: (422, "Against the sharing policy"),
    OutOfScopeError: (422, "Outside the agreement"),
    StixError: (422, "Content that cannot be processed"),
    RateLimitedError: (429, "Too many requests"),
    NotReadyError: (503, "Not ready"),
    ExchangeError: (400, "Refused"),
}
"""What a class of refusal is in HTTP; the nearest ancestor of a class counts."""

RETRY_AFTER_S: Final = 5


def resource_response(resource: Mapping[str, Any], status: int = 200) -> HttpResponse:
    """A TAXII resource that describes, and holds no intelligence."""
    return bytes_response(_encoded(resource), status)


def bytes_response(body: bytes, status: int = 200) -> HttpResponse:
    """An answer whose bytes are ready."""
    response = HttpResponse(body, status=status, content_type=TAXII)
    response["Cache-Control"] = "private, no-store"
    response["Vary"] = "Accept, Authorization"
    return response


def set_dates(response: HttpResponse, first: datetime, last: datetime) -> None:
    """`date_added` of the first and last item of this answer (section 3.2); empty pages carry neither."""
    response["X-TAXII-Date-Added-First"] = format_taxii(first)
    response["X-TAXII-Date-Added-Last"] = format_taxii(last)


def tagged(response: HttpResponse, tag: str, *, is_known: bool) -> HttpResponse:
    """A page with its entity tag, or 304 if the client has it. Nothing asked of the database has no tag of its own."""
    if not tag:
        return response
    set_tag(response, tag)
    return make_not_modified(response) if is_known else response


def error_response(error: ExchangeError | StixError) -> HttpResponse:
    """The error resource (section 3.6.1) of a refusal."""
    status, title = status_of(error)
    response = resource_response(error_resource(error, status, title), status)
    if status == 401:
        response["WWW-Authenticate"] = CHALLENGE
    if status == 503:
        response["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, RateLimitedError):
        response["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, UnsupportedMediaTypeError):
        response["Accept-Encoding"] = ACCEPTED_CODINGS
    if isinstance(error, MethodNotAllowedError):
        response["Allow"] = error.allowed
    return response


def internal_error_response(error_id: str) -> HttpResponse:
    """The answer to a fault of ours; `error_id` is in the log beside it, and nothing else is told."""
    resource = {"title": "Internal error", "error_id": error_id, "error_code": "internal", "http_status": "500"}
    return resource_response(resource, 500)


def error_resource(error: ExchangeError | StixError, status: int, title: str) -> dict[str, Any]:
    """Members of the error resource; a place in the body stands in `details`."""
    detail = error.detail if isinstance(error, ExchangeError) else error.message
    resource: dict[str, Any] = {
        "title": title,
        "description": detail,
        "error_code": error.code,
        "http_status": str(status),
    }
    if error.pointer:
        resource["details"] = {"pointer": error.pointer}
    return resource


def status_of(error: Exception) -> tuple[int, str]:
    """HTTP status and title of a refusal."""
    return next(STATUS_OF[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUS_OF)


def _encoded(resource: Mapping[str, Any]) -> bytes:
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
