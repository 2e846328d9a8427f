"""What users of TAXII servers complain of again and again, and what this node does instead."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from exchange.models import Collection
from exchange.stix.markings import Tlp
from tests.integration.taxii.walking import (
    DATE,
    FIRST_DATE,
    LAST_DATE,
    MANIFEST,
    OBJECTS,
    ROOT,
    Members,
    ask,
    by_date,
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
from tests.support.taxii import Node, client_of

READS = (OBJECTS, MANIFEST, object_path(Tlp.GREEN.marking_id), versions_path(Tlp.GREEN.marking_id))
LONG_AGO = "added_after=2020-01-01T00:00:00Z"


def five(node: Node) -> list[Members]:
    lab = node.community.aurora
    members = [lab.indicator() for _ in range(5)]
    store(node.aurora, lab, *members)
    return members


@pytest.fixture(scope="module")
def some(shared_node: Node) -> list[Members]:
    return five(shared_node)


def test_added_after_may_be_sent_together_with_next(shared_node: Node, some: list[Members]) -> None:
    expected = [key(each) for each in some]
    for path in (OBJECTS, MANIFEST):
        assert flat(by_next(shared_node.cobalt, path, f"{LONG_AGO}&limit=2&{only(*some)}")) == expected


def test_a_thousand_objects_of_one_envelope_are_paged_by_date_alone(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    members = [lab.indicator() for _ in range(1000)]
    start = items(ask(shared_node.cobalt, MANIFEST))[-1]["date_added"]
    store(shared_node.aurora, lab, *members)
    first = ask(shared_node.cobalt, MANIFEST, f"limit=300&added_after={start}")
    found, last = keys(first), first.headers[LAST_DATE]
    for page in by_date_from(shared_node, last):
        found += page
    assert found == [key(each) for each in members]


def by_date_from(node: Node, start: str) -> list[list[tuple[str, str]]]:
    """Pages of 300 after a date, until one is empty: how clients poll that believe no `more`."""
    pages: list[list[tuple[str, str]]] = []
    while True:
        page = ask(node.cobalt, MANIFEST, f"limit=300&added_after={start}")
        if not items(page):
            assert page.content == b"{}"
            return pages
        pages.append(keys(page))
        start = page.headers[LAST_DATE]


def test_a_client_that_asks_again_from_the_last_date_ends(shared_node: Node, some: list[Members]) -> None:
    """It takes `added_after` for inclusive and stops at the first answer that brings nothing new."""
    seen: set[tuple[str, str]] = set()
    start, rounds = "2020-01-01T00:00:00Z", 0
    while True:
        rounds += 1
        assert rounds < 10
        page = ask(shared_node.cobalt, OBJECTS, f"limit=2&{only(*some)}&added_after={start}")
        fresh = set(keys(page)) - seen
        if not fresh:
            break
        seen |= fresh
        start = page.headers[LAST_DATE]
    assert seen == {key(each) for each in some}


def test_ids_come_in_lists_and_in_any_number_that_fits(shared_node: Node, some: list[Members]) -> None:
    unknown = [f"indicator--{uuid.uuid4()}" for _ in range(100)]
    wanted = ",".join([*unknown, some[3]["id"], some[1]["id"], some[3]["id"]])
    for path in (OBJECTS, MANIFEST):
        assert keys(ask(shared_node.cobalt, path, f"match[id]={wanted}")) == [key(some[1]), key(some[3])]


def test_the_same_post_from_many_at_once_is_stored_once(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    members = [lab.indicator() for _ in range(5)]
    bodies = [lab.signed(each) for each in members]

    def post(_: int) -> tuple[int, int, int]:
        response = client_of(shared_node.url, lab).post(*bodies)
        return response.status_code, response.json()["success_count"], response.json()["failure_count"]

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(post, range(6))) == {(202, 5, 0)}
    every = f"{only(*members)}&match[version]=all"
    assert keys(ask(shared_node.cobalt, MANIFEST, every)) == [key(each) for each in members]


def test_dates_in_headers_are_rfc_3339_in_utc(shared_node: Node, some: list[Members]) -> None:
    for path in READS:
        response = ask(shared_node.cobalt, path)
        for name in (FIRST_DATE, LAST_DATE):
            assert DATE.fullmatch(response.headers[name])
            offset = datetime.fromisoformat(response.headers[name]).utcoffset()
            assert offset is not None
            assert not offset


@pytest.mark.parametrize("digits", range(7))
def test_added_after_has_as_many_digits_as_the_client_likes(
    shared_node: Node, some: list[Members], digits: int
) -> None:
    fraction = "." + "0" * digits if digits else ""
    for path in READS:
        assert items(ask(shared_node.cobalt, path, f"added_after=2020-01-01T00:00:00{fraction}Z")) or path == READS[3]


@pytest.mark.parametrize(
    "parameter",
    ["limit=1", LONG_AGO, "next=", "match[id]=indicator--x", "match[type]=indicator", "match[version]=last"],
)
def test_a_parameter_given_twice_is_refused(shared_node: Node, parameter: str) -> None:
    for path in (OBJECTS, MANIFEST):
        assert shared_node.cobalt.get(f"{path}?{parameter}&{parameter}").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "limit=%00",
        "match[id]=%00",
        "match[type]=indicator%00",
        "x=%00",
        f"limit={'1' * 30}",
        f"match[version]={'1' * 30}",
        f"added_after={'1' * 30}",
        f"next={'1' * 30}",
        f"match[type]={'a,' * 4000}a",
        f"x={'x' * 8000}",
    ],
)
def test_hostile_parameters_are_refused(shared_node: Node, query: str) -> None:
    for path in READS[:2]:
        assert shared_node.cobalt.get(f"{path}?{query}").status_code == 400
    if not query.startswith(("match[id]", "match[type]=indicator")):
        for path in READS[2:]:
            status = shared_node.cobalt.get(f"{path}?{query}").status_code
            assert status == 400 or (path == READS[3] and "version" in query)


def test_a_public_collection_applies_filters_and_sharing(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    clear, more, green = (lab.indicator(label) for label in (Tlp.CLEAR, Tlp.CLEAR, Tlp.GREEN))
    narrow = history(lab, 2)
    narrow = [{**narrow[0]}, {**narrow[1], "object_marking_refs": [Tlp.CLEAR.marking_id]}]
    store(shared_node.aurora, lab, clear, more, green, *narrow)
    Collection.objects.filter(alias="signatures").update(public=True)
    try:
        nobody, seen = shared_node.nobody, [clear, more, narrow[1]]
        for path in (OBJECTS, MANIFEST):
            scope = only(clear, more, green, *narrow)
            for words in ("", "&match[version]=first", "&match[version]=all", f"&{LONG_AGO}&match[version]=first,last"):
                assert keys(ask(nobody, path, scope + words)) == [key(each) for each in seen]
            assert flat(by_next(nobody, path, f"{scope}&limit=1")) == [key(each) for each in seen]
            assert keys(ask(nobody, path, only(clear))) == [key(clear)]
            assert keys(ask(nobody, path, "match[type]=malware")) == []
            assert nobody.get(f"{path}?limit=0").status_code == 400
        assert ask(nobody, versions_path(narrow[0]["id"])).json()["versions"] == [narrow[1]["modified"]]
        assert nobody.get(object_path(green["id"])).status_code == 404
        assert nobody.get(object_path(f"indicator--{uuid.uuid4()}")).status_code == 404
        assert nobody.request("DELETE", object_path(clear["id"])).status_code == 401
    finally:
        Collection.objects.filter(alias="signatures").update(public=False)


def test_a_reference_to_what_is_not_here_fails_nothing(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    source, other = lab.indicator(), lab.indicator()
    relationship = {name: source[name] for name in ("spec_version", "created_by_ref", "created", "modified")} | {
        "type": "relationship",
        "id": f"relationship--{uuid.uuid4()}",
        "relationship_type": "indicates",
        "source_ref": source["id"],
        "target_ref": f"campaign--{uuid.uuid4()}",
        "object_marking_refs": source["object_marking_refs"],
    }
    status = shared_node.aurora.post(*map(lab.signed, (source, relationship, other))).json()
    assert (status["success_count"], status["failure_count"]) == (3, 0), status
    assert keys(ask(shared_node.cobalt, object_path(relationship["id"]))) == [key(relationship)]


@pytest.mark.parametrize("path", READS)
def test_head_and_options_are_answered(shared_node: Node, path: str) -> None:
    # The cursor is another each time, and so is the length of what it is compressed to.
    plain = {"Accept-Encoding": "identity"}
    got, head = (shared_node.cobalt.request(method, path, headers=plain) for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length", FIRST_DATE, LAST_DATE):
        assert head.headers[name] == got.headers[name]
    missing = shared_node.cobalt.request("HEAD", object_path("indicator--x"))
    assert (missing.status_code, missing.content) == (404, b"")
    options = shared_node.cobalt.request("OPTIONS", path)
    assert options.status_code == 405
    assert "GET" in options.headers["Allow"]


@pytest.mark.parametrize("path", ["/taxii2/", f"{ROOT}/", f"{ROOT}/collections/", *READS])
def test_a_missing_slash_is_404_and_never_a_redirect(shared_node: Node, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "HEAD"):
        response = shared_node.aurora.request(method, path[:-1], data=b"{}")
        assert response.status_code == 404
        assert "Location" not in response.headers


def test_revocations_and_withdrawals_reach_those_who_follow_by_date(shared_node: Node) -> None:
    lab = shared_node.community.aurora
    revoked, narrowed, gone = (lab.indicator() for _ in range(3))
    store(shared_node.aurora, lab, revoked, narrowed, gone)
    place = items(ask(shared_node.cobalt, MANIFEST))[-1]["date_added"]
    end = lab.next_version(revoked, revoked=True)
    red = lab.next_version(narrowed, object_marking_refs=[Tlp.RED.marking_id])
    store(shared_node.aurora, lab, end, red)
    assert shared_node.aurora.request("DELETE", object_path(gone["id"])).status_code == 200
    pages = by_date(shared_node.cobalt, OBJECTS, f"limit=1&added_after={place}")
    found = [each for page in pages for each in items(page)]
    assert [each["id"] for each in found if each.get("revoked")] == [revoked["id"]]
    withdrawn = [each["object_refs"][0] for each in found if each["type"] == "note"]
    assert withdrawn == [narrowed["id"], gone["id"]]
    for members in (narrowed, gone):
        assert shared_node.cobalt.get(object_path(members["id"])).status_code == 404
