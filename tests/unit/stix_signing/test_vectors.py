"""The project's own vectors: what must be accepted and what must be refused, and for which reason."""

from datetime import UTC, datetime
from typing import Any

import pytest

from exchange.stix.chain import KeyState, extend
from exchange.stix.errors import KeyChainError, SignatureError, StixError
from exchange.stix.signature import SignedObject, VerifiedObject, carries_keys, payload_digest, verify
from tests.unit.stix_signing.material import AURORA, BOREALIS, NBF, VECTORS, opened, vector_key

RECEIVED = datetime(2026, 1, 2, 0, 1, tzinfo=UTC)
PINS = {vector_key("aurora root").kid}

REASONS = {
    "altered after signing": (SignatureError, "signature-wrong"),
    "kid belongs to another lab": (SignatureError, "signature-creator"),
    "a root key signs identities only": (SignatureError, "signature-key-use"),
    "more than one signature": (SignatureError, "signature-count"),
    "extra member in the entry": (SignatureError, "signature-unknown-member"),
    "alg none": (SignatureError, "signature-algorithm"),
    "b64 and crit missing, payload signed base64url": (SignatureError, "signature-header"),
    "identity not signed by a root key first": (KeyChainError, "chain-not-root"),
    "introduced key without proof of possession": (KeyChainError, "chain-proof"),
    "empty extensions, unsigned": (SignatureError, "signature-extensions"),
}


def unknown_owner(_kid: str) -> None:
    return None


def aurora_state() -> KeyState:
    identity = opened(VECTORS["accept"][0]["object"])
    return extend(None, identity, pins=PINS, owner_of=unknown_owner, now=RECEIVED)[0]


def check(signed: SignedObject) -> VerifiedObject:
    """What a node that knows aurora and borealis does with an object: find the key and its owner, verify."""
    if carries_keys(signed.members):
        return extend(None, signed, pins=PINS, owner_of=unknown_owner, now=RECEIVED)[1]
    foreign = vector_key("cobalt sig").public(nbf=NBF)
    keys = dict(aurora_state().keys) | {foreign.kid: foreign}
    owner = BOREALIS if signed.kid == foreign.kid else AURORA
    return verify(signed, keys[signed.kid], owner=owner, now=RECEIVED, first_seen=RECEIVED)


@pytest.mark.parametrize("vector", VECTORS["accept"], ids=lambda vector: vector["object"]["type"])
def test_an_object_to_accept_is_verified_with_the_payload_of_the_vector(vector: dict[str, Any]) -> None:
    signed = opened(vector["object"])
    verified = check(signed)
    assert verified.producer == AURORA
    assert len(signed.payload) == vector["payload_bytes"]
    assert signed.payload_sha256 == vector["payload_sha256"] == payload_digest(vector["object"])


@pytest.mark.parametrize("vector", VECTORS["refuse"], ids=lambda vector: vector["why"])
def test_an_object_to_refuse_is_refused_for_the_reason_given(vector: dict[str, Any]) -> None:
    error, code = REASONS[vector["why"]]
    with pytest.raises(error) as refusal:
        check(opened(vector["object"]))
    assert refusal.value.code == code


def test_each_reason_has_a_vector_and_each_vector_a_reason() -> None:
    assert {vector["why"] for vector in VECTORS["refuse"]} == set(REASONS)


@pytest.mark.parametrize("label", VECTORS["keys"])
def test_keys_of_the_vectors_have_their_public_half_and_thumbprint(label: str) -> None:
    key = vector_key(label)
    assert (key.x, key.kid) == (VECTORS["keys"][label]["x"], VECTORS["keys"][label]["kid"])


@pytest.mark.parametrize("vector", VECTORS["accept"], ids=lambda vector: vector["object"]["type"])
def test_any_member_added_or_taken_away_makes_an_accepted_object_refused(vector: dict[str, Any]) -> None:
    for name in vector["object"].keys() - {"type", "id"}:
        shortened = {key: value for key, value in vector["object"].items() if key != name}
        with pytest.raises(StixError):
            check(opened(shortened))
    with pytest.raises(SignatureError):
        check(opened({**vector["object"], "description": "added"}))
