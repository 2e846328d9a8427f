"""The indicator that is written around a pattern."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.stix.canonical import canonicalize
from exchange.stix.checks import check_object
from exchange.stix.errors import ObjectInvalidError
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object
from signatures.atlas import TECHNIQUES, technique_tags
from signatures.authoring import (
    Authorship,
    Statement,
    indicates,
    indicator,
    known_targets,
    read_sigma,
    read_stix,
    unchanged,
)
from signatures.samples import SAMPLE_SIGNATURES

NOW = datetime(2026, 11, 25, 12, 0, 0, 250_000, tzinfo=UTC)
LAB = "identity--0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a01"
Members = dict[str, Any]


def authorship(**given: Any) -> Authorship:
    return Authorship(**{"producer": LAB, "markings": (Tlp.GREEN.marking_id,), "at": NOW, **given})


@pytest.mark.parametrize("name", SAMPLE_SIGNATURES)
def test_every_sample_becomes_an_indicator_that_is_valid_stix(name: str) -> None:
    pattern = read_sigma(SAMPLE_SIGNATURES[name].text)
    made = indicator(pattern, Statement(), authorship())
    checked = check_object(read_object(canonicalize(made)))
    assert checked.members["pattern"] == SAMPLE_SIGNATURES[name].text
    assert made["valid_from"] == made["created"] == made["modified"] == "2026-11-25T12:00:00.250Z"
    assert made["valid_until"] == "2027-02-23T12:00:00.250Z"
    for target in known_targets(pattern.techniques):
        check_object(read_object(canonicalize(indicates(made, target))))


def test_the_next_version_keeps_what_is_constant_and_comes_later_whatever_the_clock_says() -> None:
    pattern = read_sigma(SAMPLE_SIGNATURES["d1"].text)
    first = indicator(pattern, Statement(), authorship())
    behind = authorship(at=NOW - timedelta(minutes=4), earlier=first)
    second = indicator(pattern, Statement(confidence=80), behind)
    assert (second["id"], second["created"], second["valid_from"]) == (first["id"], first["created"], first["created"])
    assert second["modified"] == "2026-11-25T12:00:00.251Z"
    assert not unchanged(second, first, keeps_expiry=True)


def test_a_version_that_differs_in_its_times_alone_says_nothing_new() -> None:
    pattern = read_sigma(SAMPLE_SIGNATURES["d1"].text)
    first = indicator(pattern, Statement(), authorship())
    later = authorship(at=NOW + timedelta(days=1), earlier=first)
    assert unchanged(indicator(pattern, Statement(), later), first, keeps_expiry=True)
    asked = Statement(valid_until="2027-06-01T00:00:00Z")
    assert not unchanged(indicator(pattern, asked, later), first, keeps_expiry=False)


def test_what_is_said_beside_the_pattern_wins() -> None:
    pattern = read_sigma(SAMPLE_SIGNATURES["d1"].text)
    said = Statement(name="Ours", description="For us.", phases=("impact",), techniques=("AML.T0005", "AML.T9999"))
    made = indicator(pattern, said, authorship())
    assert (made["name"], made["description"]) == ("Ours", "For us.")
    assert [each["phase_name"] for each in made["kill_chain_phases"]] == ["impact"]
    named = [each.get("external_id") for each in made["external_references"] if each["source_name"] == "mitre-atlas"]
    assert named[-2:] == ["AML.T0005", "AML.T9999"]


def test_patterns_without_an_id_are_new_each_time_and_those_of_two_labs_never_the_same() -> None:
    stix = read_stix("[ipv4-addr:value = '203.0.113.7']")
    first, second = (indicator(stix, Statement(name="Relay"), authorship()) for _ in range(2))
    assert first["id"] != second["id"]
    sigma = read_sigma(SAMPLE_SIGNATURES["d1"].text)
    ours, theirs = (indicator(sigma, Statement(), authorship(producer=lab)) for lab in (LAB, LAB[:-1] + "2"))
    assert ours["id"] != theirs["id"]


def test_a_wrong_stix_pattern_is_refused_with_line_and_column() -> None:
    with pytest.raises(ObjectInvalidError, match="Line 2, column 1: "):
        read_stix("[ipv4-addr:value =\n]")


def test_techniques_are_read_from_tags() -> None:
    tags = ["atlas.aml-t0024-002", "atlas.aml-t0040", "attack.t1078", "atlas.aml-t0024-002", "atlas.aml-x"]
    assert technique_tags(tags) == ("AML.T0024.002", "AML.T0040")
    assert TECHNIQUES["AML.T0024.002"].name == "Extract AI Model"
