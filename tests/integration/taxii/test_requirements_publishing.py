"""TAXII 2.1, publishing and statuses, and what comes back (requirements 62-71, 78, 79, 84-86)."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from exchange.models import ApiRoot, PublishingStatus, Version
from exchange.services.database import writing
from exchange.services.statuses import KEPT_FOR, purge_statuses
from tests.integration.taxii.walking import (
    DATE,
    FIRST_DATE,
    LAST_DATE,
    MANIFEST,
    OBJECTS,
    ROOT,
    ask,
    by_next,
    items,
    key,
    keys,
    only,
    store,
)
from tests.support.taxii import Node, client_of

STATUS = f"{ROOT}/status/"
WRITERS, POSTS, OBJECTS_PER_POST = 4, 6, 5


def stored_versions() -> int:
    with writing():
        return Version.objects.count()


def assert_status(status: dict[str, Any], total: int) -> None:
    """Section 4.3.1: what a status has, and that its counts and lists agree."""
    assert uuid.UUID(status["id"]).version == 4
    assert status["status"] in {"complete", "pending"}
    assert DATE.fullmatch(status["request_timestamp"])
    counted = 0
    for name, plural in (("success", "successes"), ("failure", "failures"), ("pending", "pendings")):
        count = status[f"{name}_count"]
        assert type(count) is int
        assert count == len(status.get(plural, []))
        assert (plural in status) == (count > 0)
        assert all(each["id"] and each["version"] for each in status.get(plural, []))
        counted += count
    assert status["total_count"] == counted == total


def test_requirement_62_a_post_is_accepted_with_a_status(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    response = shared_node.aurora.post(*(lab.signed(lab.indicator()) for _ in range(3)))
    assert response.status_code == 202
    required = {"id", "status", "total_count", "success_count", "failure_count", "pending_count"}
    assert required <= response.json().keys()


def test_requirement_63_counts_and_lists_of_a_status_agree(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    good, bad = lab.indicator(), lab.indicator(label=None)
    for bodies in ([good], [good, bad], [bad, lab.indicator(), bad]):
        response = shared_node.aurora.post(*map(lab.signed, bodies))
        assert response.status_code == 202
        assert_status(response.json(), len(bodies))
        assert response.json()["failure_count"] == bodies.count(bad)


def test_requirement_64_details_name_id_and_version(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    good, bad = lab.indicator(), lab.indicator(label=None)
    marking = lab.distribution(shared_node.community.borealis.identity)
    status = shared_node.aurora.post(*map(lab.signed, (good, bad, marking))).json()
    assert [(each["id"], each["version"]) for each in status["successes"]] == [
        key(good),
        (marking["id"], marking["created"]),
    ]
    assert [(each["id"], each["version"]) for each in status["failures"]] == [key(bad)]
    assert status["failures"][0]["message"]


def test_requirement_65_a_status_can_be_read_again(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    status = shared_node.aurora.post(lab.signed(lab.indicator())).json()
    assert ask(shared_node.aurora, f"{STATUS}{status['id']}/").json() == status
    for unknown in (str(uuid.uuid4()), "x", "%00", "1" * 30):
        assert shared_node.aurora.get(f"{STATUS}{unknown}/").status_code == 404
    assert shared_node.borealis.get(f"{STATUS}{status['id']}/").status_code == 404


def test_requirement_66_a_status_is_there_for_a_day(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    ids = [shared_node.aurora.post(lab.signed(lab.indicator())).json()["id"] for _ in range(2)]
    assert timedelta(hours=24) <= KEPT_FOR
    for stored_id, age in zip(ids, (timedelta(hours=23, minutes=59), KEPT_FOR + timedelta(minutes=1)), strict=True):
        found = PublishingStatus.objects.get(pk=stored_id)
        assert found.completed_at is not None
        found.completed_at -= age
        found.save()
    purge_statuses()
    assert [shared_node.aurora.get(f"{STATUS}{each}/").status_code for each in ids] == [200, 404]


def test_requirement_67_posting_again_is_no_failure_and_changes_nothing(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    members = lab.indicator()
    body = lab.signed(members)
    assert shared_node.aurora.post(body).json()["success_count"] == 1
    query = f"{only(members)}&match[version]=all"
    before = ask(shared_node.borealis, MANIFEST, query).content
    for bodies in ((body,), (body, body)):
        status = shared_node.aurora.post(*bodies).json()
        assert (status["success_count"], status["failure_count"]) == (len(bodies), 0)
    assert ask(shared_node.borealis, MANIFEST, query).content == before


def test_requirement_68_a_body_below_the_limit_is_never_too_large(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    envelope = b'{"objects":[' + lab.signed(lab.indicator()) + b"]"
    limit = 10_000
    kept = ApiRoot.objects.get(slug="exchange").max_content_bytes
    ApiRoot.objects.filter(slug="exchange").update(max_content_bytes=limit)
    try:
        assert ask(shared_node.aurora, f"{ROOT}/").json()["max_content_length"] == limit
        for octets, status in ((limit - 1, 202), (limit, 202), (limit + 1, 413), (limit * 3, 413)):
            body = envelope + b" " * (octets - len(envelope) - 1) + b"}"
            assert len(body) == octets
            assert shared_node.aurora.post(data=body).status_code == status
    finally:
        ApiRoot.objects.filter(slug="exchange").update(max_content_bytes=kept)


def test_requirement_69_what_is_no_envelope_is_refused_and_nothing_stored(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    body = lab.signed(lab.indicator())
    before = stored_versions()
    for other in (
        body,
        b"[" + body + b"]",
        b'{"object":[' + body + b"]}",
        b'"x"',
        b"null",
        b'{"objects":' + body + b"}",
    ):
        assert shared_node.aurora.post(data=other).status_code == 422
    assert shared_node.aurora.post(data=b"{").status_code == 400
    assert stored_versions() == before


def test_requirement_69_a_bundle_is_taken_as_an_envelope_with_two_unknown_properties(shared_node: Node) -> None:
    """Our choice: stix2's sink posts bundles."""
    lab = shared_node.community.aurora
    body = b'{"type":"bundle","id":"bundle--%s","objects":[%s]}'
    posted = body % (str(uuid.uuid4()).encode(), lab.signed(lab.indicator()))
    assert shared_node.aurora.post(data=posted).json()["success_count"] == 1


def test_requirement_70_another_type_or_specification_is_refused(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    good = lab.indicator()
    unknown = {**lab.indicator(), "type": "x-thing", "id": f"x-thing--{uuid.uuid4()}"}
    old = lab.indicator(spec_version="2.0")
    bare = lab.indicator(spec_version=None)
    for bad in (unknown, old, bare):
        assert shared_node.aurora.post(lab.signed(bad)).status_code == 422
        status = shared_node.aurora.post(lab.signed(bad), lab.signed(good)).json()
        assert [each["id"] for each in status["failures"]] == [bad["id"]]


def test_requirement_71_an_envelope_without_objects_is_refused(shared_node: Node) -> None:
    for body in (b'{"objects":[]}', b"{}", b'{"more":false}'):
        assert shared_node.aurora.post(data=body).status_code == 422


def test_requirement_78_every_time_of_taxii_has_six_digits(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    status = shared_node.aurora.post(lab.signed(lab.indicator())).json()
    manifest = ask(shared_node.borealis, MANIFEST)
    times = [each["date_added"] for each in items(manifest)] + [status["request_timestamp"]]
    times += [manifest.headers[FIRST_DATE], manifest.headers[LAST_DATE]]
    assert all(map(DATE.fullmatch, times))


def test_requirement_79_ids_that_the_node_makes_are_random_uuids(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    ids = [shared_node.aurora.post(lab.signed(lab.indicator())).json()["id"] for _ in range(2)]
    ids += [each["id"] for each in ask(shared_node.aurora, f"{ROOT}/collections/").json()["collections"]]
    assert {uuid.UUID(each).version for each in ids} == {4}
    assert len(set(ids)) == len(ids)


def test_requirement_84_an_object_comes_back_as_it_was_posted(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    members = lab.indicator(
        name='Zürich \u2028 \U0001f600 "quoted" \\ /',
        confidence=0,
        external_references=[{"source_name": "x", "description": "é"}],
        granular_markings=None,
    )
    body = lab.signed(members)
    assert shared_node.aurora.post(body).status_code == 202
    response = ask(shared_node.borealis, OBJECTS, only(members))
    assert items(response) == [json.loads(body)]
    assert body in response.content


@pytest.mark.parametrize("fraction", [".000Z", ".500Z", ".123456789Z", ".1234Z"])
def test_requirement_85_times_of_an_object_are_echoed_as_written(shared_node: Node, fraction: str) -> None:
    lab = shared_node.community.aurora
    at = "2026-03-01T00:00:00" + fraction
    members = lab.indicator(created=at, modified=at)
    store(shared_node.aurora, lab, members)
    found = items(ask(shared_node.borealis, OBJECTS, only(members)))
    assert [(each["created"], each["modified"]) for each in found] == [(at, at)]
    assert [each["version"] for each in items(ask(shared_node.borealis, MANIFEST, only(members)))] == [at]


def test_requirement_86_dates_rise_strictly_while_many_post(shared_node: Node) -> None:
    """Two labs, several connections: no date twice, and followers by date lose nothing."""
    labs = shared_node.community.labs[:2]
    start = items(ask(shared_node.cobalt, MANIFEST))[-1]["date_added"]

    def post(writer: int) -> list[tuple[str, str]]:
        lab = labs[writer % 2]
        client, posted = client_of(shared_node.url, lab), []
        for _ in range(POSTS):
            members = [lab.indicator() for _ in range(OBJECTS_PER_POST)]
            store(client, lab, *members)
            posted += [key(each) for each in members]
        return posted

    with ThreadPoolExecutor(WRITERS) as pool:
        posted = [each for found in pool.map(post, range(WRITERS)) for each in found]
    pages = by_next(shared_node.cobalt, MANIFEST, f"limit=7&added_after={start}")
    dates = [each["date_added"] for page in pages for each in items(page)]
    assert dates == sorted(set(dates))
    assert dates[0] > start
    assert sorted(each for page in pages for each in keys(page)) == sorted(posted)
