"""Own tokens by REST: never more than the token that asks, shown once, stopped at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from exchange.models import IdempotentRequest
from exchange.stix.timestamps import format_taxii
from tests.support.forms import assert_form
from tests.support.rest import RestClient, RestNode


def order(reader: RestClient, /, **wanted: Any) -> requests.Response:
    return reader.post("tokens/", json.dumps(wanted).encode())


def refused(response: requests.Response, status: int, pointer: str | None = None) -> None:
    assert response.status_code == status, response.text
    assert_form(response.json(), "Problem")
    if pointer is not None:
        assert response.json()["pointer"] == pointer


def test_an_issued_token_works_until_it_is_revoked(node: RestNode) -> None:
    expires = format_taxii(datetime.now(UTC) + timedelta(days=1))
    response = order(node.aurora, scopes=["read"], client=True, expires=expires, bounds={"collections": ["signatures"]})
    assert response.status_code == 201, response.text
    assert_form(response.json(), "IssuedToken")
    secret, prefix = response.json()["token"], response.json()["prefix"]
    assert secret.startswith(prefix)
    assert response.json()["expires"] == expires
    issued = RestClient(node.url, secret)
    assert issued.get("whoami/").json()["client"] is True
    assert {each["alias"] for each in issued.get("collections/").json()["collections"]} == {"signatures", "all"}
    assert node.aurora.delete(f"tokens/{prefix}/").status_code == 204
    assert node.aurora.delete(f"tokens/{prefix}/").status_code == 204
    refused(issued.get("whoami/"), 401)


def test_a_token_is_issued_once_under_a_key_and_its_secret_is_kept_sealed(node: RestNode) -> None:
    key = {"Idempotency-Key": "one-token"}
    body = json.dumps({"scopes": ["read"]}).encode()
    first, again = (node.aurora.post("tokens/", body, headers=key) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["Cache-Control"] == again.headers["Cache-Control"] == "private, no-store"
    assert len(node.aurora.get("tokens/").json()["tokens"]) == 3
    kept = bytes(IdempotentRequest.objects.get(key="one-token").body or b"")
    assert first.json()["token"].encode() not in kept
    assert first.json()["prefix"].encode() not in kept
    refused(node.aurora.post("tokens/", b'{"scopes":["publish"]}', headers=key), 422)
    assert node.borealis.post("tokens/", body, headers=key).json()["token"] != first.json()["token"]


def test_no_other_token_of_the_lab_gets_a_secret_by_its_key(node: RestNode) -> None:
    key, body = {"Idempotency-Key": "one-token"}, json.dumps({"scopes": ["publish"]}).encode()
    weaker = RestClient(node.url, order(node.aurora, scopes=["read"]).json()["token"])
    secret = node.aurora.post("tokens/", body, headers=key).json()["token"]
    response = weaker.post("tokens/", body, headers=key)
    refused(response, 422)
    assert secret not in response.text
    refused(RestClient(node.url, node.community.aurora.client_token).post("tokens/", body, headers=key), 422)


def test_an_order_that_was_refused_is_not_kept(node: RestNode) -> None:
    key = {"Idempotency-Key": "refused"}
    refused(node.aurora.post("tokens/", b'{"scopes":["sign"]}', headers=key), 403)
    assert node.aurora.post("tokens/", b'{"scopes":["read"]}', headers=key).status_code == 201


def test_secrets_are_never_listed(node: RestNode) -> None:
    secret = order(node.aurora, scopes=["read"]).json()["token"]
    listed = node.aurora.get("tokens/")
    assert_form(listed.json(), "Tokens")
    assert secret not in listed.text
    assert node.community.aurora.token not in listed.text
    assert len(listed.json()["tokens"]) == 3
    client = RestClient(node.url, node.community.aurora.client_token)
    assert [each["client"] for each in client.get("tokens/").json()["tokens"]] == [True]


def test_a_token_outlives_or_outdoes_nobody(node: RestNode) -> None:
    refused(order(node.aurora, scopes=["sign"]), 403, "/scopes")
    refused(order(node.aurora, scopes=["read"], expires="2099-01-01T00:00:00Z"), 403, "/expires")
    refused(order(RestClient(node.url, node.community.aurora.client_token), scopes=["read"]), 403)
    refused(order(node.nobody, scopes=["read"]), 401)
    week = format_taxii(datetime.now(UTC) + timedelta(days=7))
    short = RestClient(node.url, order(node.aurora, scopes=["read"], expires=week).json()["token"])
    assert order(short, scopes=["read"]).json()["expires"] == week
    refused(order(short, scopes=["publish"]), 403, "/scopes")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 400, None),
        ({"scopes": []}, 400, "/scopes"),
        ({"scopes": ["read", 1]}, 400, "/scopes/1"),
        ({"scopes": ["admin"]}, 403, "/scopes"),
        ({"scopes": ["read"], "client": "yes"}, 400, "/client"),
        ({"scopes": ["read"], "expires": "tomorrow"}, 422, "/expires"),
        ({"scopes": ["read"], "expires": "2020-01-01T00:00:00Z"}, 400, "/expires"),
        ({"scopes": ["read"], "bounds": {"networks": ["everywhere"]}}, 400, "/bounds"),
        ({"scopes": ["read"], "bounds": {"networks": "10.0.0.0/8"}}, 400, "/bounds/networks"),
        ({"scopes": ["read"], "bounds": {"planets": 1}}, 400, "/bounds"),
        ({"scopes": ["read"], "lab": "borealis"}, 400, None),
        ({"scopes": ["read", "publish"], "client": True}, 400, "/scopes"),
    ],
)
def test_a_malformed_order_is_refused_with_its_place(
    node: RestNode, body: dict[str, Any], status: int, pointer: str | None
) -> None:
    refused(order(node.aurora, **body), status, pointer)


def test_a_body_that_is_no_object_too_large_or_of_another_type_is_refused(node: RestNode) -> None:
    refused(node.aurora.post("tokens/", b"{"), 400)
    refused(node.aurora.post("tokens/", b"[]"), 400)
    refused(node.aurora.post("tokens/", b'{"scopes":["read"],"scopes":["read"]}'), 400)
    refused(node.aurora.post("tokens/", b" " * 70_000), 413)
    refused(node.aurora.post("tokens/", b"{}", headers={"Content-Type": "text/plain"}), 415)


def test_another_labs_token_is_absent(node: RestNode) -> None:
    prefix = node.community.borealis.token[:12]
    theirs, absent = node.aurora.delete(f"tokens/{prefix}/"), node.aurora.delete("tokens/cwt_00000000/")
    refused(theirs, 404)
    assert theirs.content == absent.content
    assert node.borealis.get("whoami/").status_code == 200


def test_a_token_bound_to_networks_opens_nothing_from_elsewhere(node: RestNode) -> None:
    away = order(node.aurora, scopes=["read"], bounds={"networks": ["192.0.2.0/24"]}).json()["token"]
    refused(RestClient(node.url, away).get("whoami/"), 401)
    headers = {"X-Forwarded-For": "192.0.2.1", "Forwarded": "for=192.0.2.1", "X-Real-IP": "192.0.2.1"}
    refused(RestClient(node.url, away).get("whoami/", headers=headers), 401)
