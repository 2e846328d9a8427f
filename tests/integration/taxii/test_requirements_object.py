"""TAXII 2.1, one object: reading it, its versions, deleting (sections 5.6 to 5.8)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from exchange.models import Grant
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token
from exchange.stix.markings import Tlp
from tests.integration.taxii.walking import (
    DATE,
    FIRST_DATE,
    LAST_DATE,
    MANIFEST,
    OBJECTS,
    ask,
    by_next,
    flat,
    history,
    items,
    key,
    keys,
    object_path,
    only,
    store,
    versions_path,
)
from tests.support.labs import LabHandle
from tests.support.taxii import TAXII, Node, TaxiiClient


@contextmanager
def granted(lab: LabHandle, *, can_read: bool, can_write: bool) -> Iterator[None]:
    """Other rights of a lab on `signatures` for a while."""
    grant = Grant.objects.get(lab=lab.lab, collection__alias="signatures")
    Grant.objects.filter(pk=grant.pk).update(can_read=can_read, can_write=can_write)
    try:
        yield
    finally:
        grant.save()


def refused(response: requests.Response, status: int, code: str = "") -> None:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == TAXII
    assert response.json()["http_status"] == str(status)
    if code:
        assert response.json()["error_code"] == code


def deleted(client: TaxiiClient, stix_id: str, query: str = "") -> requests.Response:
    return client.request("DELETE", object_path(stix_id) + (f"?{query}" if query else ""))


def test_requirement_72_an_unknown_object_is_not_found(shared_node: Node) -> None:
    for unknown in (f"indicator--{uuid.uuid4()}", "x", "%00", "a" * 1000, "1" * 30):
        refused(shared_node.aurora.get(f"{OBJECTS}{unknown}/"), 404)
        refused(shared_node.aurora.get(f"{OBJECTS}{unknown}/versions/"), 404)
        refused(shared_node.aurora.get(f"{OBJECTS}{unknown}/?match[spec_version]=2.0"), 404)


def test_an_object_is_read_with_the_filters_of_its_address(shared_node: Node) -> None:
    """Section 5.6: known but filtered out is an empty envelope."""
    lab = shared_node.community.aurora
    first, second, third = history(lab)
    store(shared_node.aurora, lab, first, second, third)
    path = object_path(first["id"])
    assert keys(ask(shared_node.borealis, path)) == [key(third)]
    assert keys(ask(shared_node.borealis, path, "match[version]=all")) == [key(first), key(second), key(third)]
    assert keys(ask(shared_node.borealis, path, "match[version]=first")) == [key(first)]
    assert keys(ask(shared_node.borealis, path, f"match[version]={second['modified']}")) == [key(second)]
    assert flat(by_next(shared_node.borealis, path, "match[version]=all&limit=1")) == [
        key(first),
        key(second),
        key(third),
    ]
    for none in (
        "match[spec_version]=2.0",
        "match[version]=2001-01-01T00:00:00.000Z",
        "added_after=2999-01-01T00:00:00Z",
    ):
        response = ask(shared_node.borealis, path, none)
        assert response.content == b"{}"
        assert FIRST_DATE not in response.headers
    # Parameters that the address does not have are left alone.
    assert keys(ask(shared_node.borealis, path, "match[type]=malware&match[id]=x")) == [key(third)]
    for malformed in ("match[version]=x", "limit=0", "match[version]=last&match[version]=last", "next=x"):
        refused(shared_node.borealis.get(f"{path}?{malformed}"), 400)


def test_requirement_73_what_is_deleted_is_gone_everywhere(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    versions = history(lab)
    store(shared_node.aurora, lab, *versions)
    stix_id = versions[0]["id"]
    response = deleted(shared_node.aurora, stix_id)
    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["Content-Type"] == TAXII
    for client in (shared_node.aurora, shared_node.borealis):
        refused(client.get(object_path(stix_id)), 404)
        refused(client.get(versions_path(stix_id)), 404)
        for query in (only(versions[0]), f"{only(versions[0])}&match[version]=all"):
            assert ask(client, OBJECTS, query).content == b"{}"
            assert ask(client, MANIFEST, query).content == b"{}"
            assert ask(client, "/exchange/collections/all/objects/", query).content == b"{}"
    for members in versions:
        refused(shared_node.aurora.post(lab.signed(members)), 422)


def test_requirement_74_deleting_needs_the_right_to_read_and_to_write(shared_node: Node) -> None:
    lab = shared_node.community.cobalt
    members = lab.indicator()
    store(shared_node.cobalt, lab, members)
    for can_read, can_write, status in ((False, False, 404), (True, False, 403), (False, True, 403)):
        with granted(lab, can_read=can_read, can_write=can_write):
            refused(deleted(shared_node.cobalt, members["id"]), status)
    for scopes, status in ((["feedback"], 404), (["read"], 403), (["publish"], 403)):
        token = issue_token(actor=OPERATOR, lab=lab.lab, scopes=scopes).secret
        refused(deleted(TaxiiClient(shared_node.url, token), members["id"]), status)
    refused(deleted(TaxiiClient(shared_node.url, lab.client_token), members["id"]), 403)
    refused(deleted(shared_node.nobody, members["id"]), 401)
    refused(shared_node.cobalt.request("DELETE", f"/exchange/collections/all/objects/{members['id']}/"), 403)
    elsewhere = f"/exchange/collections/playbooks/objects/{members['id']}/"
    refused(shared_node.cobalt.request("DELETE", elsewhere), 404, "object-not-found")
    assert deleted(shared_node.cobalt, members["id"]).status_code == 200
    refused(deleted(shared_node.cobalt, members["id"]), 404)


def test_a_lab_deletes_its_own_objects_alone(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    members = lab.indicator()
    store(shared_node.aurora, lab, members)
    refused(deleted(shared_node.borealis, members["id"]), 403, "not-yours")
    refused(deleted(shared_node.borealis, members["id"], "match[version]=first"), 403, "not-yours")
    hidden = lab.indicator(Tlp.RED)
    store(shared_node.aurora, lab, hidden)
    refused(deleted(shared_node.borealis, hidden["id"]), 404, "object-not-found")
    assert keys(ask(shared_node.borealis, object_path(members["id"]))) == [key(members)]


def test_fixed_objects_and_what_others_rest_on_are_not_deleted(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    refused(deleted(shared_node.aurora, Tlp.GREEN.marking_id), 403, "not-yours")
    identity = f"/exchange/collections/identities/objects/{lab.identity}/"
    refused(shared_node.aurora.request("DELETE", identity), 403, "in-use")
    assert shared_node.aurora.get(identity).status_code == 200


def test_requirement_75_a_deletion_of_one_version_leaves_the_others(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    first, second, third = history(lab)
    store(shared_node.aurora, lab, first, second, third)
    stix_id, every = first["id"], f"{only(first)}&match[version]=all"
    before = items(ask(shared_node.borealis, MANIFEST, every))
    response = deleted(shared_node.aurora, stix_id, f"match[version]={second['modified'][:-1]}000Z")
    assert (response.status_code, response.content) == (200, b"")
    assert items(ask(shared_node.borealis, MANIFEST, every)) == [before[0], before[2]]
    assert keys(ask(shared_node.borealis, OBJECTS, only(first))) == [key(third)]
    assert ask(shared_node.borealis, versions_path(stix_id)).json()["versions"] == [
        first["modified"],
        third["modified"],
    ]
    assert ask(shared_node.borealis, object_path(stix_id), f"match[version]={second['modified']}").content == b"{}"
    refused(deleted(shared_node.aurora, stix_id, f"match[version]={second['modified']}"), 404, "version-not-found")
    refused(shared_node.aurora.post(lab.signed(second)), 422)
    refused(deleted(shared_node.aurora, stix_id, "match[version]=yesterday"), 400)
    refused(deleted(shared_node.aurora, stix_id, "match[version]=last&match[version]=last"), 400)
    refused(deleted(shared_node.aurora, stix_id, "match[spec_version]=2.0"), 404)
    assert deleted(shared_node.aurora, stix_id, "match[version]=all").status_code == 200
    refused(shared_node.aurora.get(object_path(stix_id)), 404)


def test_after_the_newest_version_is_deleted_followers_meet_the_one_before_it(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    first, second, third = history(lab)
    store(shared_node.aurora, lab, first, second, third)
    place = ask(shared_node.borealis, OBJECTS, only(first)).headers[LAST_DATE]
    assert deleted(shared_node.aurora, first["id"], "match[version]=last").status_code == 200
    assert keys(ask(shared_node.borealis, OBJECTS, only(first))) == [key(second)]
    follow = ask(shared_node.borealis, OBJECTS, f"{only(first)}&added_after={place}")
    assert keys(follow) == [key(second)]
    assert deleted(shared_node.aurora, first["id"], "match[version]=first").status_code == 200
    assert keys(ask(shared_node.borealis, OBJECTS, f"{only(first)}&match[version]=first")) == [key(second)]
    assert deleted(shared_node.aurora, first["id"], "match[version]=first,last").status_code == 200
    refused(shared_node.borealis.get(object_path(first["id"])), 404)


def test_a_deletion_that_narrows_tells_those_who_lost_sight(shared_node: Node) -> None:
    """The version that remains is for fewer readers than the one that was deleted."""
    lab, borealis, _ = shared_node.community.labs
    marking = lab.distribution(borealis.identity)
    store(shared_node.aurora, lab, marking, collection="identities")
    narrow = lab.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    wide = lab.next_version(narrow, object_marking_refs=[Tlp.GREEN.marking_id])
    store(shared_node.aurora, lab, narrow, wide)
    start = ask(shared_node.cobalt, OBJECTS, only(wide)).headers[LAST_DATE]
    assert deleted(shared_node.aurora, wide["id"], "match[version]=last").status_code == 200
    assert keys(ask(shared_node.borealis, OBJECTS, only(wide))) == [key(narrow)]
    refused(shared_node.cobalt.get(object_path(wide["id"])), 404)
    notes = items(ask(shared_node.cobalt, OBJECTS, f"match[type]=note&added_after={start}"))
    assert [note["object_refs"] for note in notes] == [[wide["id"]]]
    assert ask(shared_node.borealis, OBJECTS, f"match[type]=note&added_after={start}").content == b"{}"


def test_a_revocation_is_not_taken_back_by_deleting_it(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    first = lab.indicator()
    revoked = lab.next_version(first, revoked=True)
    store(shared_node.aurora, lab, first, revoked)
    refused(deleted(shared_node.aurora, first["id"], "match[version]=last"), 403, "in-use")
    assert deleted(shared_node.aurora, first["id"], "match[version]=first").status_code == 200
    assert keys(ask(shared_node.borealis, object_path(first["id"]))) == [key(revoked)]


def test_deleting_the_version_that_waits_for_its_marking_brings_the_one_before_it_back(shared_node: Node) -> None:
    """A narrower version that waits stops delivery at once; without it the object is what it was."""
    lab, borealis, _ = shared_node.community.labs
    first = lab.indicator()
    store(shared_node.aurora, lab, first)
    marking = lab.distribution(borealis.identity)
    waiting = lab.next_version(first, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    status = shared_node.aurora.post(lab.signed(waiting)).json()
    assert status["successes"][0]["message"] == "held"
    refused(shared_node.cobalt.get(object_path(first["id"])), 404)
    place = items(ask(shared_node.cobalt, MANIFEST))[-1]["date_added"]
    # Nobody sees it, so it is not the last version.
    assert deleted(shared_node.aurora, first["id"], f"match[version]={waiting['modified']}").status_code == 200
    for client in (shared_node.cobalt, shared_node.borealis):
        assert keys(ask(client, OBJECTS, f"{only(first)}&added_after={place}")) == [key(first)]
    refused(shared_node.aurora.post(lab.signed(waiting)), 422)


def test_requirement_76_an_object_that_is_not_there_is_not_deleted(shared_node: Node) -> None:
    for unknown in (f"indicator--{uuid.uuid4()}", "x", "%00"):
        refused(deleted(shared_node.aurora, unknown), 404)


def test_requirement_77_versions_are_listed_and_filtered(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    members = history(lab, 4)
    store(shared_node.aurora, lab, *members)
    path, texts = versions_path(members[0]["id"]), [each["modified"] for each in members]
    response = ask(shared_node.borealis, path)
    assert response.json() == {"more": False, "versions": texts}
    dates = [
        each["date_added"]
        for each in items(ask(shared_node.borealis, MANIFEST, only(*members) + "&match[version]=all"))
    ]
    assert (response.headers[FIRST_DATE], response.headers[LAST_DATE]) == (dates[0], dates[-1])
    assert DATE.fullmatch(dates[0])
    assert ask(shared_node.borealis, path, f"added_after={dates[1]}").json()["versions"] == texts[2:]
    page = ask(shared_node.borealis, path, "limit=3")
    assert page.json()["versions"] == texts[:3]
    assert page.json()["more"] is True
    rest = ask(shared_node.borealis, path, f"limit=3&next={page.json()['next']}")
    assert rest.json() == {"more": False, "versions": texts[3:]}
    for none in ("match[spec_version]=2.0", f"added_after={dates[-1]}"):
        assert ask(shared_node.borealis, path, none).content == b"{}"
    refused(
        shared_node.borealis.get(f"{path}?next={ask(shared_node.borealis, MANIFEST, 'limit=1').json()['next']}"), 400
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "OPTIONS"])
def test_requirement_82_other_methods_on_objects_and_versions_are_named(shared_node: Node, method: str) -> None:
    for path, allowed in (
        (object_path("indicator--x"), "DELETE, GET, HEAD"),
        (versions_path("indicator--x"), "GET, HEAD"),
        (MANIFEST, "GET, HEAD"),
    ):
        response = shared_node.aurora.request(method, path)
        refused(response, 405)
        assert response.headers["Allow"] == allowed
