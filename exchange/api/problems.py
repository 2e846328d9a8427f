"""RFC 9457 problem details: one table from a class of refusal to a status, and one form for all answers that refuse.

`type` is a URN made of the refusal's code, so that programs can rely on it; title and detail are for people.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import orjson
from django.http import Http404, HttpResponse
from rest_framework.exceptions import APIException

from exchange.http.bodies import ACCEPTED_CODINGS
from exchange.http.credentials import CHALLENGE
from exchange.http.errors import (
    DATABASE_AWAY,
    MethodNotAllowedError,
    NotAcceptableError,
    SlowBodyError,
    TooManyStreamsError,
    UnsupportedMediaTypeError,
    database_away,
)
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
from exchange.services.idempotency import KeyReusedError
from exchange.stix.errors import MalformedJsonError, StixError

MEDIA_TYPE: Final = "application/problem+json"
URN: Final = "urn:commonwatch:problem:"
RETRY_AFTER_S: Final = 5

STATUS_OF: Final[Mapping[type[Exception], tuple[int, str]]] = {
    InvalidRequestError: (400, "The request is malformed"),
    MalformedJsonError: (400, "The body is not sound JSON"),
    NotAuthenticatedError: (401, "Sign in"),
    AccessDeniedError: (403, "Not allowed"),
    NotFoundError: (404, "Not found"),
    Http404: (404, "Not found"),
    MethodNotAllowedError: (405, "Method not allowed"),
    NotAcceptableError: (406, "Nothing acceptable"),
    SlowBodyError: (408, "Too slow"),
    ConflictError: (409, "In conflict with what is stored"),
    TooLargeError: (413, "Too large"),
    UnsupportedMediaTypeError: (415, "Unsupported media type"),
    TooManyStreamsError: (429, "Too many streams"),
    KeyReusedError: (422, "Idempotency-Key used before"),
    PolicyError: (422, "Against the sharing policy"),
    OutOfScopeError: (422, "Outside the agreement"),
    StixError: (422, "Content that cannot be processed"),
    RateLimitedError: (429, "Too many requests"),
    NotReadyError: (503, "Not ready"),
    ExchangeError: (400, "Refused"),
}
"""What a class of refusal is in HTTP; the nearest ancestor of a class counts."""

_log: Final = logging.getLogger("exchange.api")


def handle_exception(exception: Exception, _context: object) -> HttpResponse:
    """DRF's exception handler: whatever happened becomes a problem, and faults of ours tell nothing of themselves."""
    if isinstance(exception, DATABASE_AWAY):
        _log.error("REST request without a database", exc_info=exception)
        exception = database_away()
    if isinstance(exception, APIException):
        return _drf_response(exception)
    if not isinstance(exception, ExchangeError | StixError | Http404):
        _log.error("REST request failed", exc_info=exception)
        return problem_response(problem("internal", "Internal error", 500))
    status, _ = status_of(exception)
    response = problem_response(problem_of(exception))
    if status == 401:
        response["WWW-Authenticate"] = CHALLENGE
    if status in (429, 503):
        response["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(exception, RateLimitedError):
        response["Retry-After"] = str(exception.retry_after_s)
    if isinstance(exception, UnsupportedMediaTypeError):
        response["Accept-Encoding"] = ACCEPTED_CODINGS
    return response


def problem_of(error: ExchangeError | StixError | Http404) -> dict[str, Any]:
    """The problem that a refusal is."""
    status, title = status_of(error)
    if isinstance(error, Http404):
        return problem("not-found", title, status)
    found = problem(error.code, title, status, detail_of(error))
    if error.pointer:
        found["pointer"] = error.pointer
    return found


def problem(code: str, title: str, status: int, detail: str = "") -> dict[str, Any]:
    """A problem's members (RFC 9457 section 3.1)."""
    found: dict[str, Any] = {"type": URN + code, "title": title, "status": status}
    return found | ({"detail": detail} if detail else {})


def problem_response(found: Mapping[str, Any]) -> HttpResponse:
    """The answer that a problem is."""
    return HttpResponse(encoded(found), status=found["status"], content_type=MEDIA_TYPE)


def status_of(error: Exception) -> tuple[int, str]:
    """HTTP status and title of a refusal."""
    return next(STATUS_OF[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUS_OF)


def detail_of(error: ExchangeError | StixError) -> str:
    """The sentence for a person."""
    return error.detail if isinstance(error, ExchangeError) else error.message


def encoded(value: object) -> bytes:
    """JSON bytes of an answer."""
    return orjson.dumps(value)


def _drf_response(error: APIException) -> HttpResponse:
    """What DRF itself refuses: methods and media types."""
    code = error.get_codes()
    slug = code.replace("_", "-") if isinstance(code, str) else "invalid-request"
    return problem_response(problem(slug, str(error.detail), error.status_code))
