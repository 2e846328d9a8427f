"""What OpenAPI says of the door's bodies and answers. The forms themselves stand in components.json.

Views name a form; nothing is parsed or written here. Tests hold the answers of a real node against the forms.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from drf_spectacular.utils import OpenApiResponse

COMPONENTS: Final[dict[str, Any]] = json.loads(files("exchange.api").joinpath("components.json").read_text("utf-8"))


PUBLIC_OPERATIONS: Final = frozenset(
    {
        "compareVersions",
        "countEvaluations",
        "drawPlaybook",
        "listCollections",
        "listObjects",
        "listVersions",
        "readObject",
        "readPlaybook",
        "readSignature",
    }
)
"""Served to everybody, as far as something is public."""

UNTAGGED: Final = frozenset(
    {
        "exportClaims",
        "followEvents",
        "issueToken",
        "listSelectorEpochs",
        "listTokens",
        "listWebhooks",
        "readWebhook",
    }
)
"""Their answers hold secrets, or are about them, or are made anew each time: no cache keeps them, the reader's own
neither."""

_TEXT: Final = {"schema": {"type": "string"}}
_CONTENT_HEADERS: Final = {
    "ETag": {"description": "Tag of what you get; send it in If-None-Match.", "required": True, **_TEXT},
    "Cache-Control": {"description": "private, no-cache", "required": True, **_TEXT},
    "Vary": {"description": "Authorization, Accept-Encoding", "required": True, **_TEXT},
}
_HEADERS_OF: Final[dict[str, dict[str, Any]]] = {
    "401": {"WWW-Authenticate": {"description": "Bearer and Basic", "required": True, **_TEXT}},
    "503": {"Retry-After": {"description": "Seconds", "required": True, "schema": {"type": "integer"}}},
}
_NOT_MODIFIED: Final = {"description": "You have it already: If-None-Match names it.", "headers": _CONTENT_HEADERS}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "description": "Tags of answers that you have; if this would be one of them, it is 304 without a body.",
    "schema": {"type": "string"},
}


def complete_document(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Hook of drf-spectacular: put in the forms, headers, and which ways to sign in each operation takes."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
    for item in result["paths"].values():
        for method, operation in item.items():
            operation["security"] = [{"bearer": []}, {"basic": []}]
            if operation["operationId"] in PUBLIC_OPERATIONS:
                operation["security"].append({})
            for status, response in operation["responses"].items():
                response.setdefault("headers", {}).update(_HEADERS_OF.get(status, {}))
            if method == "get" and operation["operationId"] not in UNTAGGED:
                operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
                operation["responses"]["200"]["headers"].update(_CONTENT_HEADERS)
                operation["responses"]["304"] = _NOT_MODIFIED
    return result


def form(name: str) -> dict[str, str]:
    """A reference to a form."""
    if name not in COMPONENTS:
        raise KeyError(name)
    return {"$ref": f"#/components/schemas/{name}"}


def text(description: str, example: str) -> OpenApiResponse:
    """An answer that is text, of no form."""
    return OpenApiResponse({"type": "string", "examples": [example]}, description)


def answers(name: str, description: str) -> OpenApiResponse:
    """An answer of a form."""
    return OpenApiResponse(form(name), description)
