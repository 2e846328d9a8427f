"""The webhooks resource: made, shown, changed and removed by who may, through the real door."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import requests

from exchange.models import Webhook
from exchange.services.outbound import allow_host
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token, revoke_token
from exchange.services.webhooks.registration import MAX_PER_LAB
from tests.support.forms import assert_form
from tests.support.rest import RestClient, RestNode


@pytest.fixture(autouse=True)
def _allowed(node: RestNode) -> None:
    allow_host(actor=OPERATOR, host="127.0.0.1")


def order(**changes: Any) -> bytes:
    return json.dumps({"url": "http://127.0.0.1:9/hook"} | changes).encode()


def made(client: RestClient, **changes: Any) -> dict[str, Any]:
    response = client.post("webhooks/", order(**changes))
    assert response.status_code == 201, response.text
    assert_form(response.json(), "IssuedWebhook")
    return dict(response.json())


def refused(response: requests.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert_form(response.json(), "Problem")
    return dict(response.json())


def reader_of(node: RestNode, lab: str, **bounds: Any) -> RestClient:
    """Another token of the lab, which only reads."""
    handle = getattr(node.community, lab)
    return RestClient(node.url, issue_token(actor=OPERATOR, lab=handle.lab, scopes=["read"], **bounds).secret)


def test_a_hook_shows_its_secret_once_and_its_database_row_never(node: RestNode) -> None:
    hook = made(node.cobalt, collection="signatures", types=["indicator"], description="SIEM")
    assert (hook["state"], hook["collection"], hook["types"]) == ("active", "signatures", ["indicator"])
    shown = node.cobalt.get(f"webhooks/{hook['id']}/")
    assert_form(shown.json(), "Webhook")
    assert "secret" not in shown.json()
    listed = node.cobalt.get("webhooks/")
    assert_form(listed.json(), "Webhooks")
    assert listed.json()["webhooks"] == [shown.json()]
    row = Webhook.objects.get()
    assert hook["secret"].removeprefix("whsec_").encode() not in bytes(row.secret)
    assert node.cobalt.delete(f"webhooks/{hook['id']}/").status_code == 204
    assert node.cobalt.get("webhooks/").json() == {"webhooks": []}


def test_a_hook_is_absent_for_other_labs_clients_and_tokens_of_less_reach(node: RestNode) -> None:
    hook = made(node.cobalt)
    strangers = [node.aurora, RestClient(node.url, node.community.cobalt.client_token), reader_of(node, "cobalt")]
    for stranger in strangers:
        assert stranger.get("webhooks/").json() == {"webhooks": []}
        absent = stranger.get(f"webhooks/{uuid.uuid4()}/").content
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "secret/"), ("POST", "resume/")):
            answer = stranger.request(method, f"webhooks/{hook['id']}/{path}")
            refused(answer, 404)
            assert answer.content == absent
    assert node.cobalt.get("webhooks/").json()["webhooks"]


def test_a_lab_manages_what_its_clients_and_readers_have_made(node: RestNode) -> None:
    client = RestClient(node.url, node.community.cobalt.client_token)
    ids = {made(client)["id"], made(reader_of(node, "cobalt"))["id"]}
    assert {hook["id"] for hook in node.cobalt.get("webhooks/").json()["webhooks"]} == ids
    assert len(client.get("webhooks/").json()["webhooks"]) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"url": "https://localhost/"}, "/url"), ({"url": "ftp://127.0.0.1/"}, "/url"), ({"url": 1}, "/url"),
        ({"types": ["Bad Type"]}, "/types/0"), ({"types": "indicator"}, "/types"), ({"more": 1}, ""),
        ({"types": [f"t{number}" for number in range(51)]}, "/types"), ({"description": "x" * 201}, "/description"),
        ({"description": "a\nb"}, "/description"), ({"collection": "\u0000"}, "/collection"),
    ],
)  # fmt: skip
def test_a_bad_order_is_refused_with_the_place_of_its_fault(
    node: RestNode, change: dict[str, Any], pointer: str
) -> None:
    assert refused(node.cobalt.post("webhooks/", order(**change)), 400).get("pointer", "") == pointer
    assert not Webhook.objects.exists()


def test_a_collection_that_is_absent_or_a_token_that_does_not_read_makes_no_hook(node: RestNode) -> None:
    refused(node.cobalt.post("webhooks/", order(collection="nothing")), 404)
    refused(node.cobalt.post("webhooks/", order(collection="second/signatures")), 404)
    assert node.cobalt.post("webhooks/", order(collection="exchange/signatures")).status_code == 201
    writer = issue_token(actor=OPERATOR, lab=node.community.cobalt.lab, scopes=["publish"])
    refused(RestClient(node.url, writer.secret).post("webhooks/", order()), 403)
    refused(node.nobody.post("webhooks/", order()), 401)
    refused(node.cobalt.post("webhooks/", b"{"), 400)
    refused(node.cobalt.post("webhooks/", order(), headers={"Content-Type": "text/plain"}), 415)
    refused(node.cobalt.get("webhooks/?x=1"), 400)
    refused(node.cobalt.get("webhooks/nothing/"), 404)


def test_a_lab_has_a_bounded_number_of_hooks_and_stopped_ones_make_room(node: RestNode) -> None:
    first, *_ = [made(node.cobalt) for _ in range(MAX_PER_LAB)]
    assert refused(node.cobalt.post("webhooks/", order()), 409)["type"].endswith(":too-many-webhooks")
    Webhook.objects.filter(public_id=first["id"]).update(state="stopped", reason="gone")
    refused(node.cobalt.post(f"webhooks/{first['id']}/resume/", b""), 409)
    made(node.cobalt)
    assert Webhook.objects.count() == MAX_PER_LAB
    assert not Webhook.objects.filter(public_id=first["id"]).exists()


def test_a_secret_is_replaced_and_a_paused_hook_resumed(node: RestNode) -> None:
    hook = made(node.cobalt)
    answer = node.cobalt.post(f"webhooks/{hook['id']}/secret/", b"")
    assert answer.status_code == 201
    assert_form(answer.json(), "IssuedWebhook")
    assert answer.json()["secret"] != hook["secret"]
    assert answer.json()["previous_secret_until"] is not None
    Webhook.objects.update(state="paused", reason="timeout", failures=3)
    assert node.cobalt.get(f"webhooks/{hook['id']}/").json()["reason"] == "timeout"
    resumed = node.cobalt.post(f"webhooks/{hook['id']}/resume/", b"").json()
    assert (resumed["state"], resumed["reason"], resumed["failures"]) == ("active", None, 0)


def test_the_hook_of_a_revoked_token_shows_as_stopped_at_once(node: RestNode) -> None:
    reader = issue_token(actor=OPERATOR, lab=node.community.cobalt.lab, scopes=["read"])
    hook = made(RestClient(node.url, reader.secret))
    revoke_token(principal=node.community.cobalt.principal, prefix=reader.token.prefix)
    shown = node.cobalt.get(f"webhooks/{hook['id']}/").json()
    assert (shown["state"], shown["reason"]) == ("stopped", "token")
