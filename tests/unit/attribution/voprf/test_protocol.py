"""The protocol's rules: obliviousness changes no output, and nothing that was tampered with passes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.voprf import (
    ElementError,
    InputError,
    IssuerKey,
    ProofError,
    VoprfError,
    blind,
    derive_key,
    evaluate,
    evaluate_directly,
    finalize,
    generate_key,
    group,
    prove,
    verify,
)

NOT_CANONICAL = (2**255 - 18).to_bytes(32, "little")
"""p + 1: a field element in a second spelling (RFC 9496 appendix A.3 has its kind)."""

NEGATIVE = bytes([1]) + bytes(31)
"""An odd field element, which no encoding is (RFC 9496 section 4.3.1)."""

seeds = st.binary(min_size=32, max_size=32)


@given(seed=seeds, value=st.binary(max_size=200))
@settings(max_examples=40)
def test_a_blinded_evaluation_equals_the_direct_one(seed: bytes, value: bytes) -> None:
    key, asked = derive_key(seed, b""), blind(value)
    assert finalize(asked, evaluate(key, [asked.element])[0]) == evaluate_directly(key, value)


@given(count=st.integers(1, 4), part=st.sampled_from(["proof", "public", "blinded", "evaluated"]), where=st.integers(0))
@settings(max_examples=150)
def test_any_flipped_bit_of_proof_key_or_element_fails(count: int, part: str, where: int) -> None:
    key = derive_key(bytes(32), b"flipped")
    elements = [blind(bytes([number])).element for number in range(count)]
    parts = {
        "public": [key.public],
        "blinded": elements,
        "evaluated": evaluate(key, elements),
    }
    parts["proof"] = [prove(key, elements, parts["evaluated"])]
    verify(key.public, parts["blinded"], parts["evaluated"], parts["proof"][0])
    parts[part] = _flipped(parts[part], where)

    with pytest.raises(VoprfError):
        verify(parts["public"][0], parts["blinded"], parts["evaluated"], parts["proof"][0])


def test_a_proof_of_another_key_fails() -> None:
    honest, lying = generate_key(), generate_key()
    elements = [blind(b"value").element]
    answered = evaluate(lying, elements)
    with pytest.raises(ProofError):
        verify(honest.public, elements, answered, prove(lying, elements, answered))


def test_elements_in_another_order_fail() -> None:
    key = generate_key()
    elements = [blind(b"one").element, blind(b"two").element]
    answered = evaluate(key, elements)
    proof = prove(key, elements, answered)
    with pytest.raises(ProofError):
        verify(key.public, elements, answered[::-1], proof)


@pytest.mark.parametrize("element", [bytes(32), NOT_CANONICAL, NEGATIVE, b"\xff" * 32, b"", bytes(31), b"\2" * 33])
def test_what_is_no_element_is_refused_with_its_place(element: bytes) -> None:
    key, good = generate_key(), blind(b"value")
    with pytest.raises(ElementError) as refused:
        evaluate(key, [good.element, element, element])
    assert refused.value.index == 1
    with pytest.raises(ElementError):
        verify(key.public, [good.element], [element], bytes(64))
    with pytest.raises(ElementError):
        finalize(good, element)


@pytest.mark.parametrize("proof", [b"", bytes(63), bytes(65), b"\xff" * 64, group.ORDER.to_bytes(32, "little") * 2])
def test_a_proof_of_another_form_is_refused(proof: bytes) -> None:
    key, asked = generate_key(), blind(b"value")
    with pytest.raises(ProofError):
        verify(key.public, [asked.element], evaluate(key, [asked.element]), proof)


def test_an_answer_of_another_length_is_refused() -> None:
    key, asked = generate_key(), blind(b"value")
    answered = evaluate(key, [asked.element])
    proof = prove(key, [asked.element], answered)
    for blinded, evaluated in (([], []), ([asked.element], []), ([asked.element], answered * 2)):
        with pytest.raises(ElementError):
            verify(key.public, blinded, evaluated, proof)


def test_the_longest_input_is_taken_and_one_byte_more_refused() -> None:
    assert blind(bytes(65_535)).element
    with pytest.raises(InputError):
        blind(bytes(65_536))


@pytest.mark.parametrize("make", [lambda: derive_key(bytes(31), b""), lambda: derive_key(bytes(32), bytes(65_536))])
def test_a_seed_or_info_of_another_size_is_refused(make: Callable[[], IssuerKey]) -> None:
    with pytest.raises(InputError):
        make()


@pytest.mark.parametrize("secret", [bytes(32), group.ORDER.to_bytes(32, "little"), bytes(31), b""])
def test_what_is_no_private_key_is_refused(secret: bytes) -> None:
    with pytest.raises(InputError):
        IssuerKey.from_secret(secret)


def test_secrets_stand_in_no_repr() -> None:
    key, asked = generate_key(), blind(b"aurora-customer")
    assert repr(key.secret) not in repr(key)
    assert key.secret.hex() not in repr(key)
    assert "aurora-customer" not in repr(asked)
    assert repr(asked.scalar) not in repr(asked)


def test_messages_expand_as_the_rfc_says() -> None:
    """RFC 9380 section 5.3.1 written out for one block."""
    tag = b"a tag"
    ending = tag + bytes([len(tag)])
    first = hashlib.sha512(bytes(128) + b"message" + b"\0\x40\0" + ending).digest()
    assert group.expand_message(b"message", tag, 64) == hashlib.sha512(first + b"\1" + ending).digest()


@pytest.mark.parametrize(("tag", "size"), [(bytes(256), 64), (b"tag", 0), (b"tag", 64 * 255 + 1)])
def test_messages_expand_within_the_bounds_of_the_rfc_alone(tag: bytes, size: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        group.expand_message(b"message", tag, size)


def _flipped(values: list[bytes], where: int) -> list[bytes]:
    """One bit of one of the values the other way round."""
    whole = bytearray(b"".join(values))
    place = where % (8 * len(whole))
    whole[place // 8] ^= 1 << place % 8
    size = len(values[0])
    return [bytes(whole[start : start + size]) for start in range(0, len(whole), size)]
