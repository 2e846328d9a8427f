"""TAXII 2.1, what every address has in common: media types, errors, credentials (requirements 1-23, 81, 82)."""

from __future__ import annotations

import http.client
import json
import re
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from exchange.models import ApiRoot
from exchange.services.collections import create_collection
from exchange.services.principals import OPERATOR
from tests.integration.taxii.walking import HOME, MANIFEST, OBJECTS, ROOT, object_path, store, versions_path
from tests.support.taxii import TAXII, TIMEOUT_S, Node

COLLECTION_PARTS = ("", "manifest/", "objects/", "objects/x/", "objects/x/versions/")


class Door:
    """A node with one object and one status, so that all of the eleven endpoints answer 2xx."""

    def __init__(self, node: Node) -> None:
        self.node = node
        lab = node.community.aurora
        self.members = lab.indicator()
        posted = node.aurora.post(lab.signed(self.members))
        self.spare = lab.indicator()
        store(node.aurora, lab, self.spare)
        self.resources = [
            "/taxii2/",
            f"{ROOT}/",
            f"{ROOT}/status/{posted.json()['id']}/",
            f"{ROOT}/collections/",
            f"{HOME}/",
            MANIFEST,
            OBJECTS,
            object_path(self.members["id"]),
            versions_path(self.members["id"]),
        ]

    def everything(self, **headers: str | None) -> list[requests.Response]:
        """An answer of each of the eleven endpoints; the POST repeats what is there, the DELETE deletes the spare."""
        lab = self.node.community.aurora
        if self.node.aurora.get(object_path(self.spare["id"])).status_code == 404:
            self.spare = lab.indicator()
            store(self.node.aurora, lab, self.spare)
        answers = [self.node.aurora.get(path, headers=headers) for path in self.resources]
        answers.append(self.node.aurora.post(lab.signed(self.members), headers=headers))
        answers.append(self.node.aurora.request("DELETE", object_path(self.spare["id"]), headers=headers))
        assert len(answers) == 11
        return answers


@pytest.fixture(scope="module")
def door(shared_node: Node) -> Door:
    return Door(shared_node)


def test_requirement_01_discovery_is_at_the_root_of_the_host(door: Door) -> None:
    response = door.node.aurora.get("/taxii2/")
    assert response.status_code == 200
    assert response.json()["title"]


def test_requirement_02_an_api_root_works(door: Door) -> None:
    roots = door.node.aurora.get("/taxii2/").json()["api_roots"]
    assert [door.node.aurora.get(root).status_code for root in roots] == [200] * len(roots)
    assert roots


def test_requirement_03_the_default_root_is_one_of_the_roots(door: Door) -> None:
    discovery = door.node.aurora.get("/taxii2/").json()
    assert discovery["default"] in discovery["api_roots"]


def test_requirement_04_roots_are_relative_with_one_slash_and_no_query(door: Door) -> None:
    for root in door.node.aurora.get("/taxii2/").json()["api_roots"]:
        assert re.fullmatch(r"/[^/?#]+/", root)


def test_requirement_05_no_answer_holds_an_empty_list(door: Door) -> None:
    answers = door.everything()
    answers += [door.node.aurora.get(f"{path}?match[spec_version]=2.0") for path in door.resources]
    answers += [door.node.nobody.get(path) for path in door.resources]
    assert not [each.url for each in answers if re.search(rb"\[\s*\]", each.content)]


def test_requirement_06_an_api_root_has_its_required_members(door: Door) -> None:
    assert {"title", "versions", "max_content_length"} <= door.node.aurora.get(f"{ROOT}/").json().keys()


def test_requirement_07_an_api_root_names_taxii_2_1_exactly(door: Door) -> None:
    assert "application/taxii+json;version=2.1" in door.node.aurora.get(f"{ROOT}/").json()["versions"]


def test_requirement_08_the_largest_body_is_a_whole_number_above_zero(door: Door) -> None:
    limit = door.node.aurora.get(f"{ROOT}/").json()["max_content_length"]
    assert type(limit) is int
    assert limit > 0


def test_requirement_09_roots_have_addresses_and_collections_of_their_own(door: Door) -> None:
    labs = [lab.lab for lab in door.node.community.labs]
    ApiRoot.objects.create(slug="second", title="Another community", max_content_bytes=2_000)
    create_collection(actor=OPERATOR, alias="theirs", title="Theirs", api_root="second", readers=labs, writers=labs[:1])
    aurora = door.node.aurora
    assert len(set(aurora.get("/taxii2/").json()["api_roots"])) == 2
    theirs = {each["id"] for each in aurora.get("/second/collections/").json()["collections"]}
    ours = {each["id"] for each in aurora.get(f"{ROOT}/collections/").json()["collections"]}
    assert not theirs & ours
    for part in COLLECTION_PARTS:
        assert [aurora.get(f"{ROOT}/collections/{each}/{part}").status_code for each in theirs] == [404]
        assert {aurora.get(f"/second/collections/{each}/{part}").status_code for each in ours} == {404}
    assert aurora.get("/second/").json()["max_content_length"] == 2_000


def test_requirement_10_every_answer_says_taxii_2_1(door: Door) -> None:
    node = door.node
    answers = door.everything()
    answers += [node.nobody.get(path) for path in door.resources]
    answers += [node.aurora.get(path, headers={"Accept": "application/xml"}) for path in door.resources]
    answers += [node.aurora.get(f"{HOME}/{part}?limit=0") for part in COLLECTION_PARTS]
    answers += [node.aurora.get(f"{ROOT}/collections/x/{part}") for part in COLLECTION_PARTS]
    answers += [node.aurora.request("PUT", path) for path in door.resources]
    answers.append(node.aurora.post(data=b"{", headers={"Content-Type": "text/plain"}))
    answers.append(node.aurora.post(data=b"{"))
    assert {each.headers["Content-Type"] for each in answers} == {TAXII}
    assert {each.status_code for each in answers} >= {200, 202, 400, 401, 404, 405, 406, 415}


def test_requirement_11_taxii_2_1_is_acceptable_everywhere(door: Door) -> None:
    answers = door.everything(Accept="application/taxii+json;version=2.1")
    assert {each.status_code for each in answers} == {200, 202}


def test_requirement_12_taxii_without_a_version_is_acceptable_everywhere(door: Door) -> None:
    answers = door.everything(Accept="application/taxii+json")
    assert {each.status_code for each in answers} == {200, 202}


def test_requirement_13_taxii_without_a_version_is_answered_in_2_1(door: Door) -> None:
    assert {each.headers["Content-Type"] for each in door.everything(Accept="application/taxii+json")} == {TAXII}


@pytest.mark.parametrize("accept", ["application/xml", "application/taxii+json;version=2.0", ""])
def test_requirement_14_what_is_not_acceptable_is_406_with_an_error(door: Door, accept: str) -> None:
    for response in door.everything(Accept=accept):
        assert response.status_code == 406
        assert response.json()["title"]


def test_requirement_15_a_body_of_taxii_with_or_without_version_is_taken(door: Door) -> None:
    body = door.node.community.aurora.signed(door.members)
    for content_type in ("application/taxii+json;version=2.1", "application/taxii+json"):
        assert door.node.aurora.post(body, headers={"Content-Type": content_type}).status_code == 202


@pytest.mark.parametrize("content_type", ["application/json", "application/stix+json;version=2.1", None])
def test_requirement_16_a_body_of_another_type_is_415(door: Door, content_type: str | None) -> None:
    body = door.node.community.aurora.signed(door.members)
    assert door.node.aurora.post(body, headers={"Content-Type": content_type}).status_code == 415


@pytest.mark.parametrize(
    "accept",
    [
        "application/json, application/taxii+json;version=2.1",
        "application/taxii+json; version=2.1",
        'application/taxii+json;Version="2.1"',
        "text/html;q=0.9,application/taxii+json;version=2.1;q=0.1",
    ],
)
def test_requirement_17_one_acceptable_member_of_a_list_is_enough(door: Door, accept: str) -> None:
    assert {each.status_code for each in door.everything(Accept=accept)} == {200, 202}


def test_requirement_18_every_address_ends_in_a_slash(door: Door) -> None:
    emitted = door.node.aurora.get("/taxii2/").json()
    assert all(address.endswith("/") for address in [emitted["default"], *emitted["api_roots"]])
    for path in door.resources:
        assert door.node.aurora.get(path.rstrip("/")).status_code == 404


def test_requirement_19_errors_have_a_title_and_say_their_status(door: Door) -> None:
    node = door.node
    errors = [
        node.nobody.get(OBJECTS),
        node.aurora.get(OBJECTS, headers={"Accept": "text/html,application/taxii+json;q=0"}),
        node.aurora.get(f"{OBJECTS}?limit=0"),
        node.aurora.get(f"{ROOT}/collections/x/"),
        node.aurora.request("PATCH", OBJECTS),
        node.aurora.post(data=b"[]"),
        node.aurora.post(data=b"{}", headers={"Content-Type": "text/plain"}),
        node.borealis.request("DELETE", object_path(door.members["id"])),
    ]
    assert [each.status_code for each in errors] == [401, 406, 400, 404, 405, 422, 415, 403]
    for each in errors:
        assert each.json()["title"]
        assert each.json()["http_status"] == str(each.status_code)


def test_requirement_20_a_user_agent_is_not_needed(door: Door) -> None:
    address = urlsplit(door.node.url)
    raw = http.client.HTTPConnection(str(address.hostname), address.port or 80, timeout=TIMEOUT_S)
    credentials = f"Bearer {door.node.community.aurora.token}"
    raw.request("GET", OBJECTS, headers={"Accept": TAXII, "Authorization": credentials})
    assert raw.getresponse().status == 200
    raw.close()


def test_requirement_21_without_credentials_comes_401_with_a_challenge(door: Door) -> None:
    for path in door.resources:
        response = door.node.nobody.get(path)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"]


def test_requirement_22_basic_credentials_are_offered_and_work(door: Door) -> None:
    challenge = door.node.nobody.get(OBJECTS).headers["WWW-Authenticate"]
    assert re.search(r"\bBasic realm=", challenge)
    token = door.node.community.aurora.token
    for path in door.resources:
        for password, status in ((token, 200), (f"{token}x", 401), ("", 401)):
            response = requests.get(
                door.node.url + path, auth=("aurora", password), headers={"Accept": TAXII}, timeout=TIMEOUT_S
            )
            assert response.status_code == status


@pytest.mark.parametrize("part", COLLECTION_PARTS)
def test_requirement_23_failed_authentication_at_a_collection_is_401_or_404(door: Door, part: str) -> None:
    for collection in ("signatures", "all", "nothing", str(uuid.uuid4())):
        path = f"{ROOT}/collections/{collection}/{part}"
        for method in ("GET", "POST", "DELETE"):
            for headers in ({}, {"Authorization": "Bearer cwt_00000000_wrong"}):
                assert door.node.nobody.request(method, path, headers=headers).status_code in {401, 404}


def test_requirement_81_bodies_are_sound_i_json_in_utf_8(door: Door) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    for response in door.everything():
        if response.content:
            json.loads(response.content.decode("utf-8"), object_pairs_hook=unique)
    for body in (
        b'{"objects":[{"id":"a","id":"b"}]}',
        b'{"objects":[],"objects":[]}',
        b'{"objects":[{"id":"\\ud800"}]}',
        b'\xff{"objects":[]}',
        '{"objects":[]}'.encode("utf-16"),
    ):
        assert door.node.aurora.post(data=body).status_code in {400, 422}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "PURGE"])
def test_requirement_82_other_methods_are_405_with_those_allowed(door: Door, method: str) -> None:
    for path in door.resources:
        response = door.node.aurora.request(method, path)
        assert response.status_code == 405
        allowed = set(response.headers["Allow"].split(", "))
        assert {"GET", "HEAD"} <= allowed
        assert method not in allowed
