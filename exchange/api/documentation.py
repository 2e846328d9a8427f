"""What the door says of itself: the OpenAPI document, a page for people made from it, and the schemas of extensions.

All of it is served from here; no page loads anything from elsewhere.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularAPIView

from exchange.api.problems import problem_of, problem_response
from exchange.services.errors import NotFoundError

METHODS: Final = ("get", "post", "delete")
_EXTENSIONS: Final = files("exchange.api").joinpath("extensions")
EXTENSION_SCHEMAS: Final = {
    entry.name.removesuffix(".json"): entry.read_bytes()
    for entry in _EXTENSIONS.iterdir()
    if entry.name.endswith(".json")
}


class SchemaView(SpectacularAPIView):
    """GET /api/schema/: OpenAPI 3.1 as JSON."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer]
    authentication_classes = []


@require_safe
def show_documentation(request: HttpRequest) -> HttpResponse:
    """GET /api/docs/: the same for people."""
    return render(request, "api/documentation.html", _document())


@require_safe
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
def _document() -> dict[str, Any]:
    """What the page shows, taken from the OpenAPI document once for a process."""
    generator: Any = SchemaGenerator  # drf-spectacular leaves its methods untyped
    document = generator().get_schema(public=True)
    operations = [
        {"method": method.upper(), "path": path, **_operation(item[method])}
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]
    forms = [
        {"name": name, "text": json.dumps(schema, indent=1), "description": schema.get("description", "")}
        for name, schema in sorted(document["components"]["schemas"].items())
    ]
    return {"info": document["info"], "operations": operations, "forms": forms}


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    responses = [
        {"status": status, "description": response.get("description", ""), "form": _form_of(response)}
        for status, response in sorted(operation["responses"].items())
    ]
    return {
        "id": operation["operationId"],
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "body": _form_of(operation.get("requestBody", {})),
        "responses": responses,
    }


def _form_of(part: dict[str, Any]) -> str:
    """Name of the form of a body, "" if there is none."""
    contents = part.get("content", {}).values()
    return next((str(each["schema"].get("$ref", "")).rpartition("/")[2] for each in contents), "")
