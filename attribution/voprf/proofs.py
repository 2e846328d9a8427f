"""Proofs that one key evaluated a whole batch (DLEQ, RFC 9497 section 2.2). They say nothing about the inputs."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from typing import Final

from attribution.voprf import group
from attribution.voprf.context import Mode, prefixed, tag
from attribution.voprf.errors import ElementError, ProofError
from attribution.voprf.keys import IssuerKey

PROOF_BYTES: Final = 2 * group.SCALAR_BYTES
MAX_BATCH: Final = 2**16 - 1
"""RFC 9497 section 2.2: the place of an element is said in two bytes."""

_IDENTITY: Final = bytes(group.ELEMENT_BYTES)
_MODE: Final = Mode.VOPRF


def prove(
    key: IssuerKey, blinded: Sequence[bytes], evaluated: Sequence[bytes], *, randomness: bytes | None = None
) -> bytes:
    """GenerateProof: `evaluated` are `blinded` times the key, in the same order. Elements are checked by the caller.

    randomness: a scalar that is used once; left out everywhere but in tests of the RFC's vectors.
    """
    once = group.random_scalar() if randomness is None else randomness
    weighted = _IDENTITY
    for weight, element in zip(_weights(key.public, blinded, evaluated), blinded, strict=True):
        weighted = group.add(weighted, group.multiply(weight, element))
    # With the key at hand the second sum is one multiplication (ComputeCompositesFast).
    weighted_evaluated = group.multiply(key.secret, weighted)
    commitments = group.multiply_base(once), group.multiply(once, weighted)
    challenge = _challenge(key.public, weighted, weighted_evaluated, *commitments)
    return challenge + group.subtract_scalars(once, group.multiply_scalars(challenge, key.secret))


def verify(public: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes) -> None:
    """VerifyProof: accept only if the key behind `public` evaluated every element.

    Raises:
        ElementError: an evaluated element is none, or there is another number of them (then at the first too many or
            too few). ProofError: everything else that does not fit, the public key among it.
    """
    for index, element in enumerate(evaluated):
        if not group.is_element(element):
            raise ElementError(index)
    if len(blinded) != len(evaluated) or not blinded:
        raise ElementError(min(len(blinded), len(evaluated)))
    challenge, response = proof[: group.SCALAR_BYTES], proof[group.SCALAR_BYTES :]
    is_formed = len(proof) == PROOF_BYTES and group.is_scalar(challenge) and group.is_scalar(response)
    if not (is_formed and group.is_element(public)):
        raise ProofError
    weighted = weighted_evaluated = _IDENTITY
    for weight, element, product in zip(_weights(public, blinded, evaluated), blinded, evaluated, strict=True):
        weighted = group.add(weighted, group.multiply(weight, element))
        weighted_evaluated = group.add(weighted_evaluated, group.multiply(weight, product))
    expected = _challenge(
        public,
        weighted,
        weighted_evaluated,
        group.add(group.multiply_base(response), group.multiply(challenge, public)),
        group.add(group.multiply(response, weighted), group.multiply(challenge, weighted_evaluated)),
    )
    if not hmac.compare_digest(expected, challenge):
        raise ProofError


def _weights(public: bytes, blinded: Sequence[bytes], evaluated: Sequence[bytes]) -> Iterator[bytes]:
    """The scalars of ComputeComposites, which nobody can choose elements for."""
    seed = hashlib.sha512(prefixed(public, tag(b"Seed-", _MODE))).digest()
    to_scalar = tag(b"HashToScalar-", _MODE)
    for place, (element, product) in enumerate(zip(blinded, evaluated, strict=True)):
        transcript = prefixed(seed) + place.to_bytes(2, "big") + prefixed(element, product) + b"Composite"
        yield group.hash_to_scalar(transcript, to_scalar)


def _challenge(*elements: bytes) -> bytes:
    return group.hash_to_scalar(prefixed(*elements) + b"Challenge", tag(b"HashToScalar-", _MODE))
