"""What OpenAPI says of the door's bodies, parameters and problems. The forms themselves stand in components.json.

Views name a form; nothing is parsed or written here. Tests hold the answers of a real node against the forms.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from exchange.api.problems import MEDIA_TYPE

COMPONENTS: Final[dict[str, Any]] = json.loads(files("exchange.api").joinpath("components.json").read_text("utf-8"))


PUBLIC_OPERATIONS: Final = frozenset({"listCollections", "listObjects", "listVersions", "readObject"})
"""Served to everybody, as far as something is public."""


def complete_document(result: dict[str, Any], **_context: object) -> dict[str, Any]:
    """Hook of drf-spectacular: put in the forms, and which ways to sign in each operation takes."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
    for item in result["paths"].values():
        for operation in item.values():
            operation["security"] = [{"bearer": []}, {"basic": []}]
            if operation["operationId"] in PUBLIC_OPERATIONS:
                operation["security"].append({})
    return result


def form(name: str) -> dict[str, str]:
    """A reference to a form."""
    if name not in COMPONENTS:
        raise KeyError(name)
    return {"$ref": f"#/components/schemas/{name}"}


def answers(name: str, description: str) -> OpenApiResponse:
    """An answer of a form."""
    return OpenApiResponse(form(name), description)


PROBLEMS: Final = {
    (401, MEDIA_TYPE): answers("Problem", "No token, or one that is not valid."),
    (404, MEDIA_TYPE): answers("Problem", "Absent, or not for you: the two look the same."),
}
READ_PROBLEMS: Final = PROBLEMS | {
    (400, MEDIA_TYPE): answers("Problem", "A parameter is malformed, repeated or unknown."),
    (403, MEDIA_TYPE): answers("Problem", "The token may not do this."),
}
WRITE_PROBLEMS: Final = READ_PROBLEMS | {
    (408, MEDIA_TYPE): answers("Problem", "The body did not arrive in time."),
    (409, MEDIA_TYPE): answers("Problem", "In conflict with what is stored."),
    (413, MEDIA_TYPE): answers("Problem", "The body, or every object in it, is too large."),
    (415, MEDIA_TYPE): answers("Problem", "Another media type or content coding is expected."),
    (422, MEDIA_TYPE): answers(
        "Problem", "Every object was refused, or the Idempotency-Key came with another request."
    ),
}
LIST_PARAMETERS: Final = [
    OpenApiParameter("collection", str, description="Id or alias; the view `all` if left out."),
    OpenApiParameter("type", str, description="STIX types, separated by commas."),
    OpenApiParameter("added_after", OpenApiTypes.DATETIME, description="Strictly later; at most six digits, `Z`."),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 999_999_999}, description="Objects a page."),
    OpenApiParameter("cursor", str, description="`next` of the page before."),
]
PUBLISH_PARAMETERS: Final = [
    OpenApiParameter("dry_run", bool, description="Check everything, store nothing."),
    OpenApiParameter("sign", bool, description="Have the node sign with the key that it holds for you."),
    OpenApiParameter("collection", str, description="Id or alias; by type if left out."),
    OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="Keeps the answer for 24 h."),
]
