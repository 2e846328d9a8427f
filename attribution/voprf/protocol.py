"""Blind, evaluate, finalize (RFC 9497 sections 3.3.1 and 3.3.2): who asks learns an output, who answers nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from attribution.voprf import group
from attribution.voprf.context import Mode, is_prefixable, prefixed, tag
from attribution.voprf.errors import ElementError, InputError
from attribution.voprf.keys import IssuerKey
from attribution.voprf.proofs import MAX_BATCH

__all__ = ["MAX_BATCH", "Blinded", "blind", "evaluate", "evaluate_directly", "finalize"]


@dataclass(frozen=True, slots=True, eq=False)
class Blinded:
    """An input under way. `element` goes to the issuer; the rest stays at home and shows in no repr."""

    element: bytes
    value: bytes = field(repr=False)
    scalar: bytes = field(repr=False)


def blind(value: bytes, *, scalar: bytes | None = None, mode: Mode = Mode.VOPRF) -> Blinded:
    """Blind: the value as a group element times a random scalar, used once.

    scalar: left out everywhere but in tests of the RFC's vectors.

    Raises:
        InputError: more than 65,535 bytes, or (never seen) a value that maps to the identity.
    """
    element = _element_of(value, mode)
    factor = group.random_scalar() if scalar is None else scalar
    return Blinded(group.multiply(factor, element), value, factor)


def evaluate(key: IssuerKey, blinded: Sequence[bytes]) -> list[bytes]:
    """BlindEvaluate without the proof: each element times the key.

    Raises:
        ElementError: with the place of the first that is no element.
    """
    evaluated = []
    for index, element in enumerate(blinded):
        product = group.multiply_checked(key.secret, element)
        if product is None:
            raise ElementError(index)
        evaluated.append(product)
    return evaluated


def finalize(blinded: Blinded, evaluated: bytes) -> bytes:
    """Finalize: the output, 64 bytes. The proof over `evaluated` is verified before by the caller (`verify`).

    Raises:
        ElementError: no element.
    """
    if not group.is_element(evaluated):
        raise ElementError(0)
    return _output(blinded.value, group.multiply(group.invert_scalar(blinded.scalar), evaluated))


def evaluate_directly(key: IssuerKey, value: bytes, *, mode: Mode = Mode.VOPRF) -> bytes:
    """Evaluate: what the issuer can compute of a value that it knows or guesses. Raises: InputError."""
    return _output(value, group.multiply(key.secret, _element_of(value, mode)))


def _element_of(value: bytes, mode: Mode) -> bytes:
    if not is_prefixable(value):
        raise InputError("an input has at most 65,535 bytes")
    element = group.hash_to_element(value, tag(b"HashToGroup-", mode))
    if not group.is_element(element):
        raise InputError("this input maps to the identity")
    return element


def _output(value: bytes, element: bytes) -> bytes:
    return hashlib.sha512(prefixed(value, element) + b"Finalize").digest()
