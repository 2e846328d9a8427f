"""The objects that all servers of a comparison hold."""

from __future__ import annotations

import json
from datetime import timedelta

from benchmarks.corpus import OBJECT_BYTES, date_of, object_body, stix_id
from exchange.stix.canonical import canonicalize
from exchange.stix.checks import check_object
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object


def test_every_object_has_a_kilobyte_of_canonical_json_whatever_its_number_and_label() -> None:
    for number in (1, 999, 1_234_567):
        for label in (Tlp.GREEN, Tlp.AMBER):
            body = object_body(number, label)
            assert len(body) == OBJECT_BYTES
            assert canonicalize(json.loads(body)) == body


def test_an_object_passes_every_check_but_that_of_its_signature() -> None:
    checked = check_object(read_object(object_body(17, Tlp.AMBER)))
    assert (checked.id, checked.label, checked.warnings) == (stix_id(17), Tlp.AMBER, ())


def test_no_two_objects_share_an_id_a_pattern_or_a_signature() -> None:
    found = [json.loads(object_body(number)) for number in range(1, 51)]
    signatures = [next(iter(each["extensions"].values()))["signatures"][0]["signature"] for each in found]
    for values in ([each["id"] for each in found], [each["pattern"] for each in found], signatures):
        assert len(set(values)) == len(found)


def test_dates_ascend_with_numbers_and_are_never_whole_seconds() -> None:
    assert date_of(1_000) - date_of(999) == timedelta(milliseconds=1)
    assert all(date_of(number).microsecond for number in range(2_000))
