"""Who says what of one thing, against a naive reference that reads the same objects its own way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.standing.voices import (
    Record,
    agreement_of,
    claim_of,
    confidence_range,
    disputing_labs,
    opinions_on,
    relation_of,
    sightings_of,
)
from exchange.stix.extension_ids import FEEDBACK_EXTENSION
from exchange.stix.timestamps import format_stix

LABS = ("aurora", "borealis", "cobalt")
WORDS = ("strongly-disagree", "disagree", "neutral", "agree", "strongly-agree")
ACTOR, OTHER = (f"threat-actor--7b1f4c55-6a3e-4a55-9d0e-6f1c1f0d2a0{digit}" for digit in "12")
START = datetime(2026, 11, 1, tzinfo=UTC)

labs = st.sampled_from(LABS)
moments = st.integers(0, 50).map(lambda hour: format_stix(START + timedelta(hours=hour)))


def record(lab: str, members: Mapping[str, Any], at: str = format_stix(START), state: str = "current") -> Record:
    return Record(lab, at, "TLP:GREEN", state, {"id": ACTOR, **members})


@st.composite
def claims(draw: st.DrawFn) -> list[Record]:
    """Of at least one lab, each its own."""
    said = draw(st.dictionaries(labs, st.none() | st.integers(0, 100), min_size=1))
    states = st.sampled_from(("current", "current", "current", "disputed"))
    return [
        record(lab, {} if confidence is None else {"confidence": confidence}, state=draw(states))
        for lab, confidence in said.items()
    ]


@st.composite
def opinions(draw: st.DrawFn) -> list[Record]:
    drawn = draw(st.lists(st.tuples(labs, moments, st.sampled_from(WORDS), st.booleans()), max_size=8))
    return [
        record(lab, {"id": f"opinion--{place}", "opinion": word, "object_refs": [ACTOR if is_meant else OTHER]}, at)
        for place, (lab, at, word, is_meant) in enumerate(drawn)
    ]


@st.composite
def sightings(draw: st.DrawFn) -> list[Record]:
    drawn = draw(st.lists(st.tuples(labs, st.none() | st.integers(0, 9), moments, st.booleans()), max_size=8))
    return [
        record(
            lab,
            {"id": f"sighting--{place}", "sighting_of_ref": ACTOR if is_meant else OTHER, "first_seen": at}
            | ({} if count is None else {"count": count}),
        )
        for place, (lab, count, at, is_meant) in enumerate(drawn)
    ]


@given(claims(), opinions(), sightings())
def test_agreement_is_what_each_lab_last_said_and_one_disagreement_is_enough(
    about: list[Record], said: list[Record], seen: list[Record]
) -> None:
    last: dict[str, str] = {}
    for each in sorted(said, key=lambda one: (one.version, one.id)):
        if ACTOR in each.members["object_refs"]:
            last[each.lab] = each.members["opinion"]
    for_it = {each.lab for each in about} | {lab for lab, word in last.items() if word in WORDS[3:]}
    for each in seen:
        if each.members["sighting_of_ref"] == ACTOR and each.members.get("count", 1):
            for_it.add(each.lab)
    against = sorted(lab for lab, word in last.items() if word in WORDS[:2])
    told = opinions_on(ACTOR, said)
    assert {each["lab"]: each["opinion"] for each in told} == last
    assert disputing_labs(told) == against
    agreement = agreement_of([claim_of(each) for each in about], told, sightings_of(ACTOR, seen))
    if against or any(each.state == "disputed" for each in about):
        assert agreement == "disputed"
    else:
        assert agreement == ("agreed" if len(for_it) > 1 else "single")


@given(claims())
def test_a_range_has_the_ends_of_what_is_said_and_nothing_between(about: list[Record]) -> None:
    said = sorted(each.members["confidence"] for each in about if "confidence" in each.members)
    found = confidence_range([claim_of(each) for each in about])
    assert found == ({"lowest": said[0], "highest": said[-1]} if said else None)


@given(sightings())
def test_sightings_are_counts_by_lab(seen: list[Record]) -> None:
    expected: dict[str, list[Any]] = defaultdict(lambda: [0, 0, []])
    for each in seen:
        if each.members["sighting_of_ref"] == ACTOR:
            sums = expected[each.lab]
            sums[0] += 1
            sums[1] += each.members.get("count", 1)
            sums[2].append(each.members["first_seen"])
    found = sightings_of(ACTOR, seen)
    assert [each["lab"] for each in found] == sorted(expected)
    for told in found:
        number, count, times = expected[told["lab"]]
        assert (told["sightings"], told["count"]) == (number, count)
        assert told["first_seen"] == min(times)
        assert told["last_seen"] is None


@given(opinions(), st.randoms())
def test_the_order_in_which_opinions_come_changes_nothing(said: list[Record], chance: Any) -> None:
    shuffled = list(said)
    chance.shuffle(shuffled)
    assert opinions_on(ACTOR, said) == opinions_on(ACTOR, shuffled)


def test_versions_are_compared_as_instants_and_not_as_text() -> None:
    early = record("aurora", {"id": "opinion--1", "opinion": "agree", "object_refs": [ACTOR]}, "2026-11-01T00:00:00Z")
    late = record(
        "aurora", {"id": "opinion--0", "opinion": "disagree", "object_refs": [ACTOR]}, "2026-11-01T00:00:00.5Z"
    )
    assert [each["opinion"] for each in opinions_on(ACTOR, [late, early])] == ["disagree"]


def test_a_sighting_of_nothing_stands_for_nothing() -> None:
    looked = record("borealis", {"id": "sighting--1", "sighting_of_ref": ACTOR, "count": 0})
    about = [claim_of(record("aurora", {}))]
    assert agreement_of(about, [], sightings_of(ACTOR, [looked])) == "single"


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"name": "Quiet Orchard"}, "Quiet Orchard"),
        ({"value": "203.0.113.7"}, "203.0.113.7"),
        ({"number": 64500}, "64500"),
        ({"user_id": "ab"}, None),
    ],
)
def test_a_thing_is_called_by_its_name_or_its_value(members: dict[str, Any], name: str | None) -> None:
    assert claim_of(record("aurora", members))["name"] == name


def test_a_claim_is_told_in_the_words_of_its_producer() -> None:
    members = {
        "confidence": 45,
        "first_seen": "2026-11-01T00:00:00Z",
        "valid_until": "2026-12-01T00:00:00Z",
        "external_references": [{"source_name": "Report", "url": "https://research.example/7", "description": "long"}],
    }
    told = claim_of(record("aurora", members, state="disputed"))
    assert told["state"] == "disputed"
    assert (told["confidence"], told["first_seen"], told["last_seen"]) == (45, "2026-11-01T00:00:00Z", None)
    assert (told["valid_from"], told["valid_until"]) == (None, "2026-12-01T00:00:00Z")
    assert told["references"] == [
        {"source_name": "Report", "external_id": None, "url": "https://research.example/7"},
    ]


def test_an_opinion_has_the_reason_of_its_feedback() -> None:
    feedback = {FEEDBACK_EXTENSION: {"reason": "shared-egress", "evidence_count": 12}}
    members = {"id": "opinion--1", "opinion": "disagree", "object_refs": [OTHER, ACTOR], "extensions": feedback}
    said = record("cobalt", members)
    (told,) = opinions_on(ACTOR, [said])
    assert (told["about"], told["reason"], told["evidence_count"]) == (ACTOR, "shared-egress", 12)


def test_a_relation_says_since_when_it_holds() -> None:
    between = {"relationship_type": "uses", "source_ref": ACTOR, "target_ref": OTHER}
    told = relation_of(record("aurora", {"start_time": "2026-11-01T00:00:00Z", **between}))
    assert (told["type"], told["source"], told["target"]) == ("uses", ACTOR, OTHER)
    assert (told["first_seen"], told["last_seen"]) == ("2026-11-01T00:00:00Z", None)
