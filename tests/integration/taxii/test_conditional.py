"""Entity tags: an answer that a client has is not sent again, and its tag tells nothing that the answer does not."""

from __future__ import annotations

import requests

from exchange.models import Delivery
from exchange.stix.markings import Tlp
from tests.integration.taxii.walking import LAST_DATE, MANIFEST, OBJECTS, ROOT, object_path, versions_path
from tests.support.labs import Community
from tests.support.taxii import Node, TaxiiClient

TLP_GREEN = Tlp.GREEN.marking_id
CONTENT = (OBJECTS, f"{OBJECTS}?limit=2", MANIFEST, object_path(TLP_GREEN), versions_path(TLP_GREEN))
RESOURCES = ("/taxii2/", f"{ROOT}/", f"{ROOT}/collections/", f"{ROOT}/collections/signatures/")


def again(client: TaxiiClient, path: str, tag: str, method: str = "GET") -> requests.Response:
    return client.request(method, path, headers={"If-None-Match": tag})


def test_what_a_client_has_is_answered_304_without_a_body(node: Node) -> None:
    for path in (*CONTENT, *RESOURCES):
        first = node.aurora.get(path)
        tag = first.headers["ETag"]
        assert tag.startswith('W/"')
        assert first.headers["Cache-Control"] == "private, no-cache"
        assert {"Accept", "Authorization"} <= {each.strip() for each in first.headers["Vary"].split(",")}
        for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
            response = again(node.aurora, path, known)
            assert response.status_code == 304
            assert response.content == b""
            assert response.headers["ETag"] == tag
            assert response.headers["Cache-Control"] == "private, no-cache"
        assert again(node.aurora, path, '"other"').status_code == 200
        assert again(node.aurora, path, tag, "HEAD").status_code == 304
        assert node.aurora.get(path).headers["ETag"] == tag


def test_a_new_object_makes_a_new_tag_for_those_alone_who_may_read_it(node: Node) -> None:
    aurora, borealis, cobalt = node.community.labs
    tags = [client.get(OBJECTS).headers["ETag"] for client in (node.borealis, node.cobalt)]
    marking = aurora.distribution(borealis.identity)
    node.aurora.post(aurora.signed(marking), collection="identities")
    secret = aurora.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    assert node.aurora.post(aurora.signed(secret)).json()["success_count"] == 1
    assert again(node.cobalt, OBJECTS, tags[1]).status_code == 304
    changed = again(node.borealis, OBJECTS, tags[0])
    assert changed.status_code == 200
    assert secret["id"] in changed.text
    assert cobalt.identity not in changed.text


def test_a_page_changes_its_tag_when_something_follows_it(node: Node) -> None:
    aurora = node.community.aurora
    first = node.borealis.get(OBJECTS)
    count = len(first.json()["objects"])
    path = f"{OBJECTS}?limit={count}"
    last_page = node.borealis.get(path)
    assert last_page.json()["more"] is False
    node.aurora.post(aurora.signed(aurora.indicator()))
    response = again(node.borealis, path, last_page.headers["ETag"])
    assert response.status_code == 200
    assert response.json()["more"] is True
    assert response.headers[LAST_DATE] == last_page.headers[LAST_DATE]


def test_a_304_is_no_delivery(exchange_server: tuple[str, Community], node: Node) -> None:
    aurora = node.community.aurora
    node.aurora.post(aurora.signed(aurora.indicator()))
    tag = node.borealis.get(OBJECTS).headers["ETag"]
    before = Delivery.objects.count()
    assert again(node.borealis, OBJECTS, tag).status_code == 304
    assert Delivery.objects.count() == before
    node.borealis.get(OBJECTS)
    assert Delivery.objects.count() == before + 1


def test_a_page_that_is_asked_for_again_and_again_is_the_same_page(node: Node) -> None:
    aurora = node.community.aurora
    node.aurora.post(*(aurora.signed(aurora.indicator()) for _ in range(6)))
    path = f"{OBJECTS}?limit=4"
    answers = [node.borealis.get(path) for _ in range(5)]
    assert len({str(each.json()["objects"]) for each in answers}) == 1
    assert len({each.headers["ETag"] for each in answers}) == 1
    for answer in answers:
        following = node.borealis.get(f"{path}&next={answer.json()['next']}")
        assert following.status_code == 200
        assert len(following.json()["objects"]) == 4
    others = node.community.borealis.client_token
    client = TaxiiClient(node.url, others)
    refused = client.get(f"{path}&next={answers[-1].json()['next']}")
    assert refused.status_code == 400


def test_refusals_have_no_tag_and_are_kept_by_nobody(node: Node) -> None:
    for path in (f"{OBJECTS}?limit=0", f"{ROOT}/collections/nothing/objects/"):
        response = again(node.aurora, path, "*")
        assert response.status_code in {400, 404}
        assert "ETag" not in response.headers
        assert response.headers["Cache-Control"] == "private, no-store"
