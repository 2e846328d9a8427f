"""TAXII 2.1, reading objects and manifests: order, pages, filters, versions (requirements 33-61, 83)."""

from __future__ import annotations

import itertools
import uuid
from datetime import datetime
from typing import Any

import pytest
import requests

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
from tests.support.taxii import Node, TaxiiClient

TYPES = [
    "attack-pattern",
    "campaign",
    "course-of-action",
    "grouping",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "location",
    "malware",
    "malware-analysis",
    "note",
    "observed-data",
    "opinion",
    "report",
    "threat-actor",
    "tool",
    "vulnerability",
    "relationship",
    "sighting",
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
    "language-content",
    "marking-definition",
    "extension-definition",
    "bundle",
]


class Shelf:
    """What there is to read in `signatures`, published by aurora.

    plain: nine indicators of one version. many: one of three, in their order. late: one whose older version came last.
    amber: between the plain ones, for borealis alone.
    """

    def __init__(self, node: Node) -> None:
        self.node, lab = node, node.community.aurora
        marking = lab.distribution(node.community.borealis.identity)
        store(node.aurora, lab, marking, collection="identities")
        self.plain = [lab.indicator() for _ in range(9)]
        refs = [Tlp.AMBER.marking_id, marking["id"]]
        self.amber = [lab.indicator(Tlp.AMBER, object_marking_refs=refs) for _ in range(8)]
        pairs = itertools.zip_longest(self.plain, self.amber)
        store(node.aurora, lab, *(each for pair in pairs for each in pair if each))
        self.many, self.late, self.hidden = history(lab), history(lab, 2), history(lab, 2)
        store(node.aurora, lab, *self.many)
        store(node.aurora, lab, self.late[1])
        store(node.aurora, lab, self.late[0])
        # The older version is for borealis, the newer for every lab.
        self.hidden[0] = {**self.hidden[0], "object_marking_refs": refs}
        store(node.aurora, lab, self.hidden[0], self.hidden[1])

    def cobalt(self, path: str, query: str = "") -> requests.Response:
        return ask(self.node.cobalt, path, query)


@pytest.fixture(scope="module")
def shelf(shared_node: Node) -> Shelf:
    return Shelf(shared_node)


def dates(response: requests.Response) -> list[str]:
    return [each["date_added"] for each in items(response)]


def refused(client: TaxiiClient, query: str, paths: tuple[str, ...] = (OBJECTS, MANIFEST)) -> None:
    for path in paths:
        response = client.get(f"{path}?{query}")
        assert response.status_code == 400, (query, response.text)
        assert response.json()["http_status"] == "400"


def test_requirement_33_the_four_read_endpoints_carry_both_dates(shelf: Shelf) -> None:
    for path in (MANIFEST, OBJECTS, object_path(shelf.many[0]["id"]), versions_path(shelf.many[0]["id"])):
        response = shelf.cobalt(path)
        assert response.headers[FIRST_DATE]
        assert response.headers[LAST_DATE]
    empty = shelf.cobalt(OBJECTS, "match[type]=malware")
    assert FIRST_DATE not in empty.headers
    assert LAST_DATE not in empty.headers


def test_requirement_34_dates_are_in_utc_with_six_digits(shelf: Shelf) -> None:
    for path in (MANIFEST, OBJECTS, object_path(shelf.many[0]["id"]), versions_path(shelf.many[0]["id"])):
        response = shelf.cobalt(path)
        assert DATE.fullmatch(response.headers[FIRST_DATE])
        assert DATE.fullmatch(response.headers[LAST_DATE])


def test_requirement_35_dates_are_those_of_the_first_and_last_item_of_the_page(shelf: Shelf) -> None:
    query = "match[version]=all&limit=4"
    for objects, manifest in zip(
        by_next(shelf.node.cobalt, OBJECTS, query), by_next(shelf.node.cobalt, MANIFEST, query), strict=True
    ):
        assert keys(objects) == keys(manifest)
        for page in (objects, manifest):
            assert (page.headers[FIRST_DATE], page.headers[LAST_DATE]) == (dates(manifest)[0], dates(manifest)[-1])


def test_requirement_36_objects_and_manifest_ascend_by_date_in_the_same_order(shelf: Shelf) -> None:
    for query in ("", "match[version]=all", "match[version]=first,last"):
        manifest = shelf.cobalt(MANIFEST, query)
        assert dates(manifest) == sorted(set(dates(manifest)))
        assert keys(manifest) == keys(shelf.cobalt(OBJECTS, query))


def test_requirement_37_objects_come_in_envelopes_and_never_in_bundles(shelf: Shelf) -> None:
    for path in (OBJECTS, object_path(shelf.many[0]["id"])):
        envelope = shelf.cobalt(path).json()
        assert envelope.keys() <= {"more", "next", "objects"}
        assert "bundle" not in {each["type"] for each in envelope["objects"]}


def test_requirement_38_nothing_found_is_an_empty_object(shelf: Shelf) -> None:
    for query in ("match[type]=malware", f"match[id]=indicator--{uuid.uuid4()}", "added_after=2999-01-01T00:00:00Z"):
        for path in (OBJECTS, MANIFEST):
            assert shelf.cobalt(path, query).content == b"{}"


def test_requirement_39_added_after_is_strict(shelf: Shelf) -> None:
    every = "match[version]=all"
    manifest = shelf.cobalt(MANIFEST, every)
    for place, date in enumerate(dates(manifest)):
        for path in (OBJECTS, MANIFEST):
            assert keys(shelf.cobalt(path, f"{every}&added_after={date}")) == keys(manifest)[place + 1 :]


def test_requirement_40_a_malformed_or_repeated_added_after_is_400(shelf: Shelf) -> None:
    paths = (OBJECTS, MANIFEST, object_path(shelf.many[0]["id"]), versions_path(shelf.many[0]["id"]))
    for value in (
        "yesterday",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "",
        "2026-01-01T00:00:00+00:00",
    ):
        refused(shelf.node.cobalt, f"added_after={value}", paths)
    refused(shelf.node.cobalt, "added_after=2026-01-01T00:00:00Z&added_after=2026-01-01T00:00:00Z", paths)


def test_requirement_41_without_added_after_the_oldest_comes_first(shelf: Shelf) -> None:
    plain = [key(each) for each in shelf.plain]
    assert keys(shelf.cobalt(OBJECTS, "match[type]=indicator&limit=3")) == plain[:3]
    assert dates(shelf.cobalt(MANIFEST, "limit=1")) == [min(dates(shelf.cobalt(MANIFEST)))]


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "", "1&limit=1"])
def test_requirement_42_a_malformed_or_repeated_limit_is_400(shelf: Shelf, value: str) -> None:
    paths = (OBJECTS, MANIFEST, object_path(shelf.many[0]["id"]), versions_path(shelf.many[0]["id"]))
    refused(shelf.node.cobalt, f"limit={value}", paths)


@pytest.mark.parametrize("limit", [1, 2, 7, 1000, 999999999])
def test_requirement_43_there_are_never_more_than_limit(shelf: Shelf, limit: int) -> None:
    for path in (OBJECTS, MANIFEST):
        assert all(len(items(page)) <= limit for page in by_next(shelf.node.cobalt, path, f"limit={limit}"))


def test_requirement_44_what_fits_comes_whole_and_says_that_no_more_is_there(shelf: Shelf) -> None:
    total = len(items(shelf.cobalt(OBJECTS)))
    for limit in (total, total + 1):
        for path in (OBJECTS, MANIFEST):
            page = shelf.cobalt(path, f"limit={limit}")
            assert len(items(page)) == total
            assert page.json()["more"] is False
            assert "next" not in page.json()


def test_requirement_45_what_remains_is_announced(shelf: Shelf) -> None:
    total = len(items(shelf.cobalt(OBJECTS)))
    for path in (OBJECTS, MANIFEST):
        page = shelf.cobalt(path, f"limit={total - 1}")
        assert page.json()["more"] is True
        assert page.json()["next"]


@pytest.mark.parametrize("limit", [1, 3, 5])
@pytest.mark.parametrize("query", ["", "match[version]=all", "match[version]=first", "match[type]=indicator"])
def test_requirement_46_following_next_yields_everything_once_in_order(shelf: Shelf, query: str, limit: int) -> None:
    for path in (OBJECTS, MANIFEST):
        found = flat(by_next(shelf.node.cobalt, path, f"{query}&limit={limit}".lstrip("&")))
        assert found == keys(shelf.cobalt(path, query))
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("limit", [1, 3, 5])
@pytest.mark.parametrize("query", ["match[version]=all", "match[type]=indicator&match[version]=all"])
def test_requirement_47_following_added_after_yields_the_same_set(shelf: Shelf, query: str, limit: int) -> None:
    for path in (OBJECTS, MANIFEST):
        assert flat(by_date(shelf.node.cobalt, path, f"{query}&limit={limit}")) == keys(shelf.cobalt(path, query))


@pytest.mark.parametrize("limit", [1, 3, 5])
def test_requirement_47_following_added_after_by_default_loses_and_repeats_nothing(shelf: Shelf, limit: int) -> None:
    """Of the object whose older version came late, the older one is the latest of what was added after the newer."""
    found = flat(by_date(shelf.node.cobalt, OBJECTS, f"limit={limit}"))
    assert set(keys(shelf.cobalt(OBJECTS))) == set(found) - {key(shelf.late[0])}
    assert len(set(found)) == len(found)


def test_requirement_48_a_cursor_serves_its_reader_and_its_filters_alone(shelf: Shelf) -> None:
    for path in (OBJECTS, MANIFEST):
        cursor = shelf.cobalt(path, "limit=2").json()["next"]
        assert len(items(shelf.cobalt(path, f"limit=3&next={cursor}"))) == 3
        for client in (shelf.node.aurora, shelf.node.borealis):
            assert client.get(f"{path}?next={cursor}").status_code == 400
        for query in (
            "match[type]=indicator",
            "match[version]=all",
            "added_after=2020-01-01T00:00:00Z",
            only(*shelf.plain),
        ):
            assert shelf.node.cobalt.get(f"{path}?limit=2&{query}&next={cursor}").status_code == 400
        elsewhere = path.replace("signatures", "all")
        assert shelf.node.cobalt.get(f"{elsewhere}?limit=2&next={cursor}").status_code == 400


def test_requirement_49_a_forged_cursor_is_400(shelf: Shelf) -> None:
    cursor = shelf.cobalt(OBJECTS, "limit=2").json()["next"]
    forged = [
        cursor[:-5],
        cursor + "A",
        ("B" if cursor[0] == "A" else "A") + cursor[1:],
        cursor[::-1],
        "1",
        "A" * 200,
        "%00",
        "x" * 5000,
        "%ff",
        "=",
    ]
    paths = (OBJECTS, MANIFEST, object_path(shelf.many[0]["id"]), versions_path(shelf.many[0]["id"]))
    for each in forged:
        refused(shelf.node.cobalt, f"limit=2&next={each}", paths)


def test_requirement_50_values_of_a_filter_are_alternatives_and_filters_add_up(shelf: Shelf) -> None:
    one, two, *_ = shelf.plain
    for path in (OBJECTS, MANIFEST):
        assert keys(shelf.cobalt(path, only(one, two))) == [key(one), key(two)]
        types = {
            each["id"].partition("--")[0]
            for each in items(shelf.cobalt(path, "match[type]=indicator,marking-definition"))
        }
        assert types == {"indicator", "marking-definition"}
        assert keys(shelf.cobalt(path, f"{only(one, two)}&match[type]=indicator,malware")) == [key(one), key(two)]
        assert keys(shelf.cobalt(path, f"{only(one, two)}&match[type]=malware,marking-definition")) == []
        assert keys(shelf.cobalt(path, only(one).replace("[id]", "%5Bid%5D"))) == [key(one)]


@pytest.mark.parametrize("name", ["id", "type", "version", "spec_version"])
def test_requirement_51_the_same_filter_twice_is_400(shelf: Shelf, name: str) -> None:
    value = {"id": shelf.plain[0]["id"], "type": "indicator", "version": "last", "spec_version": "2.1"}[name]
    refused(shelf.node.cobalt, f"match[{name}]={value}&match[{name}]={value}")
    refused(shelf.node.cobalt, f"match[{name}]={value}&match%5B{name}%5D={value}")


def test_requirement_52_every_type_of_stix_2_1_may_be_asked_for(shelf: Shelf) -> None:
    for name in TYPES:
        for path in (OBJECTS, MANIFEST):
            shelf.cobalt(path, f"match[type]={name}&limit=1")


def test_requirement_53_an_unknown_filter_is_left_alone(shelf: Shelf) -> None:
    for path in (OBJECTS, MANIFEST):
        assert keys(shelf.cobalt(path, "match[foo]=1&match[foo]=2&foo=%2C")) == keys(shelf.cobalt(path))


def test_requirement_54_by_default_the_latest_version_of_each_object_is_returned(shelf: Shelf) -> None:
    for path in (OBJECTS, MANIFEST):
        found = shelf.cobalt(path, "match[type]=indicator")
        assert len({each["id"] for each in items(found)}) == len(items(found))
        assert keys(shelf.cobalt(path, only(*shelf.many))) == [key(shelf.many[2])]
        assert keys(shelf.cobalt(path, only(*shelf.late))) == [key(shelf.late[1])], "though the older one came later"
        assert keys(found) == keys(shelf.cobalt(path, "match[type]=indicator&match[version]=last"))


def test_requirement_55_versions_are_those_asked_for(shelf: Shelf) -> None:
    one, two, three = shelf.many
    cases = {
        "first": [one],
        "last": [three],
        "all": [one, two, three],
        "first,last": [one, three],
        two["modified"]: [two],
        f"{two['modified']},last": [two, three],
        f"first,{two['modified']}": [one, two],
        f"first,last,{two['modified']}": [one, two, three],
        f"first,{one['modified']}": [one],
        "2001-01-01T00:00:00.000Z": [],
        "2001-01-01T00:00:00.000Z,first": [one],
    }
    for value, expected in cases.items():
        for path in (OBJECTS, MANIFEST, object_path(one["id"])):
            scope = "" if path.endswith(f"{one['id']}/") else f"{only(one)}&"
            assert keys(shelf.cobalt(path, f"{scope}match[version]={value}")) == [key(each) for each in expected], value
    single = shelf.plain[0]
    assert keys(shelf.cobalt(OBJECTS, f"{only(single)}&match[version]=first,last")) == [key(single)], (
        "once, though both"
    )


def test_requirement_55_first_and_last_are_by_version_and_not_by_arrival(shelf: Shelf) -> None:
    older, newer = shelf.late
    scope = only(older)
    assert keys(shelf.cobalt(OBJECTS, f"{scope}&match[version]=first")) == [key(older)]
    assert keys(shelf.cobalt(OBJECTS, f"{scope}&match[version]=last")) == [key(newer)]
    assert keys(shelf.cobalt(OBJECTS, f"{scope}&match[version]=first,last")) == [key(newer), key(older)]


def test_requirement_55_the_latest_is_chosen_among_what_the_rest_of_the_request_matches(shelf: Shelf) -> None:
    older, newer = shelf.late
    for client in (shelf.node.cobalt, shelf.node.borealis, shelf.node.aurora):
        for path in (OBJECTS, "/exchange/collections/all/objects/"):
            between = ask(client, MANIFEST, only(newer)).headers[LAST_DATE]
            for words in ("", "&match[version]=last", "&match[version]=first", "&match[version]=first,last"):
                assert keys(ask(client, path, f"{only(newer)}&added_after={between}{words}")) == [key(older)]
            assert key(older) in keys(ask(client, path, f"added_after={between}"))
            assert key(older) not in keys(ask(client, path))
    one, two, three = shelf.many
    first = dates(shelf.cobalt(MANIFEST, f"{only(one)}&match[version]=first"))[0]
    assert keys(shelf.cobalt(OBJECTS, f"{only(one)}&added_after={first}&match[version]=first")) == [key(two)]
    assert keys(shelf.cobalt(OBJECTS, f"{only(one)}&added_after={first}")) == [key(three)]


def test_requirement_55_first_and_last_are_chosen_among_what_the_reader_may_see(shelf: Shelf) -> None:
    older, newer = shelf.hidden
    for words, for_borealis in (
        ("first", [older]),
        ("last", [newer]),
        ("first,last", [older, newer]),
        ("all", [older, newer]),
    ):
        query = f"{only(older)}&match[version]={words}"
        assert keys(ask(shelf.node.borealis, OBJECTS, query)) == [key(each) for each in for_borealis]
        assert keys(shelf.cobalt(OBJECTS, query)) == [key(newer)]
    assert shelf.cobalt(OBJECTS, f"{only(older)}&match[version]={older['modified']}").content == b"{}"


@pytest.mark.parametrize(
    "value", ["all,last", "last,all", "last,last", "first,first", "all,all", "all,2026-01-01T00:00:00Z"]
)
def test_requirement_56_all_with_others_and_duplicates_are_400(shelf: Shelf, value: str) -> None:
    refused(shelf.node.cobalt, f"match[version]={value}", (OBJECTS, MANIFEST, object_path(shelf.many[0]["id"])))


def test_requirement_57_an_exact_version_is_the_instant_of_modified_or_created(shelf: Shelf) -> None:
    two = shelf.many[1]
    for spelled in (two["modified"], f"{two['modified'][:-1]}000Z", f"{two['modified'][:-1]}000000Z"):
        assert keys(shelf.cobalt(OBJECTS, f"{only(two)}&match[version]={spelled}")) == [key(two)]
    refused(shelf.node.cobalt, f"match[version]={two['modified']},{two['modified'][:-1]}000Z")
    marking = items(shelf.cobalt(OBJECTS, f"match[id]={Tlp.GREEN.marking_id}"))[0]
    assert "modified" not in marking
    query = f"match[id]={marking['id']}&match[version]={marking['created']}"
    assert items(shelf.cobalt(OBJECTS, query)) == [marking]
    for word in ("first", "last", "all"):
        assert items(shelf.cobalt(OBJECTS, f"match[id]={marking['id']}&match[version]={word}")) == [marking]


def test_requirement_58_another_specification_matches_nothing(shelf: Shelf) -> None:
    for path in (OBJECTS, MANIFEST, object_path(shelf.many[0]["id"]), versions_path(shelf.many[0]["id"])):
        assert shelf.cobalt(path, "match[spec_version]=2.0").content == b"{}"
        assert shelf.cobalt(path, "match[spec_version]=2.0,2.1").content == shelf.cobalt(path).content
        assert shelf.cobalt(path, "match[spec_version]=2.1").content == shelf.cobalt(path).content
    assert {each.get("spec_version", "2.1") for each in items(shelf.cobalt(OBJECTS))} == {"2.1"}


@pytest.mark.parametrize(
    "value", ["yesterday", "", "last,", "Last", "2026-01-01", "2026-01-01T00:00:00", "%00", "1" * 30]
)
def test_requirement_59_a_malformed_version_is_400(shelf: Shelf, value: str) -> None:
    refused(shelf.node.cobalt, f"match[version]={value}", (OBJECTS, MANIFEST, object_path(shelf.many[0]["id"])))


def test_requirement_60_a_manifest_has_a_record_for_each_version(shelf: Shelf) -> None:
    records = items(shelf.cobalt(MANIFEST, f"{only(*shelf.many)}&match[version]=all"))
    assert [(each["id"], each["version"]) for each in records] == [key(each) for each in shelf.many]
    for each in records:
        assert each.keys() == {"id", "date_added", "version", "media_type"}
        assert DATE.fullmatch(each["date_added"])


def test_requirement_61_a_manifest_is_filtered_by_what_its_records_do_not_say(shelf: Shelf) -> None:
    found = items(shelf.cobalt(MANIFEST, "match[type]=indicator"))
    assert found
    assert {each["id"].partition("--")[0] for each in found} == {"indicator"}
    assert shelf.cobalt(MANIFEST, "match[type]=malware").content == b"{}"


def shape(pages: list[requests.Response]) -> list[tuple[Any, ...]]:
    return [(len(items(page)), page.json()["more"], "next" in page.json()) for page in pages]


def test_requirement_83_what_a_reader_may_not_see_shapes_nothing(shelf: Shelf) -> None:
    """Pages of cobalt are as full as if the objects for borealis were not there."""
    plain = [key(each) for each in shelf.plain]
    last = dates(shelf.cobalt(MANIFEST, only(shelf.plain[-1])))[0]
    for path in (OBJECTS, MANIFEST):
        assert len(keys(ask(shelf.node.borealis, path, only(*shelf.plain, *shelf.amber)))) == 17
        for limit in (1, 2, 4, 9):
            query = f"{only(*shelf.plain, *shelf.amber)}&limit={limit}"
            pages = by_next(shelf.node.cobalt, path, query)
            assert flat(pages) == plain
            rest = [limit] * (9 // limit) + ([9 % limit] if 9 % limit else [])
            assert shape(pages) == [(size, True, True) for size in rest[:-1]] + [(rest[-1], False, False)]
            assert pages[-1].headers[LAST_DATE] == last
    secret: Members = shelf.amber[0]
    unknown = f"indicator--{uuid.uuid4()}"
    for address in (object_path, versions_path):
        hidden, absent = (shelf.node.cobalt.get(address(each)) for each in (secret["id"], unknown))
        assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, absent.content)
    response = shelf.cobalt(versions_path(shelf.hidden[0]["id"]))
    assert response.json() == {"more": False, "versions": [shelf.hidden[1]["modified"]]}
    assert response.headers[FIRST_DATE] == response.headers[LAST_DATE]
    assert datetime.fromisoformat(response.headers[FIRST_DATE])
    assert ask(shelf.node.cobalt, f"{ROOT}/collections/identities/objects/", "match[type]=marking-definition").json()
