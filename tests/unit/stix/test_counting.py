"""What would take long to read is counted from the bytes and refused before it is parsed."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix import limits
from exchange.stix.checks import check_object
from exchange.stix.counting import count_fractions, exceeds_values
from exchange.stix.errors import MalformedJsonError
from exchange.stix.extensions import check_extensions
from exchange.stix.fixed import RANGES_EXTENSION
from exchange.stix.reading import read_object, split_body, split_envelope

texts = st.text(st.sampled_from('",[{\\:a.1é'), max_size=6)
values = st.recursive(
    st.one_of(st.none(), st.integers(-9, 9), texts, st.sampled_from([0.5, 1e-7, 1.5e-7, -2.25])),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)
Read = Callable[[bytes], Any]


def marks_of(value: Any) -> int:
    """Commas and opening brackets outside of strings."""
    if not isinstance(value, dict | list):
        return 0
    children = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(len(children) - 1, 0) + sum(map(marks_of, children))


def fractions_of(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, float) + sum(map(fractions_of, children))


@given(values, st.booleans())
def test_values_are_counted_exactly_whatever_stands_in_strings(value: Any, is_ascii: bool) -> None:
    text = json.dumps([value], ensure_ascii=is_ascii).encode()
    assert not exceeds_values(text, marks_of([value]))
    assert exceeds_values(text, marks_of([value]) - 1)


@given(values)
def test_fractions_are_counted_exactly(value: Any) -> None:
    assert count_fractions(orjson.dumps(value)) == fractions_of(value)


def test_long_texts_are_counted_over_the_edges_of_a_window() -> None:
    text = json.dumps([",[{" * 400_000, 'a"b,' * 400_000, 1, [2]]).encode()
    assert not exceeds_values(text, 5)
    assert exceeds_values(text, 4)


def listed(item: bytes, count: int) -> bytes:
    return b'{"a":[' + b",".join([item] * count) + b"]}"


@pytest.mark.parametrize("item", [b"1.5", b"{}", b"[]", b'""', b"1", b'",[{"'])
@pytest.mark.parametrize("read", [read_object, split_body, split_envelope])
def test_too_many_values_are_refused_wherever_they_stand(read: Read, item: bytes) -> None:
    most = limits.MAX_VALUES_PER_OBJECT if read is read_object else limits.MAX_VALUES_PER_ENVELOPE
    body = listed(item, most + 1)
    with pytest.raises(MalformedJsonError) as caught:
        read(body)
    assert caught.value.code == "too-many-values"


def test_a_text_full_of_commas_is_one_value() -> None:
    text = b'{"a":"' + b"," * (limits.MAX_OBJECT_BYTES - 10) + b'"}'
    assert read_object(text).raw == text


def test_numbers_with_a_fraction_are_bounded_and_text_that_looks_so_is_not() -> None:
    read_object(listed(b"1.5", limits.MAX_FRACTIONS_PER_OBJECT))
    with pytest.raises(MalformedJsonError) as caught:
        read_object(listed(b"1.5", limits.MAX_FRACTIONS_PER_OBJECT + 1))
    assert caught.value.code == "too-many-fractions"
    read_object(b'{"b":0.5,"a":"' + b",1.5" * limits.MAX_FRACTIONS_PER_OBJECT + b'"}')


@pytest.mark.parametrize("read", [split_envelope, split_body])
def test_what_stands_beside_the_objects_is_bounded(read: Read) -> None:
    most = limits.MAX_ENVELOPE_MEMBER_BYTES
    read(b'{"objects":[],"x":"' + b"x" * (most - 3) + b'"}')
    with pytest.raises(MalformedJsonError) as caught:
        read(b'{"objects":[],"x":"' + b"x" * (most - 2) + b'"}')
    assert caught.value.code == "too-large"


def test_ten_thousand_ranges_of_the_longest_kind_fit() -> None:
    seen = "2026-01-01T00:00:00.123456789Z"
    ranges = [
        {
            "net": f"2001:db8:1234:5678:9abc:def1:2345:{0x6000 + place:x}/128",
            "kind": "residential",
            "asn": 4_294_967_295,
            "first_seen": seen,
            "last_seen": seen,
            "confidence": 100,
        }
        for place in range(10_000)
    ]
    members = {
        "type": "infrastructure",
        "spec_version": "2.1",
        "id": "infrastructure--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01",
        "created": seen,
        "modified": seen,
        "name": "n" * 250,
        "description": "d" * 10_000,
        "extensions": {RANGES_EXTENSION: {"extension_type": "property-extension", "ranges": ranges}},
    }
    read = read_object(orjson.dumps(members))
    check_object(read)
    assert check_extensions(read.members)
