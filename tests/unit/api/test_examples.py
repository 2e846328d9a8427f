"""Examples of the document and of the page: of their forms, for every operation, and escaped."""

from __future__ import annotations

from typing import Any

import pytest
from django.template.loader import render_to_string

from exchange.api.documentation import document
from exchange.api.examples import example_of
from exchange.api.page import page_of
from exchange.api.schemas import COMPONENTS
from tests.support.forms import assert_form

OPERATIONS = [operation for item in document()["paths"].values() for operation in item.values()]


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_the_example_of_a_form_is_of_that_form(name: str) -> None:
    assert_form(example_of(COMPONENTS[name], COMPONENTS), name)


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_a_form_says_what_it_is_and_which_members_it_must_have(name: str) -> None:
    form = COMPONENTS[name]
    assert form["description"]
    if "properties" in form:
        assert "required" in form or name == "Bounds"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation["operationId"]))
def test_an_operation_describes_all_that_it_takes_and_answers(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    for parameter in operation.get("parameters", []):
        assert parameter["description"], parameter["name"]
    assert {"400", "401", "406", "503"} <= operation["responses"].keys()
    for status, response in operation["responses"].items():
        assert response.get("description") or status == "204", status
        if status.startswith(("4", "5")):
            assert list(response["content"]) == ["application/problem+json"]


def test_the_page_shows_a_request_and_an_answer_for_every_operation() -> None:
    shown = [operation for group in page_of(document())["groups"] for operation in group["operations"]]
    assert {each["id"] for each in shown} == {each["operationId"] for each in OPERATIONS}
    for each in shown:
        assert each["request"].startswith("curl ")
        assert "{" not in each["request"].partition("$NODE")[2]
        # Deleting an object may have to name feeds that keep it; nothing else that is deleted leaves something to say,
        # and neither does a hint.
        is_silent = each["id"] == "hint" or (each["method"] == "DELETE" and each["id"] != "deleteObject")
        assert bool(each["answer"]) != is_silent


def test_nothing_in_the_document_can_become_markup() -> None:
    hostile = '<script>"&'
    form = {
        "description": hostile,
        "type": "object",
        "properties": {hostile: {"type": "string", "examples": [hostile]}},
    }
    operation = {
        "operationId": "x", "summary": hostile, "description": hostile, "tags": [hostile], "responses": {},
        "parameters": [{"name": hostile, "in": "query", "description": hostile, "schema": {"type": "string"}}],
    }  # fmt: skip
    made = page_of({
        "info": {"description": hostile}, "paths": {f"/{hostile}/": {"get": operation}},
        "components": {"schemas": {hostile: form}},
    })  # fmt: skip
    assert "<script" not in render_to_string("api/documentation.html", made)
