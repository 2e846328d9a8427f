"""The samples are what the quickstart needs: sound, in scope, invented, stable, and marked as the policy asks."""

import ipaddress
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import stix2

from exchange.samples import LABS, View, expected_views, sample_ids, sample_objects
from exchange.services.scope import check_scope
from exchange.stix.canonical import canonicalize
from exchange.stix.checks import check_object
from exchange.stix.extension_ids import DISTRIBUTION_EXTENSION
from exchange.stix.extensions import check_extensions
from exchange.stix.markings import Tlp, label_of, marking_refs_of
from exchange.stix.reading import read_object
from signatures.inspectors import inspect_object

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
IDENTITIES = {
    "aurora": "identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a01",
    "borealis": "identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a02",
    "cobalt": "identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a03",
    "borealis:analyst": "identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a04",
}
Members = dict[str, Any]
SAMPLES = [(lab, members) for lab in LABS for members in sample_objects(lab, IDENTITIES, NOW)]
KEYS = {identifier: key for key, identifier in sample_ids(IDENTITIES, NOW).items()}
EVERY_SAMPLE = pytest.mark.parametrize(
    ("lab", "members"), SAMPLES, ids=[f"{lab}-{KEYS[members['id']]}" for lab, members in SAMPLES]
)
OBSERVABLES = {"autonomous-system", "domain-name", "ipv4-addr", "ipv6-addr"}
DOCUMENTATION = [
    ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b2001:[0-9a-f:]+")


def by_id() -> dict[str, Members]:
    return {members["id"]: members for _lab, members in SAMPLES}


@EVERY_SAMPLE
def test_each_is_valid_and_within_the_agreement(lab: str, members: Members) -> None:
    checked = check_object(read_object(json.dumps(members).encode()))
    assert checked.warnings == ()
    check_extensions(members)
    payloads = inspect_object(members)
    assert check_scope(members, payloads) == ()
    assert all(payload.label is None or payload.label == checked.label for payload in payloads)


@EVERY_SAMPLE
def test_each_survives_an_ordinary_client_unchanged(lab: str, members: Members) -> None:
    rewritten = json.loads(stix2.parse(members, allow_custom=False, version="2.1").serialize())
    assert canonicalize(rewritten) == canonicalize(members)


@EVERY_SAMPLE
def test_each_names_its_producer_and_its_label(lab: str, members: Members) -> None:
    if members["type"] not in OBSERVABLES:
        assert members["created_by_ref"] == IDENTITIES[lab]
    if members["type"] != "marking-definition":
        assert label_of(members) is not None


@EVERY_SAMPLE
def test_none_is_from_the_future_or_from_before_november(lab: str, members: Members) -> None:
    for name in ("created", "modified"):
        if name in members:
            assert datetime(2026, 11, 1, tzinfo=UTC) < datetime.fromisoformat(members[name]) <= NOW


@EVERY_SAMPLE
def test_addresses_networks_and_domains_are_for_documentation(lab: str, members: Members) -> None:
    text = json.dumps(members)
    for found in ADDRESS.findall(text):
        address = ipaddress.ip_address(found)
        assert any(address in net for net in DOCUMENTATION)
    numbers = [int(number) for number in re.findall(r'"(?:asn|number)": (\d+)', text)]
    assert all(64496 <= number <= 64511 for number in numbers)
    # MITRE's catalogue is the one real address: it is what the technique's number refers to.
    hosts = set(re.findall(r"https://([a-z0-9.-]+)/", text)) - {"atlas.mitre.org"}
    assert all(host.endswith(".example") for host in hosts)


def test_what_is_referred_to_comes_first() -> None:
    known = set(IDENTITIES.values())
    samples = by_id()
    for _lab, members in SAMPLES:
        for reference in references_of(members):
            if reference in samples:
                assert reference in known
        known.add(members["id"])


def references_of(members: Members) -> set[str]:
    return {
        text
        for name, value in members.items()
        if name.endswith(("_ref", "_refs")) and name != "id"
        for text in (value if isinstance(value, list) else [value])
    }


def test_none_is_marked_looser_than_what_it_refers_to() -> None:
    samples = by_id()
    for _lab, members in SAMPLES:
        for reference in references_of(members) - set(members.get("object_marking_refs", ())):
            target = samples.get(reference)
            if target is None or members["type"] == "marking-definition":
                continue
            ours, theirs = label_of(members), label_of(target)
            assert ours is not None
            assert theirs is not None
            assert ours >= theirs
            assert recipients_of(members, samples) <= recipients_of(target, samples)


def recipients_of(members: Members, samples: dict[str, Members]) -> set[str]:
    refs = marking_refs_of(members)
    if not refs:
        return set(IDENTITIES.values())
    return {identity for ref in refs for identity in samples[ref]["extensions"][DISTRIBUTION_EXTENSION]["recipients"]}


def test_a_distribution_stands_only_beside_amber_or_stricter_and_is_the_producers_own() -> None:
    samples = by_id()
    for lab, members in SAMPLES:
        for ref in marking_refs_of(members):
            label = label_of(members)
            assert label is not None
            assert label >= Tlp.AMBER
            assert samples[ref]["created_by_ref"] == IDENTITIES[lab]


def test_every_label_occurs_with_and_without_recipients() -> None:
    found = {(label_of(members), bool(marking_refs_of(members))) for _lab, members in SAMPLES}
    assert {
        (Tlp.CLEAR, False),
        (Tlp.GREEN, False),
        (Tlp.AMBER, False),
        (Tlp.AMBER, True),
        (Tlp.AMBER_STRICT, False),
        (Tlp.AMBER_STRICT, True),
        (Tlp.RED, True),
    } <= found


def test_a_second_start_gives_the_same_objects() -> None:
    later = datetime(2027, 5, 1, tzinfo=UTC)
    for lab in LABS:
        assert sample_objects(lab, IDENTITIES, later) == sample_objects(lab, IDENTITIES, NOW)


def test_other_labs_of_the_same_names_get_other_ids() -> None:
    others = {name: identity.replace("0d1d3a53", "ffffffff") for name, identity in IDENTITIES.items()}
    ours, theirs = sample_ids(IDENTITIES, NOW), sample_ids(others, NOW)
    same = {key for key, identifier in ours.items() if theirs[key] == identifier}
    assert {ours[key].partition("--")[0] for key in same} == OBSERVABLES


def test_a_clock_behind_the_data_gets_objects_of_its_past() -> None:
    early = datetime(2026, 3, 1, tzinfo=UTC)
    for members in sample_objects("aurora", IDENTITIES, early):
        if "created" in members:
            assert datetime.fromisoformat(members["created"]) <= early


def test_what_is_for_an_absent_person_is_left_out() -> None:
    labs_only = {name: identity for name, identity in IDENTITIES.items() if ":" not in name}
    keys = sample_ids(labs_only, NOW).keys()
    assert set(sample_ids(IDENTITIES, NOW)) - keys == {"aurora/inside-source", "aurora/one-analyst-of-borealis"}


def test_the_table_of_views_has_every_sample_and_every_lab() -> None:
    views = expected_views()
    assert set(views) == set(LABS)
    for table in views.values():
        assert list(table) == list(sample_ids(IDENTITIES, NOW))


def test_the_table_agrees_with_what_each_object_says_of_its_readers() -> None:
    samples, views = by_id(), expected_views()
    for key, identifier in sample_ids(IDENTITIES, NOW).items():
        members = samples[identifier]
        producer = IDENTITIES[key.partition("/")[0]]
        for lab in LABS:
            expected = says_readable(members, IDENTITIES[lab], producer, samples)
            assert views[lab][key].may_read is expected, (lab, key)


def says_readable(members: Members, reader: str, producer: str, samples: dict[str, Members]) -> bool:
    if label_of(members) is Tlp.RED:
        return False
    if members["type"] == "marking-definition":
        recipients = set(members["extensions"][DISTRIBUTION_EXTENSION]["recipients"])
    else:
        recipients = recipients_of(members, samples)
    return reader in recipients | {producer}


def test_a_view_without_a_reason_is_one_that_may_read() -> None:
    for table in expected_views().values():
        assert all(view == View(True, "") or (not view.may_read and view.reason) for view in table.values())


def test_apart_only_what_may_cross_is_seen_on_the_other_side() -> None:
    samples, ids = by_id(), sample_ids(IDENTITIES, NOW)
    here, apart = expected_views(), expected_views(apart=True)
    sides = {"aurora": "main", "borealis": "main", "cobalt": "peer"}
    for key, identifier in ids.items():
        label, recipients = label_of(samples[identifier]), marking_refs_of(samples[identifier])
        stays = label is not None and label >= Tlp.AMBER and not recipients
        for lab in LABS:
            is_across = sides[lab] != sides[key.partition("/")[0]]
            assert apart[lab][key].may_read is (here[lab][key].may_read and not (stays and is_across)), (lab, key)
