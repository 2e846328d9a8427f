"""Reading hostile JSON: what is accepted keeps its bytes, what is not says where."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from exchange.stix.errors import MalformedJsonError, StixError
from exchange.stix.limits import MAX_DEPTH, MAX_OBJECT_BYTES, MAX_OBJECTS_PER_ENVELOPE, MAX_SAFE_INTEGER
from exchange.stix.reading import count_quotes, read_object, split_body, split_envelope

NONCHARACTERS = {chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF)} | {
    chr(point) for point in range(0xFDD0, 0xFDF0)
}
texts = st.text(
    st.one_of(
        st.sampled_from('"\\\\\\"{}[]:,/\n\ue000\ufe0f\U0001f600'),
        st.characters(exclude_categories=["Cs"], exclude_characters="".join(NONCHARACTERS)),
    ),
    max_size=6,
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
    st.floats(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
    texts,
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=15,
)
objects = st.dictionaries(texts, values, max_size=5)
# How different writers put the same object into bytes.
writers = st.sampled_from(
    [
        orjson.dumps,
        lambda value: json.dumps(value).encode(),
        lambda value: json.dumps(value, ensure_ascii=False, indent=1).encode(),
        lambda value: b" \n" + json.dumps(value, separators=(" ,\t", " : ")).encode() + b"\r\n",
    ]
)
Writer = Callable[[Any], bytes]


def fault_of(raw: bytes) -> MalformedJsonError:
    with pytest.raises(MalformedJsonError) as caught:
        read_object(raw)
    return caught.value


@given(objects, writers)
def test_a_sound_object_keeps_its_bytes_and_has_its_canonical_form(value: Any, write: Writer) -> None:
    raw = write(value)
    read = read_object(raw)
    assert read.raw == raw
    assert read.members == json.loads(raw)
    assert read.canonical == rfc8785.dumps(value)


@given(objects)
def test_the_canonical_form_can_be_read_again_and_is_its_own(value: Any) -> None:
    canonical = read_object(orjson.dumps(value)).canonical
    assert read_object(canonical).canonical == canonical


@given(st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))))
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"{" + b"[" * 100_000 + b"]" * 100_000 + b"}")
@example(b'{"a":' + b"9" * 10_000 + b"}")
@example(b'{"a":1e' + b"9" * 10_000 + b"}")
@example(b"")
def test_arbitrary_bytes_raise_nothing_but_stix_errors(raw: bytes) -> None:
    for read in (read_object, split_envelope, split_body):
        try:
            read(raw)
        except StixError as error:
            str(error).encode()


@given(objects.map(orjson.dumps), st.data())
def test_damaged_json_raises_nothing_but_stix_errors(raw: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw) - 1))
    damage = data.draw(st.sampled_from([b"", b'"', b"\\", b"\xff", b"{", b"]", b",", b"\\ud800", b"1e999", b"\x00"]))
    damaged = raw[:at] + damage + raw[at + 1 :]
    try:
        read = read_object(damaged)
    except StixError:
        return
    assert read.members == strict_reference(damaged)


def strict_reference(raw: bytes) -> Any:
    """Parse slowly and obviously: any duplicate name or constant is an assertion failure."""

    def pairs(listed: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _value in listed}) == len(listed)
        return dict(listed)

    def constant(text: str) -> None:
        raise AssertionError(text)

    value = json.loads(raw.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant)
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


@given(objects, st.data(), writers)
def test_a_duplicate_name_is_found_at_any_place(value: Any, data: st.DataObject, write: Writer) -> None:
    """Plant a member under a name that no other has, then rename it to its neighbour's in the bytes."""
    holders: list[dict[str, Any]] = [value]
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        pending.extend(item.values() if isinstance(item, dict) else item if isinstance(item, list) else [])
        if isinstance(item, dict):
            holders.append(item)
    holder = data.draw(st.sampled_from(holders))
    holder["twice-first"] = data.draw(values)
    holder["twice-again"] = data.draw(values)
    raw = write(value).replace(b"twice-again", data.draw(st.sampled_from([b"twice-first", b"twice\\u002dfirst"])))
    error = fault_of(raw)
    assert error.code == "duplicate-name"
    assert error.pointer.endswith("/twice-first")


@given(values, writers)
def test_unescaped_quotes_are_twice_the_number_of_strings(value: Any, write: Writer) -> None:
    def strings_in(item: Any) -> int:
        if isinstance(item, dict):
            return len(item) + sum(strings_in(child) for child in item.values())
        if isinstance(item, list):
            return sum(strings_in(child) for child in item)
        return isinstance(item, str)

    assert count_quotes(write(value)) == 2 * strings_in(value)


@pytest.mark.parametrize(
    ("raw", "code", "pointer"),
    [
        (b'{"a":{"b":1,"b":2}}', "duplicate-name", "/a/b"),
        (b'{"a":1,"\\u0061":2}', "duplicate-name", "/a"),
        (b'{"a":[NaN]}', "not-a-number", "/a/0"),
        (b'{"a":-Infinity}', "not-a-number", "/a"),
        (b'{"a":["\\ud800"]}', "lone-surrogate", "/a/0"),
        (b'{"a":"\\udc00\\ud800"}', "lone-surrogate", "/a"),
        (b'{"\\ud800":1}', "lone-surrogate", "/\ufffd"),
        (b'{"a":"\xed\xa0\x80"}', "not-utf-8", ""),
        (b'{"a":"\xc0\x80"}', "not-utf-8", ""),
        (b'{"a":"\xef\xbf\xbf"}', "noncharacter", "/a"),
        (b'{"a":"\\ufdd0"}', "noncharacter", "/a"),
        (b'{"a":"\xf0\x9f\xbf\xbe"}', "noncharacter", "/a"),
        (b'{"a":[0,9007199254740992]}', "integer-too-large", "/a/1"),
        (b'{"a":-9007199254740992}', "integer-too-large", "/a"),
        (b'{"a":18446744073709551616}', "integer-too-large", "/a"),
        (b'{"a":1' + b"0" * 5000 + b"}", "integer-too-large", "/a"),
        (b'{"a":1e400}', "integer-too-large", "/a"),
        (b'{"a":1e20}', "integer-too-large", "/a"),
        (b'{"a/b":{"c~d":[1e20]}}', "integer-too-large", "/a~1b/c~0d/0"),
        (b"\xef\xbb\xbf{}", "byte-order-mark", ""),
        (b"{} {}", "syntax", ""),
        (b'{"a":1}\x00', "syntax", ""),
        (b'{"a":01}', "syntax", ""),
        (b'{"a":1,}', "syntax", ""),
        (b"{'a':1}", "syntax", ""),
        (b'{"a":"\x01"}', "syntax", ""),
        (b'{"a":.5}', "syntax", ""),
        (b"", "syntax", ""),
        (b"[{}]", "not-an-object", ""),
        (b'"text"', "not-an-object", ""),
        (b"null", "not-an-object", ""),
        (b"[" * 100_000, "too-deep", ""),
        (b"[" * 100_000 + b"]" * 100_000, "too-deep", ""),
    ],
)
def test_each_fault_has_its_code_and_place(raw: bytes, code: str, pointer: str) -> None:
    error = fault_of(raw)
    assert (error.code, error.pointer) == (code, pointer)


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        (b'{"a":9007199254740991}', b'{"a":9007199254740991}'),
        (b'{"a":-9007199254740991}', b'{"a":-9007199254740991}'),
        (b'{"a":-0}', b'{"a":0}'),
        (b'{"a":-0.0}', b'{"a":0}'),
        (b'{"a":1.0}', b'{"a":1}'),
        (b'{"a":1E2}', b'{"a":100}'),
        (b'{"a":"\\u0000\\/"}', b'{"a":"\\u0000/"}'),
        (b'{"a":"\\ud83d\\ude00"}', '{"a":"😀"}'.encode()),
        (b'{"a":1e-400}', b'{"a":0}'),
        (b'{"a":"x,1.5 [2.5"}', b'{"a":"x,1.5 [2.5"}'),
    ],
)
def test_what_is_odd_but_sound_is_read(raw: bytes, canonical: bytes) -> None:
    assert read_object(raw).canonical == canonical


def test_depth_is_bounded_to_the_level() -> None:
    read_object(b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH)
    error = fault_of(b'{"a":' * MAX_DEPTH + b"[]" + b"}" * MAX_DEPTH)
    assert (error.code, error.pointer) == ("too-deep", "/a" * MAX_DEPTH)


def test_size_is_bounded_to_the_byte() -> None:
    frame = b'{"a":""}'
    fill = b"x" * (MAX_OBJECT_BYTES - len(frame))
    read_object(b'{"a":"' + fill + b'"}')
    assert fault_of(b'{"a":"x' + fill + b'"}').code == "too-large"


def test_messages_never_carry_a_hostile_value_whole() -> None:
    error = fault_of(b'{"\\u001b[31m' + b"x" * 10_000 + b'":1,"\\u001b[31m' + b"x" * 10_000 + b'":1}')
    assert error.code == "duplicate-name"
    assert "\x1b" not in str(error)
    assert len(str(error)) < 500


@given(st.lists(objects, max_size=4), st.dictionaries(texts.filter(lambda name: name != "objects"), values), writers)
def test_an_envelope_gives_the_exact_bytes_of_each_object(
    listed: list[Any], others: dict[str, Any], write: Writer
) -> None:
    slices = [write(item) for item in listed]
    members = [write(name).strip() + b" :" + write(value) for name, value in others.items()]
    body = b"{" + b",".join([*members, b'"objects":[' + b" ,\n".join(slices) + b"]"]) + b"}"
    envelope = split_envelope(body)
    assert envelope.objects == [piece.strip() for piece in slices]
    assert envelope.members == others
    if "type" not in others:
        assert split_body(body) == envelope.objects
    assert split_body(b" [" + b",".join(slices) + b"]") == envelope.objects


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b'{"objects":[],"objects":[]}', "duplicate-name", "/objects"),
        (b'{"more":true,"m\\u006fre":false}', "duplicate-name", "/more"),
        (b'{"objects":{}}', "not-a-list", "/objects"),
        (b'{"objects":null}', "not-a-list", "/objects"),
        (b'{"next":{"a":1,"a":1}}', "duplicate-name", "/next/a"),
        (b'{"next":9007199254740992}', "integer-too-large", "/next"),
        (b"[]", "not-an-object", ""),
        (b'{"objects":[' + b"[" * 100_000, "too-deep", ""),
        (b'{"objects":[]', "syntax", ""),
        (b'{"objects":[{"a":}]}', "syntax", ""),
        (b"\xef\xbb\xbf{}", "byte-order-mark", ""),
        (b'{"objects":[' + b",".join([b"{}"] * (MAX_OBJECTS_PER_ENVELOPE + 1)) + b"]}", "too-many-objects", "/objects"),
    ],
)
def test_a_broken_envelope_says_where(body: bytes, code: str, pointer: str) -> None:
    with pytest.raises(MalformedJsonError) as caught:
        split_envelope(body)
    assert (caught.value.code, caught.value.pointer) == (code, pointer)


def test_an_envelope_without_objects_is_empty() -> None:
    envelope = split_envelope(b'{"more":false}')
    assert envelope.objects == []
    assert envelope.members == {"more": False}


def test_a_body_may_be_one_object_a_list_a_bundle_or_an_envelope() -> None:
    one = b'{"type":"note", "x":[1 ]}'
    assert split_body(b"\n" + one + b" ") == [one]
    assert split_body(b" [" + one + b"]") == [one]
    assert split_body(b'{"objects":[' + one + b"]}") == [one]
    assert split_body(b'{"type":"bundle","id":"bundle--1","objects":[' + one + b"]}") == [one]
    assert split_body(b'{"type":"bundle","id":"bundle--1"}') == []


def test_observed_data_with_a_member_named_objects_is_one_object() -> None:
    observed = b'{"type":"observed-data","objects":{"0":{}}}'
    assert split_body(observed) == [observed]


def test_an_error_can_be_moved_into_its_container() -> None:
    error = fault_of(b'{"a":1e20}').within("/objects/3")
    assert (type(error), error.pointer) == (MalformedJsonError, "/objects/3/a")
