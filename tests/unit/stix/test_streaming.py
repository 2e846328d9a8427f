"""Cutting an envelope while it arrives gives what cutting it whole gives, however the chunks fall."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchange.stix.counting import count_values, exceeds_values
from exchange.stix.errors import MalformedJsonError
from exchange.stix.limits import MAX_ENVELOPE_MEMBER_BYTES, MAX_OBJECT_BYTES
from exchange.stix.reading import split_envelope
from exchange.stix.streaming import EnvelopeBounds, stream_objects
from exchange.stix.streaming_text import StreamedText, ValueTooLargeError
from tests.unit.stix.test_reading import objects, texts, values, writers

unhurried = settings(deadline=None)
"""A busy machine is no fault: how long a parser takes is measured in benchmarks."""

OBJECT = b'{"type":"x","name":"a ] } \\\\\\" , [","list":[1,{"b":[]}]}'


def chunked(body: bytes, cuts: list[int]) -> Iterator[bytes]:
    """The body in pieces of these sizes, over and over; empty ones among them."""
    at = place = 0
    while at < len(body):
        size = cuts[place % len(cuts)] if cuts else len(body)
        yield body[at : at + size]
        at, place = at + size, place + 1


def outcome_whole(body: bytes) -> list[bytes] | str:
    try:
        return split_envelope(body).objects
    except MalformedJsonError as error:
        return error.code


def outcome_streamed(body: bytes, cuts: list[int], bounds: EnvelopeBounds | None = None) -> list[bytes] | str:
    try:
        return list(stream_objects(chunked(body, cuts), bounds))
    except MalformedJsonError as error:
        return error.code


sizes = st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any)
envelopes = st.builds(
    lambda listed, before, after: {**before, "objects": listed, **after},
    st.lists(st.one_of(objects, values), max_size=6),
    st.dictionaries(texts.filter(lambda name: name != "objects"), values, max_size=2),
    st.dictionaries(texts.filter(lambda name: name != "objects"), values, max_size=2),
)


@unhurried
@given(envelopes, writers, sizes)
def test_any_chunks_give_what_the_whole_gives(envelope: Any, write: Any, cuts: list[int]) -> None:
    body = write(envelope)
    assert outcome_streamed(body, cuts) == outcome_whole(body)


@unhurried
@given(envelopes, writers, sizes, st.data())
def test_a_damaged_envelope_is_refused_by_both_or_taken_alike(
    envelope: Any, write: Any, cuts: list[int], data: st.DataObject
) -> None:
    body = write(envelope)
    at = data.draw(st.integers(0, len(body) - 1))
    damage = data.draw(
        st.sampled_from([b"", b'"', b"\\", b"\xff", b"{", b"]", b"}", b",", b":", b"\\ud800", b"1e999", b"\x00", b"x"])
    )
    damaged = body[:at] + damage + body[at + 1 :]
    whole, streamed = outcome_whole(damaged), outcome_streamed(damaged, cuts)
    assert whole == streamed or (isinstance(whole, str) and isinstance(streamed, str))


@unhurried
@given(st.one_of(st.binary(max_size=60), st.text('{}[]":,\\ \nobjects1', max_size=40).map(str.encode)), sizes)
@example(b"[" * 100_000, [4096])
@example(b'{"objects":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}", [4096])
@example(b'{"objects":[' + b"[" * 100_000, [4096])
@example(b"", [1])
def test_arbitrary_bytes_are_refused_by_both_or_taken_alike(body: bytes, cuts: list[int]) -> None:
    whole, streamed = outcome_whole(body), outcome_streamed(body, cuts)
    assert whole == streamed or (isinstance(whole, str) and isinstance(streamed, str))


@pytest.mark.parametrize("cuts", [[1], [2, 3], [1_000_000]])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"objects":[],"objects":[]}', "duplicate-name"),
        (b'{"objects":[{}],"a":1,"\\u0061":2}', "duplicate-name"),
        (b'{"more":true,"more":true}', "duplicate-name"),
        (b'{"a":{"b":1,"b":1},"objects":[]}', "duplicate-name"),
        (b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", "too-deep"),
        (b'{"a":"\xff"}', "not-utf-8"),
        (b'{"a":"\\ud800"}', "lone-surrogate"),
        (b'{"\\ud800":1}', "lone-surrogate"),
        (b'{"a":1e400}', "integer-too-large"),
        (b"\xef\xbb\xbf{}", "byte-order-mark"),
        (b'{"objects":{}}', "not-a-list"),
        (b'{"objects":null}', "not-a-list"),
        (b"[]", "not-an-object"),
        (b'"x"', "not-an-object"),
        (b"", "syntax"),
        (b" \n", "syntax"),
        (b"{", "syntax"),
        (b'{"objects"', "syntax"),
        (b'{"objects":[{}', "syntax"),
        (b'{"objects":[{}]', "syntax"),
        (b'{"objects":[{},]}', "syntax"),
        (b'{"objects":[,{}]}', "syntax"),
        (b'{"objects":[{} {}]}', "syntax"),
        (b'{"objects":[{"a":[}]}]}', "syntax"),
        (b'{"objects":[{"a" 1}]}', "syntax"),
        (b'{"objects":[tru]}', "syntax"),
        (b'{"objects":[]} {}', "syntax"),
        (b'{"objects":[],}', "syntax"),
        (b'{"a":}', "syntax"),
        (b"{1:2}", "syntax"),
        (b'{"a":"' + b"x" * MAX_ENVELOPE_MEMBER_BYTES + b'"}', "too-large"),
    ],
)
def test_each_fault_has_the_code_that_it_has_in_a_whole_body(body: bytes, code: str, cuts: list[int]) -> None:
    assert outcome_streamed(body, cuts) == code == outcome_whole(body)


def test_an_envelope_without_objects_or_with_an_empty_list_has_none() -> None:
    for body in (b"{}", b'{"more":false}', b'{"objects":[ \n]}'):
        assert outcome_streamed(body, [1]) == []


def test_a_fault_in_an_object_is_named_by_its_place() -> None:
    with pytest.raises(MalformedJsonError) as caught:
        list(stream_objects([b'{"objects":[{},{"a":nul}]}']))
    assert (caught.value.code, caught.value.pointer) == ("syntax", "/objects/1")


def test_objects_come_before_the_rest_of_the_envelope_has_arrived() -> None:
    asked: list[int] = []

    def arriving() -> Iterator[bytes]:
        for number in range(4):
            asked.append(number)
            yield b'{"objects":[' * (number == 0) + OBJECT + b"," * (number < 3) + b"]}" * (number == 3)

    stream = stream_objects(arriving())
    assert next(stream) == OBJECT
    assert asked == [0]
    assert list(stream) == [OBJECT] * 3


def test_more_objects_or_values_than_the_bounds_allow_are_refused() -> None:
    body = b'{"objects":[' + b",".join([OBJECT] * 5) + b"]}"
    assert outcome_streamed(body, [7], EnvelopeBounds(max_objects=5)) == [OBJECT] * 5
    assert outcome_streamed(body, [7], EnvelopeBounds(max_objects=4)) == "too-many-objects"
    number = count_values(OBJECT) * 5
    assert outcome_streamed(body, [7], EnvelopeBounds(max_values=number)) == [OBJECT] * 5
    assert outcome_streamed(body, [7], EnvelopeBounds(max_values=number - 1)) == "too-many-values"


def test_memory_holds_no_more_than_one_object_of_the_largest_size() -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"objects":[{"a":"'
        for _ in range(1_000):
            yield b"x" * 65_536
        raise AssertionError("a gigabyte was asked for")

    with pytest.raises(MalformedJsonError) as caught:
        list(stream_objects(endless(), EnvelopeBounds(max_object_bytes=MAX_OBJECT_BYTES)))
    assert (caught.value.code, caught.value.pointer) == ("too-large", "/objects/0")


@pytest.mark.parametrize("value", [b'"' + b"x" * 99 + b'"', b"[" + b"1," * 49 + b"1]", b"1" * 101])
def test_a_value_of_just_the_allowed_size_is_taken(value: bytes) -> None:
    for cuts in ([1], [101], [102], [5_000]):
        text = StreamedText(chunked(value + b" ", cuts))
        if len(value) <= 101:
            assert text.take_value(len(value)) == value
        text = StreamedText(chunked(value + b" ", cuts))
        with pytest.raises(ValueTooLargeError):
            text.take_value(len(value) - 1)


@unhurried
@given(st.one_of(values, objects))
def test_counted_values_are_what_the_bound_goes_by(value: Any) -> None:
    text = orjson.dumps(value)
    counted = count_values(text)
    assert not exceeds_values(text, counted)
    assert counted == 0 or exceeds_values(text, counted - 1)
    assert json.loads(text) == value
