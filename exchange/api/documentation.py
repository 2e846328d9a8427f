"""What the door says of itself: the OpenAPI document, a page for people made from it, and the schemas of extensions.

All of it is served from here; no page loads anything from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from importlib.resources import files
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from exchange.api.conditional import answer_for
from exchange.api.endpoint import Endpoint, bytes_response, no_parameters
from exchange.api.page import page_of
from exchange.api.problems import encoded, problem_of, problem_response
from exchange.http.errors import MethodNotAllowedError
from exchange.services.errors import NotFoundError

View = Callable[..., HttpResponse]

_EXTENSIONS: Final = files("exchange.api").joinpath("extensions")
EXTENSION_SCHEMAS: Final = {
    entry.name.removesuffix(".json"): entry.read_bytes()
    for entry in _EXTENSIONS.iterdir()
    if entry.name.endswith(".json")
}


def read_only(view: View) -> View:
    """GET and HEAD; other methods are a problem like all others of the door."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request, *args, **kwargs)
        refused = MethodNotAllowedError("GET, HEAD")
        response = problem_response(problem_of(refused))
        response["Allow"] = refused.allowed
        return response

    return guarded


class SchemaView(Endpoint):
    """GET /api/schema/: OpenAPI 3.1 as JSON, for everybody."""

    authentication_classes = []

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Serve it."""
        no_parameters(request)
        return bytes_response(encoded(document()))


@read_only
def show_documentation(request: HttpRequest) -> HttpResponse:
    """GET /api/docs/: the same for people."""
    return answer_for(request, HttpResponse(_html()))


@read_only
def show_extension(_request: HttpRequest, name: str) -> HttpResponse:
    """GET /api/docs/extensions/{name}.json: the JSON schema of one of our extensions."""
    schema = EXTENSION_SCHEMAS.get(name)
    if schema is None:
        return show_nothing(_request)
    return HttpResponse(schema, content_type="application/schema+json")


@csrf_exempt
def show_nothing(_request: HttpRequest, **_names: str) -> HttpResponse:
    """Any other address of the door; REST addresses end in a slash."""
    return problem_response(problem_of(NotFoundError("there is nothing at this address; addresses end in a slash")))


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The OpenAPI document, made once for a process."""
    generator: Any = SchemaGenerator  # drf-spectacular leaves its methods untyped
    made: dict[str, Any] = generator().get_schema(public=True)
    return made


@lru_cache(maxsize=1)
def _html() -> str:
    return render_to_string("api/documentation.html", page_of(document()))
