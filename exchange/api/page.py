"""What the page for people shows, taken from the OpenAPI document. Knows no requests, and writes no HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from exchange.api.examples import example_of
from exchange.api.slugs import SLUGS

METHODS: Final = ("get", "post", "delete")

GROUPS: Final[Mapping[str, str]] = {
    "objects": "Objects",
    "playbooks": "Playbooks",
    "attribution": "Attribution",
    "collections": "Community",
    "labs": "Community",
    "tokens": "Tokens",
    "whoami": "Tokens",
}
"""Tags of the document, and under which name the page shows them, in its order. What has another tag comes last."""


def page_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The context of the template: operations in groups, forms, and the slugs of problems."""
    forms = document["components"]["schemas"]
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in GROUPS.values()}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = _operation(method, path, item[method], forms)
                tag = item[method]["tags"][0]
                groups.setdefault(GROUPS.get(tag, tag), []).append(operation)
    return {
        "info": document["info"],
        "groups": [{"name": name, "operations": operations} for name, operations in groups.items()],
        "forms": [_form(name, schema, forms) for name, schema in sorted(forms.items())],
        "slugs": [
            {"status": status, "slugs": {slug: words_in(meaning) for slug, meaning in slugs.items()}}
            for status, slugs in SLUGS.items()
        ],
    }


def words_in(text: str) -> list[dict[str, Any]]:
    """A text in parts: what stands between backticks is code."""
    parts = enumerate(text.split("`"))
    return [{"text": part, "is_code": index % 2 == 1} for index, part in parts if part]


def _operation(method: str, path: str, operation: Mapping[str, Any], forms: Mapping[str, Any]) -> dict[str, Any]:
    parameters = operation.get("parameters", [])
    responses = [
        {"status": status, "words": words_in(response.get("description", "")), "form": _form_of(response)}
        for status, response in sorted(operation["responses"].items())
    ]
    answered = next((each["form"] for each in responses if each["status"].startswith("2") and each["form"]), "")
    return {
        "method": method.upper(),
        "path": path,
        "id": operation["operationId"],
        "summary": operation.get("summary", ""),
        "words": words_in(operation.get("description", "")),
        "is_public": {} in operation.get("security", []),
        "parameters": [_parameter(each) for each in parameters],
        "body": _form_of(operation.get("requestBody", {})),
        "responses": responses,
        "request": "\n".join(_request(method, path, operation, forms)),
        "answer": _json(example_of(forms[answered], forms)) if answered else _text_answer(operation),
    }


def _text_answer(operation: Mapping[str, Any]) -> str:
    """The example of an answer that is text and of no form, "" if there is none."""
    content = operation["responses"].get("200", {}).get("content", {})
    examples = [each["schema"].get("examples", []) for each in content.values() if "schema" in each]
    return next((str(found[0]) for found in examples if found), "")


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    return {
        "name": parameter["name"],
        "where": parameter["in"],
        "is_required": parameter.get("required", False),
        "kind": " or ".join(schema["enum"]) if "enum" in schema else schema.get("format", schema["type"]),
        "words": words_in(parameter.get("description", "")),
        "example": _example(schema),
    }


def _request(method: str, path: str, operation: Mapping[str, Any], forms: Mapping[str, Any]) -> Iterator[str]:
    """Lines of a command for a shell. Only what is needed stands in it, and the first filters of a list."""
    parameters = operation.get("parameters", [])
    for each in parameters:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", _example(each["schema"]) or each["name"])
    asked = [(each["name"], _example(each["schema"])) for each in parameters if each["in"] == "query"]
    query = "&".join(f"{name}={quote(value)}" for name, value in asked[1:3] if value)
    action = "" if method == "get" else f"-X {method.upper()} "
    yield f'curl {action}-H "Authorization: Bearer $TOKEN" \\'
    if any(each["name"] == "Idempotency-Key" for each in parameters):
        yield '  -H "Idempotency-Key: a-name-of-your-own" \\'
    body = _form_of(operation.get("requestBody", {}))
    if body:
        yield '  -H "Content-Type: application/json" \\'
        yield f"  -d '{json.dumps(example_of(forms[body], forms))}' \\"
    yield f'  "$NODE{path}{"?" + query if query and method == "get" else ""}"'


def _form(name: str, schema: Mapping[str, Any], forms: Mapping[str, Any]) -> dict[str, Any]:
    members = schema.get("properties", {})
    return {
        "name": name,
        "words": words_in(schema.get("description", "")),
        "members": [
            {
                "name": member,
                "kind": _kind(each),
                "form": str(each.get("items", each).get("$ref", "")).rpartition("/")[2],
                "is_required": member in schema.get("required", []),
                "words": words_in(each.get("description", "")),
            }
            for member, each in members.items()
        ],
        "text": "" if members else _json(schema),
        "example": _json(example_of(schema, forms)) if members else "",
    }


def _kind(schema: Mapping[str, Any]) -> str:
    if "items" in schema:
        return f"list of {_kind(schema['items'])}"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " or ".join(json.dumps(each) for each in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    for name, word in (("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")):
        if name in schema:
            return word.join(_kind(each) for each in schema[name])
    kinds = schema.get("type", "any value")
    kind = kinds if isinstance(kinds, str) else " or ".join(kinds)
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _example(schema: Mapping[str, Any]) -> str:
    return str(schema["examples"][0]) if schema.get("examples") else ""


def _form_of(part: Mapping[str, Any]) -> str:
    """Name of the form of a body, "" if there is none."""
    contents = part.get("content", {}).values()
    return next((str(each["schema"].get("$ref", "")).rpartition("/")[2] for each in contents), "")


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
