"""Entity tags: of what this reader gets, the same while that is the same, and 304 for who has it."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.models import Collection, Grant
from exchange.services.collections import grant_access
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp
from tests.support.labs import LabHandle
from tests.support.rest import RestClient, RestNode

PATHS = ["objects/", "objects/?limit=1", "objects/?q=quasar", "objects/?limit=1&order=newest", "objects/{}/",
         "objects/{}/versions/", "objects/{}/versions/?limit=1", "objects/{}/diff/", "collections/", "labs/",
         "labs/aurora/keys/", "whoami/", "objects/{}/recipients/"]  # fmt: skip


def two_versions(lab: LabHandle) -> dict[str, Any]:
    first = lab.indicator(name="Quasar")
    second = lab.next_version(first, name="Quasar again")
    assert all(outcome.error is None for outcome in lab.publish(lab.signed(first), lab.signed(second)))
    return second


def tag(reader: RestClient, path: str) -> str:
    response = reader.get(path)
    assert response.status_code == 200, response.text
    return response.headers["ETag"]


def test_who_has_an_answer_is_told_so_without_a_body(node: RestNode) -> None:
    stix_id = two_versions(node.community.aurora)["id"]
    for path in (each.format(stix_id) for each in PATHS):
        first = node.aurora.get(path)
        assert first.headers["Cache-Control"] == "private, no-cache", path
        assert {"Authorization", "Accept-Encoding"} <= {each.strip() for each in first.headers["Vary"].split(",")}
        etag = first.headers["ETag"]
        for asked in (etag, etag.removeprefix("W/"), f'"x", {etag}', "*"):
            again = node.aurora.get(path, headers={"If-None-Match": asked})
            assert (again.status_code, again.content) == (304, b""), (path, asked)
            assert again.headers["ETag"] == etag
            assert again.headers["Cache-Control"] == "private, no-cache"
            assert "Content-Type" not in again.headers
        assert node.aurora.get(path, headers={"If-None-Match": 'W/"0"'}).status_code == 200
        assert node.aurora.request("HEAD", path, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("header", ["", ",", "W/", '"' * 300, "x" * 20_000, '"\u00e9"', '"unclosed'])
def test_a_broken_condition_is_as_good_as_none(node: RestNode, header: str) -> None:
    response = node.aurora.get("collections/", headers={"If-None-Match": header.encode("latin-1")})
    assert response.status_code == 200


def test_a_new_object_changes_the_tags_of_its_readers_alone(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    paths = ("objects/", "objects/?limit=100", "objects/?q=quasar", "objects/?order=newest")
    before = {path: (tag(node.borealis, path), tag(node.cobalt, path)) for path in paths}
    marking = aurora.distribution(borealis.identity)
    refs = [Tlp.AMBER.marking_id, marking["id"]]
    secret = aurora.indicator(Tlp.AMBER, object_marking_refs=refs, name="Quasar")
    assert all(outcome.error is None for outcome in aurora.publish(aurora.signed(marking), aurora.signed(secret)))
    for path, (of_borealis, of_cobalt) in before.items():
        assert tag(node.borealis, path) != of_borealis, path
        assert tag(node.cobalt, path) == of_cobalt, path
        assert node.cobalt.get(path, headers={"If-None-Match": of_cobalt}).status_code == 304


def test_a_page_whose_cursor_holds_no_more_is_not_said_to_be_the_same(node: RestNode) -> None:
    two_versions(node.community.aurora)
    path = "objects/?collection=all&limit=1"
    before = tag(node.cobalt, path)
    assert tag(node.cobalt, path) == before, "the cursor differs each time, the page does not"
    collection = Collection.objects.get(alias="playbooks")
    Grant.objects.filter(lab=node.community.cobalt.lab, collection=collection).delete()
    assert tag(node.cobalt, path) != before
    grant_access(actor=OPERATOR, collection=collection, lab=node.community.cobalt.lab, can_read=True, can_write=True)
    assert tag(node.cobalt, path) == before


def test_refusals_and_what_holds_secrets_carry_no_tag(node: RestNode) -> None:
    for path, status in (("tokens/", 200), ("objects/nothing/", 404), ("objects/?limit=x", 400)):
        response = node.aurora.get(path, headers={"If-None-Match": "*"})
        assert response.status_code == status
        assert "ETag" not in response.headers
        assert response.headers["Cache-Control"] == "private, no-store"
    assert node.nobody.get("whoami/", headers={"If-None-Match": "*"}).status_code == 401
