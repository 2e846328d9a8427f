"""Bodies of forms, read before Django's protection against forged requests reads them: small, announced, in time.

Everybody can post a form to the sign-in page. Views that are exempt from that protection count bodies themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, UnreadablePostError

from exchange.http.deadlines import Readers
from exchange.http.errors import SlowBodyError
from exchange.services.errors import NotReadyError

MAX_FORM_BYTES: Final = 16 * 1024
"""The largest form chooses 50 rows by number; signing in takes some 300 bytes."""

FORM_TIMEOUT_S: Final = 10.0

MAX_AWAITED: Final = 2
"""A quarter of the threads of docker/Dockerfile: slow forms of strangers stop other forms, and nothing else."""

MAX_READERS: Final = 32

_readers: Final = Readers(at_once=MAX_READERS, awaited=MAX_AWAITED)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class FormBodies:
    """Middleware, in front of CsrfViewMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _arguments: Any, _names: Any
    ) -> HttpResponse | None:
        """Refuse a form that is too large or too slow; else let it pass with its body in memory."""
        if request.method in _SAFE or getattr(view, "csrf_exempt", False):
            return None
        length = str(request.META.get("CONTENT_LENGTH") or "")
        if not (length.isascii() and length.isdigit()):
            return _refusal(HTTPStatus.LENGTH_REQUIRED)
        if len(length) > len(str(MAX_FORM_BYTES)) or int(length) > MAX_FORM_BYTES:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            _readers.read_within(lambda: request.body, timeout_s=FORM_TIMEOUT_S)
        except SlowBodyError:
            return _refusal(HTTPStatus.REQUEST_TIMEOUT)
        except UnreadablePostError:
            return _refusal(HTTPStatus.BAD_REQUEST)
        except NotReadyError:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE)
        return None


def _refusal(status: HTTPStatus) -> HttpResponse:
    # The rest of the body is not read, so the connection cannot serve another request.
    return HttpResponse(f"{status.phrase}\n", status=status, content_type="text/plain", headers={"Connection": "close"})
