"""What the REST door says of itself, served without anything from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
import requests

from exchange.stix.extension_ids import (
    APPEAL_EXTENSION,
    DISTRIBUTION_EXTENSION,
    FEEDBACK_EXTENSION,
    KEYS_EXTENSION,
    RANGES_EXTENSION,
    SELECTOR_EXTENSION,
    SIGNATURE_EXTENSION,
    WITHDRAWAL_EXTENSION,
)
from exchange.stix.fixed import fixed_object
from exchange.stix.reading import read_object
from tests.support.rest import RestNode


def operations_of(node: RestNode) -> list[dict[str, Any]]:
    document = node.nobody.get("/api/schema/").json()
    return [operation for item in document["paths"].values() for operation in item.values()]


OURS = [
    APPEAL_EXTENSION, DISTRIBUTION_EXTENSION, FEEDBACK_EXTENSION, KEYS_EXTENSION, RANGES_EXTENSION, SELECTOR_EXTENSION,
    SIGNATURE_EXTENSION, WITHDRAWAL_EXTENSION,
]  # fmt: skip


def test_the_openapi_document_names_every_operation(node: RestNode) -> None:
    response = node.nobody.get("/api/schema/")
    assert response.headers["Content-Type"].startswith("application/json")
    document = response.json()
    assert document["openapi"] == "3.1.0"
    operations = {(method, path) for path, item in document["paths"].items() for method in item}
    assert operations == {
        ("get", "/api/v1/objects/"), ("post", "/api/v1/objects/"), ("get", "/api/v1/objects/{stix_id}/"),
        ("delete", "/api/v1/objects/{stix_id}/"), ("get", "/api/v1/objects/{stix_id}/versions/"),
        ("get", "/api/v1/objects/{stix_id}/recipients/"), ("get", "/api/v1/objects/{stix_id}/diff/"),
        ("get", "/api/v1/collections/"), ("get", "/api/v1/labs/"), ("get", "/api/v1/labs/{slug}/keys/"),
        ("get", "/api/v1/tokens/"), ("post", "/api/v1/tokens/"), ("delete", "/api/v1/tokens/{prefix}/"),
        ("get", "/api/v1/events/"), ("get", "/api/v1/webhooks/"), ("post", "/api/v1/webhooks/"),
        ("get", "/api/v1/webhooks/{public_id}/"), ("delete", "/api/v1/webhooks/{public_id}/"),
        ("post", "/api/v1/webhooks/{public_id}/secret/"), ("post", "/api/v1/webhooks/{public_id}/resume/"),
        ("get", "/api/v1/whoami/"), ("post", "/api/v1/hints/"),
        ("get", "/api/v1/selectors/epochs/"), ("post", "/api/v1/selectors/evaluate/"),
        ("get", "/api/v1/selectors/counts/"),
        ("post", "/api/v1/signatures/"), ("get", "/api/v1/signatures/{stix_id}/"),
        ("post", "/api/v1/playbooks/"), ("get", "/api/v1/playbooks/{stix_id}/"),
        ("get", "/api/v1/playbooks/{stix_id}/chart.svg"), ("get", "/api/v1/attribution/lookup"),
        ("post", "/api/v1/attribution/lookup/"), ("get", "/api/v1/attribution/export"),
        ("get", "/api/v1/attribution/objects/{stix_id}/"), ("get", "/api/v1/attribution/actors/{stix_id}/"),
        ("get", "/api/v1/onward/"), ("post", "/api/v1/onward/"), ("delete", "/api/v1/onward/{public_id}/"),
        ("post", "/api/v1/onward/{public_id}/decision/"),
    }  # fmt: skip
    references = set(re.findall(r'"#/components/schemas/(\w+)"', response.text))
    assert references <= document["components"]["schemas"].keys()
    for item in document["paths"].values():
        for operation in item.values():
            assert {"bearer": []} in operation["security"]


def test_the_page_for_people_loads_nothing_from_elsewhere(node: RestNode) -> None:
    page = node.nobody.get("/api/docs/")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    for operation in operations_of(node):
        assert f'<section id="{operation["operationId"]}">' in page.text
    for slug in ("cursor", "search-too-long", "idempotency-key-reused"):
        assert f"<code>{slug}</code>" in page.text
    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/")
        assert node.nobody.get(address).status_code == 200
    assert "<script" not in page.text
    assert not re.findall(r"https?://", page.text)


@pytest.mark.parametrize("path", ["/api/docs/", "/api/schema/", "/api/docs/extensions/appeal.json", "/api/nothing/"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_what_the_door_says_of_itself_is_read_only(node: RestNode, path: str, method: str) -> None:
    response = node.nobody.request(method, path)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.status_code == (404 if path == "/api/nothing/" else 405)
    if response.status_code == 405:
        assert response.headers["Allow"] == "GET, HEAD"


def test_a_head_request_has_the_headers_and_no_body(node: RestNode) -> None:
    for path in ("/api/docs/", "/api/schema/", "/api/v1/whoami/", "/api/v1/objects/"):
        head, get = (node.aurora.request(method, path) for method in ("HEAD", "GET"))
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        assert head.headers.get("ETag") == get.headers.get("ETag")


@pytest.mark.parametrize("extension", OURS)
def test_every_extension_has_its_schema_where_its_definition_says(node: RestNode, extension: str) -> None:
    definition = read_object(fixed_object(extension)).members
    response: requests.Response = node.nobody.get(str(definition["schema"]))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/schema+json"
    jsonschema_rs.meta.validate(response.json())
    assert node.nobody.get("/api/docs/extensions/nothing.json").status_code == 404
