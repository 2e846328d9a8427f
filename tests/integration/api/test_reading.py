"""What the REST door shows, to whom, and in the forms that it publishes."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest
import requests

from exchange.models import ApiRoot, Collection, Grant
from exchange.services.collections import create_collection, find_collection
from exchange.services.labs import suspend_lab
from exchange.services.principals import OPERATOR
from exchange.services.publishing import publish_objects
from exchange.stix.markings import Tlp
from tests.support.forms import assert_form
from tests.support.labs import LabHandle
from tests.support.rest import TIMEOUT_S, RestClient, RestNode

READS = ["objects/", "collections/", "labs/", "labs/aurora/keys/", "tokens/", "whoami/"]


def published(lab: LabHandle, count: int, label: Tlp = Tlp.GREEN) -> list[bytes]:
    bodies = [lab.signed(lab.indicator(label)) for _ in range(count)]
    assert all(outcome.error is None for outcome in lab.publish(*bodies))
    return bodies


def ids(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [entry["object"]["id"] for entry in response.json()["objects"]]


def refused(response: requests.Response, status: int) -> None:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert_form(response.json(), "Problem")


@pytest.mark.parametrize("path", READS)
def test_content_goes_to_members_and_to_no_cache(node: RestNode, path: str) -> None:
    response = node.aurora.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "private, " + ("no-store" if path == "tokens/" else "no-cache")
    token = node.community.aurora.token
    basic = requests.get(f"{node.url}/api/v1/{path}", auth=("anybody", token), timeout=TIMEOUT_S)
    assert basic.status_code == 200
    assert basic.content == response.content


@pytest.mark.parametrize("path", READS)
def test_wrong_credentials_are_challenged(node: RestNode, path: str) -> None:
    for value in ("Bearer cwt_00000000_wrong", "Basic eDp5", "Digest x"):
        response = node.nobody.get(path, headers={"Authorization": value})
        refused(response, 401)
        assert "Basic realm=" in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["objects/", "labs/", "labs/aurora/keys/", "tokens/", "whoami/"])
def test_nobody_reads_nothing_while_nothing_is_public(node: RestNode, path: str) -> None:
    refused(node.nobody.get(path), 401)


@pytest.mark.parametrize(
    "path", ["objects", "nothing/", "objects/x/y/", "/api/", "/api/v2/objects/", "labs/nobody/keys/"]
)
def test_what_is_not_there_is_a_problem(node: RestNode, path: str) -> None:
    refused(node.aurora.get(path), 404)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_answered_with_those_allowed(node: RestNode, method: str) -> None:
    response = node.aurora.request(method, "objects/")
    refused(response, 405)
    assert response.headers["Allow"] == "GET, HEAD, POST"


def test_an_address_that_takes_no_parameters_says_so(node: RestNode) -> None:
    identity = node.community.aurora.identity
    paths = ("collections/", "labs/", "labs/aurora/keys/", "tokens/", "whoami/", f"objects/{identity}/",
             f"objects/{identity}/recipients/", "/api/schema/")  # fmt: skip
    for path in paths:
        for query in ("x=1", "x=%00", "format=json", "x=" + "a" * 8000, "&".join("x" * 40)):
            assert node.aurora.get(f"{path}?{query}").status_code == 400, (path, query)
    for path in ("tokens/cwt_00000000/", f"objects/{identity}/"):
        refused(node.aurora.delete(f"{path}?x=1"), 400)
    refused(node.aurora.post("tokens/?x=1", b'{"scopes":["read"]}'), 400)


def test_a_client_that_takes_no_json_gets_a_problem(node: RestNode) -> None:
    refused(node.aurora.get("objects/", headers={"Accept": "text/html"}), 406)


def test_objects_come_back_byte_for_byte_with_what_the_node_knows(node: RestNode) -> None:
    bodies = published(node.community.aurora, 2)
    response = node.borealis.get("objects/?collection=signatures&type=indicator")
    assert_form(response.json(), "EntryPage")
    for body in bodies:
        assert b'"object":' + body + b"}" in response.content
    entry = response.json()["objects"][0]
    assert entry["collection"] == "signatures"
    assert entry["label"] == "TLP:GREEN"
    assert entry["state"] == "current"
    assert entry["custody"] == "lab"
    assert entry["vouched_by"] == ""
    assert entry["producer"] == "aurora"
    assert entry["producer_status"] == "active"


def test_pages_follow_one_another(node: RestNode) -> None:
    expected = [json.loads(body)["id"] for body in published(node.community.aurora, 7)]
    found, cursor = [], ""
    while True:
        page = node.borealis.get(f"objects/?type=indicator&limit=3{cursor}")
        found += ids(page)
        if not page.json()["more"]:
            assert "next" not in page.json()
            break
        cursor = f"&cursor={page.json()['next']}"
    assert found == expected
    last = node.borealis.get("objects/").json()["objects"][-1]["date_added"]
    assert ids(node.borealis.get(f"objects/?added_after={last}")) == []


def test_a_cursor_serves_its_reader_and_its_filters_alone(node: RestNode) -> None:
    published(node.community.aurora, 2)
    cursor = node.aurora.get("objects/?limit=1").json()["next"]
    assert node.aurora.get(f"objects/?cursor={cursor}").status_code == 200
    refused(node.borealis.get(f"objects/?cursor={cursor}"), 400)
    refused(node.aurora.get(f"objects/?collection=signatures&cursor={cursor}"), 400)
    refused(node.aurora.get(f"objects/?type=indicator&cursor={cursor}"), 400)
    refused(node.aurora.get("objects/?cursor=forged"), 400)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=x", "limit=1&limit=2", "limit=123456789012345678901234567890", "added_after=yesterday",
        "type=", "type=A", "colection=signatures", "x=%00", "cursor=%00", "x=" + "a" * 8000, "format=xml",
    ],
)  # fmt: skip
def test_a_malformed_query_is_refused(node: RestNode, query: str) -> None:
    refused(node.aurora.get(f"objects/?{query}"), 400)


def test_one_object_its_versions_and_their_end(node: RestNode) -> None:
    aurora = node.community.aurora
    first = aurora.indicator()
    second = aurora.next_version(first, name="Second look")
    for members in (first, second):
        assert node.aurora.publish(aurora.signed(members)).status_code == 201
    one = node.borealis.get(f"objects/{first['id']}/")
    assert_form(one.json(), "EntryList")
    assert [entry["version"] for entry in one.json()["objects"]] == [second["modified"]]
    versions = node.borealis.get(f"objects/{first['id']}/versions/")
    assert_form(versions.json(), "VersionPage")
    assert [each["version"] for each in versions.json()["versions"]] == [first["modified"], second["modified"]]
    refused(node.borealis.delete(f"objects/{first['id']}/"), 404)
    refused(RestClient(node.url, aurora.client_token).delete(f"objects/{first['id']}/"), 403)
    deleted = node.aurora.delete(f"objects/{first['id']}/")
    assert (deleted.status_code, deleted.content) == (204, b"")
    for client in (node.aurora, node.borealis):
        refused(client.get(f"objects/{first['id']}/"), 404)
        refused(client.get(f"objects/{first['id']}/versions/"), 404)
    refused(node.aurora.publish(aurora.signed(second)), 409)


def test_absent_and_not_allowed_look_the_same_to_the_byte(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    hidden = aurora.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    before = node.cobalt.get("objects/").content
    assert node.aurora.publish(aurora.signed(marking), aurora.signed(hidden)).status_code == 201
    assert node.cobalt.get("objects/").content == before
    for path in ("objects/{}/", "objects/{}/versions/"):
        seen, absent = (node.cobalt.get(path.format(each)) for each in (hidden["id"], f"indicator--{uuid.uuid4()}"))
        assert seen.status_code == absent.status_code == 404
        assert seen.content == absent.content
        assert node.borealis.get(path.format(hidden["id"])).status_code == 200
    seen, absent = (node.cobalt.delete(f"objects/{each}/") for each in (hidden["id"], f"indicator--{uuid.uuid4()}"))
    assert seen.content == absent.content


def test_labels_decide_what_client_tokens_and_others_read(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    strict, red = aurora.indicator(Tlp.AMBER_STRICT), aurora.indicator(Tlp.RED)
    assert node.aurora.publish(aurora.signed(strict), aurora.signed(red)).status_code == 201
    client = RestClient(node.url, borealis.client_token)
    assert ids(node.borealis.get("objects/?type=indicator")) == [strict["id"]]
    assert ids(client.get("objects/?type=indicator")) == []
    refused(client.get(f"objects/{strict['id']}/"), 404)
    for reader in (node.aurora, node.borealis, client):
        refused(reader.get(f"objects/{red['id']}/"), 404)


def test_what_is_clear_in_a_public_collection_is_for_everybody(node: RestNode) -> None:
    clear, green = (node.community.aurora.indicator(label) for label in (Tlp.CLEAR, Tlp.GREEN))
    aurora = node.community.aurora
    assert node.aurora.publish(aurora.signed(clear), aurora.signed(green)).status_code == 201
    Collection.objects.filter(alias="signatures").update(public=True)
    assert ids(node.nobody.get("objects/?type=indicator")) == [clear["id"]]
    assert node.nobody.get(f"objects/{clear['id']}/").status_code == 200
    refused(node.nobody.get(f"objects/{green['id']}/"), 401)
    refused(node.nobody.get("objects/?collection=playbooks"), 401)
    assert_form(node.nobody.get("collections/").json(), "Collections")


def test_a_collection_without_a_grant_is_absent(node: RestNode) -> None:
    aurora = node.community.aurora
    body = published(aurora, 1)[0]
    Grant.objects.filter(lab=node.community.cobalt.lab, collection__alias="signatures").delete()
    refused(node.cobalt.get("objects/?collection=signatures"), 404)
    assert ids(node.cobalt.get("objects/?type=indicator")) == []
    refused(node.cobalt.get(f"objects/{json.loads(body)['id']}/"), 404)


def test_a_suspended_lab_is_signed_out_and_its_objects_are_shown_as_such(node: RestNode) -> None:
    published(node.community.cobalt, 1)
    suspend_lab(actor=OPERATOR, slug="cobalt")
    refused(node.cobalt.get("whoami/"), 401)
    entry = node.aurora.get("objects/?type=indicator").json()["objects"][0]
    assert entry["producer_status"] == "suspended"
    labs = {lab["slug"]: lab["status"] for lab in node.aurora.get("labs/").json()["labs"]}
    assert labs["cobalt"] == "suspended"


def test_the_community_is_shown_to_its_members(node: RestNode) -> None:
    collections = node.aurora.get("collections/").json()
    assert_form(collections, "Collections")
    assert {each["alias"]: each["can_write"] for each in collections["collections"]}["all"] is False
    labs = node.aurora.get("labs/").json()
    assert_form(labs, "Labs")
    assert {lab["slug"]: lab["kind"] for lab in labs["labs"]} == {
        "aurora": "lab", "borealis": "lab", "cobalt": "lab", "node": "node"
    }  # fmt: skip
    assert all(lab["home"] == ("node" if lab["kind"] == "lab" else None) for lab in labs["labs"])
    aurora = node.community.aurora
    keys = node.borealis.get("labs/aurora/keys/").json()
    assert_form(keys, "Keys")
    assert keys["identity"] == aurora.identity
    assert {key["kid"]: key["use"] for key in keys["keys"]} == {
        aurora.keys.root.kid: "root", aurora.keys.signing.kid: "sig"
    }  # fmt: skip
    assert_form(node.borealis.get("labs/node/keys/").json(), "Keys")


def test_a_token_knows_whom_it_speaks_for(node: RestNode) -> None:
    me = node.aurora.get("whoami/").json()
    assert_form(me, "Whoami")
    assert me["lab"] == "aurora"
    assert me["identity"] == node.community.aurora.identity
    assert me["scopes"] == ["feedback", "publish", "read"]
    assert me["client"] is False
    assert datetime.fromisoformat(me["expires"]) > datetime.now(UTC)
    assert RestClient(node.url, node.community.aurora.client_token).get("whoami/").json()["client"] is True


def test_collections_and_objects_of_all_roots_are_in_sight_of_who_may_use_them(node: RestNode) -> None:
    ApiRoot.objects.create(slug="second", title="Second")
    aurora = node.community.aurora
    create_collection(
        actor=OPERATOR,
        alias="signatures",
        title="Theirs",
        api_root="second",
        readers=[aurora.lab],
        writers=[aurora.lab],
    )
    indicator = aurora.indicator()
    view = find_collection(aurora.principal, "signatures", api_root="second")
    publish_objects(principal=aurora.principal, bodies=[aurora.signed(indicator)], collection=view, door="test")
    listed = [(each["root"], each["alias"]) for each in node.aurora.get("collections/").json()["collections"]]
    assert ("second", "signatures") in listed
    assert ("exchange", "signatures") in listed
    assert all(each["root"] == "exchange" for each in node.cobalt.get("collections/").json()["collections"])
    assert node.aurora.get(f"objects/{indicator['id']}/").status_code == 200
    hidden, absent = (node.cobalt.get(f"objects/{each}/") for each in (indicator["id"], aurora.indicator()["id"]))
    assert (hidden.status_code, hidden.content) == (404, absent.content)
