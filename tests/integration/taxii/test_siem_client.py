"""cytaxii2, a TAXII client of SIEM and SOAR integrations, against a real node.

It signs in with Basic, takes the default API root from discovery as it stands there (so it needs one that is absolute,
which a node with an HTTPS address gives), and follows no page itself: who uses it hands `next` on. It knows no CA but
those of requests.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from cytaxii2 import cytaxii2

from exchange.stix.markings import Tlp
from tests.integration.taxii.tls import TlsServer
from tests.integration.taxii.walking import Members, key
from tests.support.labs import LabHandle
from tests.support.taxii import Node

Answer = dict[str, Any]


@pytest.fixture(autouse=True)
def trusted(tls_server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of discovery, under a certificate that the client takes."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls_server.certificate))
    return f"{tls_server.url}/taxii2/"


def client_of(discovery: str, lab: LabHandle, token: str = "") -> Any:
    return cytaxii2.cytaxii2(discovery, lab.lab.slug, token or lab.token, version=2.1)


def collection_id(client: Any, alias: str = "signatures") -> str:
    """As an integration finds it: it shows the titles or aliases and keeps the id."""
    found = taken(client.collection_request())["collections"]
    return next(str(each["id"]) for each in found if each["alias"] == alias)


def taken(answer: Answer, status: int = 200) -> Members:
    """The resource of an answer that has to succeed."""
    assert answer["status"] is True, answer
    assert answer["status_code"] == status
    found: Members = answer["response"]
    return found


def publish(discovery: str, aurora: LabHandle, *members: Members) -> None:
    """By its own inbox request."""
    client = client_of(discovery, aurora)
    envelope = json.dumps({"objects": [json.loads(aurora.signed(each)) for each in members]})
    status = taken(client.inbox_request(collection_id(client), envelope), 202)
    assert (status["status"], status["success_count"]) == ("complete", len(members))


def test_the_siem_client_discovers_roots_and_collections(trusted: str, shared_node: Node) -> None:
    client = client_of(trusted, shared_node.community.borealis)
    discovery = taken(client.discovery_request())
    assert discovery["default"] in discovery["api_roots"]
    assert "application/taxii+json;version=2.1" in taken(client.root_discovery())["versions"]
    found = collection_id(client)
    one = taken(client.collection_data_request(found))
    assert (one["id"], one["alias"], one["can_read"]) == (found, "signatures", True)


def test_the_siem_client_polls_page_after_page_by_next(trusted: str, shared_node: Node) -> None:
    aurora, borealis, _ = shared_node.community.labs
    members = [aurora.indicator() for _ in range(5)]
    publish(trusted, aurora, *members)
    client = client_of(trusted, borealis)
    found, pages, cursor = collection_id(client), 0, None
    got: list[Members] = []
    while True:
        page = taken(client.poll_request(found, limit=2, next=cursor, object_type="indicator"))
        got, pages = got + page["objects"], pages + 1
        assert len(page["objects"]) <= 2
        if not page["more"]:
            break
        cursor = page["next"]
    assert [key(each) for each in got if key(each) in map(key, members)] == [key(each) for each in members]
    assert len(got) == len({key(each) for each in got})
    assert pages == -(-len(got) // 2)


def test_the_siem_client_polls_for_what_was_added_since(trusted: str, shared_node: Node) -> None:
    aurora, borealis, _ = shared_node.community.labs
    old, new = aurora.indicator(), [aurora.indicator() for _ in range(3)]
    publish(trusted, aurora, old)
    records = shared_node.borealis.get(f"/exchange/collections/signatures/manifest/?match[id]={old['id']}").json()
    since = records["objects"][0]["date_added"]
    publish(trusted, aurora, *new)
    client = client_of(trusted, borealis)
    found = collection_id(client)
    first = taken(client.poll_request(found, added_after=since, limit=2))
    rest = taken(client.poll_request(found, added_after=since, limit=2, next=first["next"]))
    assert [key(each) for each in first["objects"] + rest["objects"]] == [key(each) for each in new]
    assert taken(client.poll_request(found, added_after="2100-01-01T00:00:00.000000Z")) == {}


def test_the_siem_client_polls_for_one_object_and_for_a_type(trusted: str, shared_node: Node) -> None:
    aurora, borealis, _ = shared_node.community.labs
    members = [aurora.indicator() for _ in range(2)]
    publish(trusted, aurora, *members)
    client = client_of(trusted, borealis)
    found = collection_id(client)
    one = taken(client.poll_request(found, object_id=members[1]["id"]))
    assert [key(each) for each in one["objects"]] == [key(members[1])]
    both = taken(client.poll_request(found, object_id=",".join(each["id"] for each in members)))
    assert [key(each) for each in both["objects"]] == [key(each) for each in members]
    assert taken(client.poll_request(found, object_type="malware")) == {}


def test_the_siem_client_posts_a_bundle_and_is_told_what_was_refused(trusted: str, shared_node: Node) -> None:
    aurora = shared_node.community.aurora
    client = client_of(trusted, aurora)
    good, forged = (json.loads(aurora.signed(aurora.indicator())) for _ in range(2))
    forged["name"] = "Changed after signing"
    bundle = {"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": [good, forged]}
    status = taken(client.inbox_request(collection_id(client), json.dumps(bundle)), 202)
    assert (status["success_count"], status["failure_count"]) == (1, 1)
    assert status["failures"][0]["id"] == forged["id"]
    bundle["objects"] = [forged]
    refused = client.inbox_request(collection_id(client), json.dumps(bundle))
    assert (refused["status"], refused["status_code"]) == (False, 422)
    assert forged["id"] in json.dumps(refused["response"]["details"]["failures"])


def test_the_siem_client_reads_what_its_lab_may(trusted: str, shared_node: Node) -> None:
    """A downstream client of a lab is told nothing of what is for labs alone, not even that there is something."""
    aurora, borealis, _ = shared_node.community.labs
    strict = aurora.indicator(Tlp.AMBER_STRICT)
    publish(trusted, aurora, strict)
    lab, downstream = client_of(trusted, borealis), client_of(trusted, borealis, borealis.client_token)
    found = collection_id(lab)
    assert [key(each) for each in taken(lab.poll_request(found, object_id=strict["id"]))["objects"]] == [key(strict)]
    assert taken(downstream.poll_request(found, object_id=strict["id"])) == {}


@pytest.mark.parametrize("token", ["cwt_wrong", "password"])
def test_the_siem_client_with_a_wrong_password_gets_an_error_that_it_can_read(
    trusted: str, shared_node: Node, token: str
) -> None:
    client = client_of(trusted, shared_node.community.borealis, token)
    for answer in (client.poll_request("signatures"), client.root_discovery(), client.collection_request()):
        assert (answer["status"], answer["status_code"]) == (False, 401)
        assert answer["response"]["http_status"] == "401"
