"""What stix2 rewrites is found, with its place, and writing it so beforehand leaves nothing to rewrite."""

import json
from typing import Any

import pytest

from exchange.labtool.normalise import NotStixError, changes_by_stix2, normalise
from tests.unit.labtool.material import Party, address, indicator

AURORA = "identity--0b6ee6a4-6f1c-4c86-a4f0-4a3d5b0c9a51"


def test_an_object_as_stix2_writes_it_changes_nowhere() -> None:
    assert changes_by_stix2(indicator(AURORA)) == []
    assert changes_by_stix2(address()) == []


@pytest.mark.parametrize(
    ("changes", "pointer", "after"),
    [
        ({"created": "2026-11-22T00:00:00Z"}, "/created", "'2026-11-22T00:00:00.000Z'"),
        ({"valid_from": "2026-11-22T00:00:00.500Z"}, "/valid_from", "'2026-11-22T00:00:00.5Z'"),
        ({"revoked": False}, "/revoked", "nothing"),
        ({"pattern_version": None}, "/pattern_version", "'2.1'"),
    ],
)
def test_what_stix2_rewrites_is_named_with_its_place(changes: dict[str, Any], pointer: str, after: str) -> None:
    members = indicator(AURORA, **changes)

    found = changes_by_stix2(members)

    assert [(change.pointer, change.after) for change in found] == [(pointer, after)]
    assert changes_by_stix2(normalise(members)) == []


def test_a_place_deep_inside_is_named() -> None:
    reference = {
        "source_name": "x",
        "external_id": "AML.T0024",
        "hashes": {"sha-256": "a" * 64},
        "url": "https://x.example",
    }
    members = indicator(AURORA, external_references=[reference])

    found = changes_by_stix2(members)

    assert {change.pointer.rpartition("/")[0] for change in found} == {"/external_references/0/hashes"}


def test_true_is_not_one() -> None:
    class_of_ours = "extension-definition--14270733-0c7d-4b85-b35e-77066bb2d8d8"
    members = indicator(AURORA, extensions={class_of_ours: {"extension_type": "property-extension", "n": 1.0}})

    assert changes_by_stix2(members) == []


def test_a_signed_object_survives_stix2(aurora: Party) -> None:

    assert changes_by_stix2(json.loads(aurora.indicator())) == []
    assert changes_by_stix2(json.loads(aurora.identity)) == []


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"pattern": "[broken"}, "/pattern"),
        ({"id": "indicator--1"}, "/id"),
        ({"name": None, "pattern": None}, ""),
        ({"extensions": 5}, "/extensions"),
        ({"type": 5}, ""),
        ({"object_marking_refs": "x"}, "/object_marking_refs"),
    ],
)
def test_what_stix2_cannot_read_is_refused_in_one_line(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(NotStixError) as caught:
        normalise(indicator(AURORA, **changes))
    assert caught.value.pointer in (pointer, "")
    assert "\n" not in str(caught.value)
