"""TLP labels and other markings, and the objects that have one body for everybody."""

from typing import Any

import orjson
import pytest
import stix2

from exchange.stix import fixed
from exchange.stix.checks import check_object
from exchange.stix.errors import MarkingError, StixError
from exchange.stix.markings import (
    OPENCTI_AMBER_STRICT_ID,
    TLP1_IDS,
    TLP2_IDS,
    Tlp,
    label_of,
    marking_refs_of,
    tlp_of,
)
from exchange.stix.reading import read_object

DISTRIBUTION = "marking-definition--0f8b0a5c-3c1e-4d54-9a3a-0f6f0f6f0f6f"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("TLP:AMBER+STRICT", Tlp.AMBER_STRICT),
        ("amber+strict", Tlp.AMBER_STRICT),
        ("tlp:clear", Tlp.CLEAR),
        ("WHITE", Tlp.CLEAR),
        (" Red ", Tlp.RED),
        ("TLP:GREEN", Tlp.GREEN),
        ("amber", Tlp.AMBER),
    ],
)
def test_labels_are_read_as_people_write_them(text: str, label: Tlp) -> None:
    assert Tlp.parse(text) is label
    assert Tlp.parse(str(label)) is label


@pytest.mark.parametrize("text", ["", "TLP:", "purple", "AMBER STRICT", "0"])
def test_other_words_are_no_label(text: str) -> None:
    with pytest.raises(MarkingError) as caught:
        Tlp.parse(text)
    assert caught.value.code == "label"


def test_labels_are_ordered_by_strictness() -> None:
    assert Tlp.CLEAR < Tlp.GREEN < Tlp.AMBER < Tlp.AMBER_STRICT < Tlp.RED
    assert [str(label) for label in Tlp] == ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"]


def test_the_strictest_marking_of_object_and_parts_counts() -> None:
    members: dict[str, Any] = {"object_marking_refs": [TLP2_IDS[Tlp.GREEN], DISTRIBUTION]}
    assert label_of(members) is Tlp.GREEN
    members["granular_markings"] = [
        {"selectors": ["name"], "marking_ref": TLP1_IDS[Tlp.RED]},
        {"selectors": ["name"], "lang": "de"},
        {"selectors": ["name"], "marking_ref": TLP2_IDS[Tlp.CLEAR]},
    ]
    assert label_of(members) is Tlp.RED
    assert marking_refs_of(members) == (DISTRIBUTION,)


def test_an_unmarked_object_has_no_label_rather_than_clear() -> None:
    assert label_of({}) is None
    assert label_of({"object_marking_refs": [DISTRIBUTION]}) is None
    assert marking_refs_of({}) == ()


def test_old_and_private_markings_map_to_tlp_2() -> None:
    assert [tlp_of(marking) for marking in TLP1_IDS.values()] == [Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.RED]
    assert tlp_of(OPENCTI_AMBER_STRICT_ID) is Tlp.AMBER_STRICT
    assert tlp_of(DISTRIBUTION) is None


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"object_marking_refs": TLP2_IDS[Tlp.RED]}, "/object_marking_refs"),
        ({"object_marking_refs": [{"id": TLP2_IDS[Tlp.RED]}]}, "/object_marking_refs"),
        ({"granular_markings": {"marking_ref": TLP2_IDS[Tlp.RED]}}, "/granular_markings"),
        ({"granular_markings": [{"marking_ref": [TLP2_IDS[Tlp.RED]]}]}, "/granular_markings/0/marking_ref"),
    ],
)
def test_markings_of_another_shape_are_never_overlooked(members: dict[str, Any], pointer: str) -> None:
    with pytest.raises(MarkingError) as caught:
        label_of(members)
    assert caught.value.pointer == pointer


def test_there_are_nine_markings_and_eight_extensions_with_fixed_bodies() -> None:
    types = [orjson.loads(fixed.fixed_object(fixed_id))["type"] for fixed_id in fixed.FIXED_IDS]
    assert (types.count("marking-definition"), types.count("extension-definition"), len(types)) == (9, 8, 17)


@pytest.mark.parametrize("fixed_id", sorted(fixed.FIXED_IDS))
def test_a_fixed_object_is_accepted_in_its_body_only(fixed_id: str) -> None:
    body = fixed.fixed_object(fixed_id)
    assert check_object(read_object(body)).id == fixed_id
    spaced = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
    assert check_object(read_object(spaced)).raw == spaced
    for change in ({"name": "Another"}, {"description": "More"}, {"created": "2026-01-01T00:00:00.000Z"}):
        with pytest.raises(StixError) as caught:
            check_object(read_object(orjson.dumps({**orjson.loads(body), **change})))
        assert caught.value.code == "fixed-object"


@pytest.mark.parametrize("label", list(TLP1_IDS))
def test_tlp_1_bodies_are_those_of_stix2(label: Tlp) -> None:
    published = {marking.id: marking for marking in (stix2.TLP_WHITE, stix2.TLP_GREEN, stix2.TLP_AMBER, stix2.TLP_RED)}
    marking = published[TLP1_IDS[label]]
    assert orjson.loads(fixed.fixed_object(marking.id)) == orjson.loads(marking.serialize())


def test_the_body_of_amber_strict_is_the_published_one() -> None:
    assert orjson.loads(fixed.fixed_object(TLP2_IDS[Tlp.AMBER_STRICT])) == {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        "created": "2022-10-01T00:00:00.000Z",
        "name": "TLP:AMBER+STRICT",
        "extensions": {
            "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                "extension_type": "property-extension",
                "tlp_2_0": "amber+strict",
            }
        },
    }


def test_nobody_mints_a_tlp_marking() -> None:
    genuine = orjson.loads(fixed.fixed_object(TLP2_IDS[Tlp.CLEAR]))
    minted = orjson.dumps({**genuine, "id": DISTRIBUTION})
    private = orjson.dumps(
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": OPENCTI_AMBER_STRICT_ID,
            "created": "2022-10-01T00:00:00.000Z",
            "definition_type": "TLP:AMBER+STRICT",
            "definition": {"TLP": "AMBER+STRICT"},
        }
    )
    for raw in (minted, private):
        with pytest.raises(MarkingError) as caught:
            check_object(read_object(raw))
        assert (caught.value.code, caught.value.pointer) == ("marking", "/id")
