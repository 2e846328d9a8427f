"""Versions in pages, and what changed between two of them: of what the reader may read, and nothing else."""

from __future__ import annotations

import uuid
from typing import Any

import requests

from exchange.stix.markings import Tlp
from tests.support.forms import assert_form
from tests.support.labs import LabHandle
from tests.support.rest import RestNode

Members = dict[str, Any]


def history(lab: LabHandle, count: int, **changes: Any) -> list[Members]:
    """Publish an object in several versions, each with a name of its own."""
    versions = [lab.indicator(name="Look 0", **changes)]
    for number in range(1, count):
        versions.append(lab.next_version(versions[-1], name=f"Look {number}"))
    outcomes = lab.publish(*(lab.signed(members) for members in versions))
    assert all(outcome.error is None for outcome in outcomes)
    return versions


def refused(response: requests.Response, status: int, slug: str) -> None:
    assert response.status_code == status, response.text
    assert_form(response.json(), "Problem")
    assert response.json()["type"] == f"urn:commonwatch:problem:{slug}"


def names(response: requests.Response) -> list[str]:
    assert response.status_code == 200, response.text
    assert_form(response.json(), "VersionPage")
    return [each["object"]["name"] for each in response.json()["versions"]]


def test_versions_come_in_pages_and_each_once(node: RestNode) -> None:
    stix_id = history(node.community.aurora, 7)[0]["id"]
    found, cursor, lengths = [], "", []
    while True:
        page = node.borealis.get(f"objects/{stix_id}/versions/?limit=3{cursor}")
        found += names(page)
        lengths.append(len(page.json()["versions"]))
        if not page.json()["more"]:
            break
        cursor = f"&cursor={page.json()['next']}"
    assert (found, lengths) == ([f"Look {number}" for number in range(7)], [3, 3, 1])


def test_the_cursor_of_versions_serves_nothing_else(node: RestNode) -> None:
    one, other = (history(node.community.aurora, 2)[0]["id"] for _ in range(2))
    cursor = node.aurora.get(f"objects/{one}/versions/?limit=1").json()["next"]
    assert names(node.aurora.get(f"objects/{one}/versions/?cursor={cursor}")) == ["Look 1"]
    for path in (f"objects/{other}/versions/?", f"objects/{one}/versions/?producer=aurora&", "objects/?"):
        refused(node.aurora.get(f"{path}cursor={cursor}"), 400, "cursor")
    refused(node.borealis.get(f"objects/{one}/versions/?cursor={cursor}"), 400, "cursor")
    page = node.aurora.get("objects/?limit=1").json()["next"]
    refused(node.aurora.get(f"objects/{one}/versions/?cursor={page}"), 400, "cursor")


def test_an_observable_has_versions_by_several_producers(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    members = aurora.address("198.51.100.7")
    for lab in (aurora, borealis):
        assert lab.publish(lab.signed(members))[0].error is None
    path = f"objects/{members['id']}/versions/"
    everything = node.cobalt.get(path).json()["versions"]
    assert [each["producer"] for each in everything] == ["aurora", "borealis"]
    only = node.cobalt.get(f"{path}?producer=borealis").json()["versions"]
    assert [each["producer"] for each in only] == ["borealis"]
    refused(node.cobalt.get(f"{path}?producer=cobalt"), 404, "object-not-found")
    refused(node.cobalt.get(f"objects/{members['id']}/diff/"), 400, "producer-missing")
    refused(node.cobalt.get(f"objects/{members['id']}/diff/?producer=aurora"), 404, "version-not-found")


def test_the_last_two_versions_are_compared_unless_others_are_named(node: RestNode) -> None:
    aurora = node.community.aurora
    versions = history(aurora, 3, labels=["relay"])
    last = aurora.next_version(versions[-1], name="Look 3", confidence=None, labels=["relay", "eu"])
    assert aurora.publish(aurora.signed(last))[0].error is None
    path = f"objects/{last['id']}/diff/"
    response = node.borealis.get(path)
    assert response.status_code == 200, response.text
    told = response.json()
    assert_form(told, "Difference")
    assert (told["from"]["version"], told["to"]["version"]) == (versions[2]["modified"], last["modified"])
    assert (told["id"], told["producer"]) == (last["id"], "aurora")
    changes = {each["path"]: each for each in told["changes"] if not each["path"].startswith("/extensions")}
    assert changes == {
        "/confidence": {"op": "remove", "path": "/confidence", "old": 70},
        "/labels/1": {"op": "add", "path": "/labels/1", "value": "eu"},
        "/modified": {
            "op": "replace", "path": "/modified", "old": versions[2]["modified"], "value": last["modified"]
        },
        "/name": {"op": "replace", "path": "/name", "old": "Look 2", "value": "Look 3"},
    }  # fmt: skip
    named = node.borealis.get(f"{path}?from={last['modified']}&to={versions[0]['modified']}").json()
    assert {"op": "replace", "path": "/name", "old": "Look 3", "value": "Look 0"} in named["changes"]
    before = node.borealis.get(f"{path}?to={versions[1]['modified']}").json()
    assert before["from"]["version"] == versions[0]["modified"]
    same = node.borealis.get(f"{path}?from={last['modified']}&to={last['modified'][:-1]}000Z").json()
    assert same["changes"] == []


def test_a_version_that_a_reader_may_not_see_is_not_there_to_compare(node: RestNode) -> None:
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    narrow = aurora.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]], name="Narrow")
    wide = aurora.next_version(narrow, object_marking_refs=[Tlp.GREEN.marking_id], name="Wide")
    outcomes = aurora.publish(*(aurora.signed(members) for members in (marking, narrow, wide)))
    assert all(outcome.error is None for outcome in outcomes)
    path = f"objects/{wide['id']}/diff/"
    assert node.borealis.get(path).status_code == 200
    for query in ("", f"?from={narrow['modified']}", f"?from={narrow['modified']}&to={wide['modified']}"):
        hidden = node.cobalt.get(path + query)
        refused(hidden, 404, "version-not-found")
        absent = node.cobalt.get(path + query.replace(narrow["modified"], "2001-01-01T00:00:00.000Z"))
        assert hidden.content == absent.content
    assert names(node.cobalt.get(f"objects/{wide['id']}/versions/")) == ["Wide"]


def test_what_is_absent_has_no_versions_and_no_differences(node: RestNode) -> None:
    red = node.community.aurora.indicator(Tlp.RED)
    assert node.community.aurora.publish(node.community.aurora.signed(red))[0].error is None
    for path in ("versions", "diff"):
        seen, absent = (
            node.borealis.get(f"objects/{each}/{path}/") for each in (red["id"], f"indicator--{uuid.uuid4()}")
        )
        refused(seen, 404, "object-not-found")
        assert seen.content == absent.content
        refused(node.nobody.get(f"objects/{red['id']}/{path}/"), 401, "not-authenticated")


MALFORMED = (
    "versions/?limit=0", "versions/?to=x", "versions/?producer=", "versions/?cursor=", "diff/?from=", "diff/?limit=1",
    "diff/?from=yesterday", "diff/?to=1", "diff/?producer=a/b",
    "diff/?from=2026-11-01T00:00:00Z&from=2026-11-01T00:00:00Z",
)  # fmt: skip


def test_a_malformed_question_is_refused(node: RestNode) -> None:
    for path in MALFORMED:
        response = node.aurora.get(f"objects/{node.community.aurora.identity}/{path}")
        assert (response.status_code, response.json()["status"]) == (400, 400), path


def test_the_producer_is_told_who_received_which_version(node: RestNode) -> None:
    versions = history(node.community.aurora, 3, object_marking_refs=[Tlp.AMBER.marking_id])
    stix_id = versions[0]["id"]
    assert node.borealis.get(f"objects/{stix_id}/versions/?limit=1").status_code == 200
    assert node.cobalt.get(f"objects/{stix_id}/diff/").status_code == 200
    told = node.aurora.get(f"objects/{stix_id}/recipients/").json()["recipients"]
    assert sorted((each["lab"], each["version"]) for each in told) == [
        ("borealis", versions[0]["modified"]), ("cobalt", versions[1]["modified"]), ("cobalt", versions[2]["modified"]),
    ]  # fmt: skip
