"""What the REST door says of itself, served without anything from elsewhere."""

from __future__ import annotations

import re

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
        ("get", "/api/v1/objects/{stix_id}/recipients/"),
        ("get", "/api/v1/collections/"), ("get", "/api/v1/labs/"), ("get", "/api/v1/labs/{slug}/keys/"),
        ("get", "/api/v1/tokens/"), ("post", "/api/v1/tokens/"), ("delete", "/api/v1/tokens/{prefix}/"),
        ("get", "/api/v1/whoami/"),
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
    assert "POST /api/v1/objects/" in page.text
    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/")
        assert node.nobody.get(address).status_code == 200
    assert "<script" not in page.text
    assert not re.findall(r"https?://", page.text)


@pytest.mark.parametrize("extension", OURS)
def test_every_extension_has_its_schema_where_its_definition_says(node: RestNode, extension: str) -> None:
    definition = read_object(fixed_object(extension)).members
    response: requests.Response = node.nobody.get(str(definition["schema"]))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/schema+json"
    jsonschema_rs.meta.validate(response.json())
    assert node.nobody.get("/api/docs/extensions/nothing.json").status_code == 404
