"""What all views of the REST door share."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.api.authentication import principal_of
from exchange.services.errors import NotAuthenticatedError, NotFoundError
from exchange.services.principals import PrincipalKind

JSON: Final = "application/json"


class Endpoint(APIView):
    """A view whose refusals are problems and whose answers no cache keeps."""

    http_method_names = ["get", "head", "post", "delete"]

    def handle_exception(self, exc: Exception) -> Response:
        """What is absent and what is not public look the same to nobody: both may be there after signing in."""
        if isinstance(exc, NotFoundError) and principal_of(self.request).kind is PrincipalKind.ANONYMOUS:
            exc = NotAuthenticatedError("sign in with a token")
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Content goes to its reader and to no cache on the way."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished["Cache-Control"] = "private, no-store"
        return finished


def query_of(request: Request) -> str:
    """The raw query string."""
    return str(request.META.get("QUERY_STRING", ""))


def bytes_response(body: bytes, status: int = 200, media_type: str = JSON) -> HttpResponse:
    """An answer whose bytes are ready."""
    return HttpResponse(body, status=status, content_type=media_type)
