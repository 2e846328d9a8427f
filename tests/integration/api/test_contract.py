"""Every operation against the OpenAPI document that the node serves: what is sent as it says, and what is not.

Left out is the check that sound data is taken: a cursor, a time that exists or an id that is stored are more than their
forms say.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from exchange.api.documentation import document
from exchange.stix.markings import Tlp
from tests.support.labs import Community
from tests.support.rest import RestNode

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
STREAMS = {"/api/v1/events/", "/api/v1/attribution/lookup/"}
"""One goes on for minutes, test_events.py reads some; the other takes lines, which no generator makes."""

OPERATIONS = sorted(
    (method.upper(), path)
    for path, item in document()["paths"].items()
    for method in item
    if method != "parameters" and path not in STREAMS
)
REFUSING = [
    (method, path)
    for method, path in OPERATIONS
    if "requestBody" in document()["paths"][path][method.lower()]
    or any(each["in"] == "query" for each in document()["paths"][path][method.lower()].get("parameters", []))
]
"""Operations that take more than any text: to the others nothing unsound can be sent."""

UNKNOWN_ID = "7d3f0f5e-6a4b-4f0e-9d0a-2f6f3c1b8a55"
"""Webhooks that are there have tests of their own."""

EXAMPLES, MANY_EXAMPLES = 6, 150

quick = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
thorough = settings(quick, max_examples=MANY_EXAMPLES, derandomize=False)


def stored_ids(community: Community) -> dict[str, list[str]]:
    """What the names in addresses may stand for: an object in two versions, a lab, a token."""
    aurora = community.aurora
    first = aurora.indicator(Tlp.AMBER, name="Quasar")
    second = aurora.next_version(first, name="Quasar again")
    outcomes = aurora.publish(aurora.signed(first), aurora.signed(second))
    assert all(outcome.error is None for outcome in outcomes)
    prefix = aurora.client_token.rpartition("_")[0]
    return {
        "stix_id": [first["id"], aurora.identity],
        "slug": ["aurora", "node"],
        "prefix": [prefix],
        "public_id": [UNKNOWN_ID],
    }


def hold(node: RestNode, method: str, path: str, mode: GenerationMode, token: str, limits: settings) -> None:
    """Send what the document says, or in the other mode what it does not, and check each answer."""
    known = stored_ids(node.community)
    schema = schemathesis.openapi.from_dict(document())
    operation = schema[path][method]
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    @limits
    @given(st.data())
    def run(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        for name in case.path_parameters or {}:
            if mode is GenerationMode.POSITIVE and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(known[name]))
        case.call_and_validate(base_url=node.url, headers=headers, checks=CHECKS)

    run()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_member_gets_what_the_document_says(node: RestNode, method: str, path: str) -> None:
    hold(node, method, path, GenerationMode.POSITIVE, node.community.aurora.token, quick)


@pytest.mark.parametrize(("method", "path"), REFUSING)
def test_what_the_document_does_not_say_is_refused_as_it_says(node: RestNode, method: str, path: str) -> None:
    hold(node, method, path, GenerationMode.NEGATIVE, node.community.aurora.token, quick)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nobody_gets_what_the_document_says(node: RestNode, method: str, path: str) -> None:
    hold(node, method, path, GenerationMode.POSITIVE, "", quick)


@pytest.mark.faults
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_the_document_holds_in_many_rounds(node: RestNode, method: str, path: str) -> None:
    for token in (node.community.aurora.token, ""):
        hold(node, method, path, GenerationMode.POSITIVE, token, thorough)
        if (method, path) in REFUSING:
            hold(node, method, path, GenerationMode.NEGATIVE, token, thorough)
