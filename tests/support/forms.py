"""Holds answers of the REST door against the forms that its OpenAPI document publishes."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from exchange.api.schemas import COMPONENTS


def assert_form(value: Any, name: str) -> None:
    """Fail with the first place where a value is not of a form."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": COMPONENTS}}
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)
