"""RFC 8785: published answers, and the fast path against the reference implementation."""

import math
import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.canonical import canonicalize, digest
from exchange.stix.errors import MalformedJsonError

# Characters on both sides of each border that matters: escapes, surrogates, byte lengths, sort orders.
BORDER_CHARACTERS = '"\\/\b\f\n\r\t\x00\x1f\x7f\x80\u2028\ud7ff\ue000\ufb33\ufe0f\uffff\U00010000\U0001f600'
texts = st.text(st.one_of(st.sampled_from(BORDER_CHARACTERS), st.characters(exclude_categories=["Cs"])), max_size=8)
numbers = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([-0.0, 1.0, 1e21, 1e-7, 5e-324, 9007199254740994.0]),
)
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=5)),
    max_leaves=20,
)


def double(bits: str) -> float:
    value: float = struct.unpack(">d", bytes.fromhex(bits))[0]
    return value


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("4340000000000001", b"9007199254740994"),
        ("444b1ae4d6e2ef50", b"1e+21"),
        ("3eb0c6f7a0b5ed8d", b"0.000001"),
        ("3eb0c6f7a0b5ed8c", b"9.999999999999997e-7"),
        ("8000000000000000", b"0"),
    ],
)
def test_doubles_are_written_as_ecmascript_writes_them(bits: str, text: bytes) -> None:
    assert canonicalize([double(bits)]) == b"[" + text + b"]"


def test_names_sort_by_utf16_code_unit() -> None:
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    in_order = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    expected = b"{" + b",".join(rfc8785.dumps(name) + b":1" for name in in_order) + b"}"
    assert canonicalize(dict.fromkeys(names, 1)) == expected


def test_only_what_must_be_escaped_is_escaped() -> None:
    text = '\b\t\n\f\r"\\\x00\x1f/\x7f\u2028é'
    assert canonicalize(text) == '"\\b\\t\\n\\f\\r\\"\\\\\\u0000\\u001f/\x7f\u2028é"'.encode()


@given(json_values)
def test_every_value_has_the_bytes_of_the_reference(value: Any) -> None:
    assert canonicalize(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2**53, -(2**53), 2**70, "\ud800", {1: 2}, {1, 2}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    for holder in (value, [value], {"a": [None, value]}):
        with pytest.raises(MalformedJsonError):
            canonicalize(holder)


def test_endless_nesting_is_refused() -> None:
    value: list[Any] = []
    for _level in range(100_000):
        value = [value]
    with pytest.raises(MalformedJsonError) as caught:
        canonicalize(value)
    assert caught.value.code == "too-deep"


def test_digest_is_lowercase_hex_sha256() -> None:
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
