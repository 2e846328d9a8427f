"""Examples made from forms: one value for each, from the examples, constants and types that the form names itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_OF_TYPE: Final[Mapping[str, Any]] = {"string": "text", "integer": 1, "number": 1.5, "boolean": False, "null": None}

_OF_FORMAT: Final[Mapping[str, Any]] = {
    "uuid": "7d3f0f5e-6a4b-4f0e-9d0a-2f6f3c1b8a55",
    "date-time": "2026-11-24T12:00:00.000000Z",
    "uri": "https://lab.example/hook",
}


def example_of(schema: Mapping[str, Any], forms: Mapping[str, Any]) -> Any:
    """A value of this form; `forms` are those that `$ref` may name. Forms that name themselves are not known here."""
    if "$ref" in schema:
        return example_of(forms[schema["$ref"].rpartition("/")[2]], forms)
    for name, pick in (("examples", 0), ("enum", 0), ("oneOf", 0), ("anyOf", 0)):
        if name in schema:
            found = schema[name][pick]
            return example_of(found, forms) if name in ("oneOf", "anyOf") else found
    if "const" in schema:
        return schema["const"]
    if "allOf" in schema:
        parts = [example_of(each, forms) for each in schema["allOf"]]
        return {name: value for part in parts for name, value in part.items()} if len(parts) > 1 else parts[0]
    return _of_type(schema, forms)


def _of_type(schema: Mapping[str, Any], forms: Mapping[str, Any]) -> Any:
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        return {name: example_of(each, forms) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        return [example_of(schema["items"], forms)]
    return _OF_FORMAT.get(schema.get("format", ""), _OF_TYPE[kind])
