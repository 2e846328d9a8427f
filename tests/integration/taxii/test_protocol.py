"""What every TAXII address has in common: media types, credentials, methods, slashes, error resources."""

from __future__ import annotations

import base64

import pytest
import requests

from exchange.services.labs import resume_lab, suspend_lab
from exchange.services.principals import OPERATOR
from tests.support.taxii import TAXII, TIMEOUT_S, Node, TaxiiClient

RESOURCES = [
    "/taxii2/",
    "/exchange/",
    "/exchange/collections/",
    "/exchange/collections/signatures/",
    "/exchange/collections/signatures/objects/",
]

# Fixed, because it stands in names of tests, which are the same in every process.
UNKNOWN = "0f2d1c52-5c0e-4c34-9d35-3f6f4f4d7a01"


@pytest.fixture
def node(shared_node: Node) -> Node:
    return shared_node


def assert_error(response: requests.Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == TAXII
    if response.request.method != "HEAD":
        resource = response.json()
        assert resource["title"]
        assert resource["http_status"] == str(status)


@pytest.mark.parametrize("path", RESOURCES)
def test_every_resource_is_served_as_taxii_2_1(node: Node, path: str) -> None:
    for accept in (TAXII, "application/taxii+json", "text/html, application/taxii+json; version=2.1;q=0.5", "*/*"):
        response = node.aurora.get(path, headers={"Accept": accept})
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"] == TAXII
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.headers["Date"]


@pytest.mark.parametrize("path", [*RESOURCES, f"/exchange/status/{UNKNOWN}/", "/exchange/nothing/"])
def test_other_media_types_are_not_acceptable(node: Node, path: str) -> None:
    for accept in ("application/json", "application/taxii+json;version=2.0", "application/stix+json;version=2.1", ""):
        assert_error(node.aurora.get(path, headers={"Accept": accept}), 406)


@pytest.mark.parametrize("path", [*RESOURCES, f"/exchange/status/{UNKNOWN}/", "/exchange/nothing/"])
def test_without_or_with_wrong_credentials_comes_a_challenge(node: Node, path: str) -> None:
    wrong = base64.b64encode(b"aurora:cwt_00000000_wrong").decode()
    values: list[str | None] = [None, "Bearer cwt_00000000_wrong", f"Basic {wrong}", "Basic", "Digest x", "Bearer a\tb"]
    for value in values:
        headers = {"Authorization": value} if value else {}
        response = node.nobody.get(path, headers=headers)
        assert_error(response, 401)
        assert "Basic realm=" in response.headers["WWW-Authenticate"]
        assert "Bearer realm=" in response.headers["WWW-Authenticate"]


def test_basic_credentials_carry_the_token_as_password(node: Node) -> None:
    token = node.community.aurora.token
    for path in RESOURCES:
        response = requests.get(node.url + path, auth=("whoever", token), headers={"Accept": TAXII}, timeout=TIMEOUT_S)
        assert response.status_code == 200


def test_a_request_without_user_agent_is_served(node: Node) -> None:
    assert node.aurora.get("/taxii2/", headers={"User-Agent": None}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", RESOURCES)
def test_other_methods_are_answered_with_those_allowed(node: Node, path: str, method: str) -> None:
    response = node.aurora.request(method, path)
    assert_error(response, 405)
    is_objects = path.endswith("/objects/")
    assert response.headers["Allow"] == ("GET, HEAD, POST" if is_objects else "GET, HEAD")


@pytest.mark.parametrize("path", RESOURCES)
def test_head_is_get_without_a_body(node: Node, path: str) -> None:
    got, head = node.aurora.get(path), node.aurora.request("HEAD", path)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert head.headers.get("X-TAXII-Date-Added-First") == got.headers.get("X-TAXII-Date-Added-First")
    assert_error(node.nobody.request("HEAD", path), 401)


@pytest.mark.parametrize("path", RESOURCES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_missing_slash_is_not_found_and_never_redirected(node: Node, path: str, method: str) -> None:
    assert_error(node.aurora.request(method, path.rstrip("/"), data=b"{}"), 404)


@pytest.mark.parametrize(
    "path",
    [
        "/taxii2/x/",
        "/exchange/x/",
        "/exchange/collections/nothing/",
        "/exchange/collections/nothing/objects/",
        f"/exchange/collections/{UNKNOWN}/objects/",
        "/exchange/collections/%00/objects/",
        "/exchange/collections/signatures/objects/x/y/",
        "/exchange/status/1/",
        f"/exchange/status/{UNKNOWN}/",
        "/elsewhere/",
        "/elsewhere/collections/",
        "/elsewhere/collections/signatures/",
        "/elsewhere/collections/signatures/objects/",
    ],
)
def test_what_is_not_there_is_an_error_resource(node: Node, path: str) -> None:
    assert_error(node.aurora.get(path), 404)
    assert_error(node.nobody.get(path), 401)


def test_a_mistyped_page_of_the_web_is_not_answered_as_taxii(node: Node) -> None:
    response = requests.get(f"{node.url}/sinatures/", headers={"Accept": "text/html,*/*;q=0.8"}, timeout=TIMEOUT_S)
    assert response.status_code == 404
    assert "taxii" not in response.headers["Content-Type"]
    assert "WWW-Authenticate" not in response.headers


def test_a_suspended_lab_is_signed_out_at_once(node: Node) -> None:
    assert node.cobalt.objects().status_code == 200
    suspend_lab(actor=OPERATOR, slug="cobalt")
    assert_error(node.cobalt.objects(), 401)
    assert_error(TaxiiClient(node.url, node.community.cobalt.client_token).objects(), 401)
    resume_lab(actor=OPERATOR, slug="cobalt")
    assert node.cobalt.objects().status_code == 200


def test_no_answer_holds_an_empty_list(node: Node) -> None:
    for path in RESOURCES:
        assert b"[]" not in node.aurora.get(path).content
