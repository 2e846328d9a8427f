"""What all views of the REST door share."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.api.authentication import principal_of
from exchange.api.conditional import answer_for, tag_of
from exchange.api.problems import encoded
from exchange.http.parameters import Parameters
from exchange.services.errors import NotAuthenticatedError, NotFoundError
from exchange.services.principals import PrincipalKind

JSON: Final = "application/json"


class Endpoint(APIView):
    """A view whose refusals are problems. What it shows one reader, that reader may keep and ask about again.

    keeps_nothing: for what holds secrets, or is about them.
    """

    http_method_names = ["get", "head", "post", "delete"]
    keeps_nothing = False

    def handle_exception(self, exc: Exception) -> Response:
        """What is absent and what is not public look the same to nobody: both may be there after signing in."""
        if isinstance(exc, NotFoundError) and principal_of(self.request).kind is PrincipalKind.ANONYMOUS:
            exc = NotAuthenticatedError("sign in with a token")
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Content goes to its reader and to no cache on the way."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        if request.method in ("GET", "HEAD") and finished.status_code == 200 and not self.keeps_nothing:
            return answer_for(request._request, finished)
        finished["Cache-Control"] = "private, no-store"
        return finished


def query_of(request: Request) -> str:
    """The raw query string."""
    return str(request.META.get("QUERY_STRING", ""))


def no_parameters(request: Request) -> None:
    """Refuse a query where the address takes none. Raises: InvalidRequestError."""
    Parameters(query_of(request)).allow_only(())


def bytes_response(
    body: bytes, status: int = 200, media_type: str = JSON, *, tagged: bytes | None = None
) -> HttpResponse:
    """An answer whose bytes are ready. tagged: what its entity tag is made of, where that is not all of the body."""
    response = HttpResponse(body, status=status, content_type=media_type)
    if tagged is not None:
        response["ETag"] = tag_of(tagged)
    return response


def json_response(value: object, status: int = 200) -> HttpResponse:
    """An answer of values that JSON knows."""
    return bytes_response(encoded(value), status)
