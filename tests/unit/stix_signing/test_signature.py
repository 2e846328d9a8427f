"""Objects: what is signed, what verification asks for, and that nothing else passes for verified."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.errors import MalformedJsonError, SignatureError, StixError
from exchange.stix.extension_ids import KEYS_EXTENSION, RANGES_EXTENSION, SIGNATURE_EXTENSION
from exchange.stix.keys import PublicKey
from exchange.stix.keys_encoding import encode
from exchange.stix.reading import read_object
from exchange.stix.signature import (
    MAX_AHEAD_S,
    SignedObject,
    VerifiedObject,
    attach,
    make_entry,
    open_signed,
    payload_of,
    sign,
    sign_identity,
    signatures_of,
    verify,
)
from tests.unit.stix_signing.material import AURORA, BOREALIS, IAT, NBF, RECEIVED, indicator, key_of, opened

KEY = key_of("aurora")
PUBLIC = KEY.public(nbf=NBF, exp=NBF + 90 * 86400)
POINTER = f"/extensions/{SIGNATURE_EXTENSION}"
OTHER_EXTENSION = {RANGES_EXTENSION: {"extension_type": "property-extension"}}


def signed(**changes: Any) -> SignedObject:
    return opened(sign(indicator(**changes), KEY, IAT))


def verify_now(
    subject: SignedObject, key: PublicKey = PUBLIC, *, owner: str = AURORA, first_seen: datetime = RECEIVED
) -> VerifiedObject:
    return verify(subject, key, owner=owner, now=RECEIVED, first_seen=first_seen)


def refusal(subject: SignedObject, key: PublicKey = PUBLIC, **changes: Any) -> tuple[str, str]:
    with pytest.raises(SignatureError) as error:
        verify_now(subject, key, **changes)
    return error.value.code, error.value.pointer


def with_extension(value: Any) -> dict[str, Any]:
    return indicator(extensions={SIGNATURE_EXTENSION: value})


def refused_form(members: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(SignatureError) as error:
        signatures_of(members)
    return error.value.code, error.value.pointer


def one_entry() -> dict[str, Any]:
    return make_entry(payload_of(indicator()), KEY, IAT).to_json()


def extension_of(*entries: Any) -> dict[str, Any]:
    return {"extension_type": "property-extension", "signatures": list(entries)}


def test_what_is_signed_verifies_and_says_who_and_when() -> None:
    verified = verify_now(signed())
    assert (verified.producer, verified.key, verified.first_seen) == (AURORA, PUBLIC, RECEIVED)
    assert (verified.signed.kid, verified.signed.iat, verified.signed.type) == (KEY.kid, IAT, "indicator")


def test_signing_leaves_the_object_itself_as_it_is() -> None:
    members = indicator(extensions=copy.deepcopy(OTHER_EXTENSION))
    before = copy.deepcopy(members)
    result = sign(members, KEY, IAT)
    assert members == before
    assert result["extensions"].pop(SIGNATURE_EXTENSION)
    assert result == before


def test_signing_again_replaces_the_signature() -> None:
    again = opened(sign(sign(indicator(), key_of("old"), IAT), KEY, IAT + 1))
    assert [entry.header.kid for entry in again.entries] == [KEY.kid]
    assert verify_now(again)


def test_bytes_on_the_wire_verify_after_strict_reading() -> None:
    raw = json.dumps(sign(indicator(name="Grüße, Ω and 😀"), KEY, IAT), indent=2, ensure_ascii=False).encode()
    opened_again = open_signed(read_object(raw))
    assert verify_now(opened_again)
    assert opened_again.raw == raw


def test_the_payload_is_the_object_without_its_signature() -> None:
    assert payload_of(sign(indicator(), KEY, IAT)) == payload_of(indicator())
    other = indicator(extensions=OTHER_EXTENSION)
    assert payload_of(sign(other, KEY, IAT)) == payload_of(other) != payload_of(indicator())


def test_order_and_spacing_of_members_make_no_difference() -> None:
    members = sign(indicator(), KEY, IAT)
    shuffled = dict(reversed(members.items()))
    assert verify_now(opened(shuffled)).signed.payload_sha256 == opened(members).payload_sha256


@pytest.mark.parametrize("extensions", [{}, [], None, "x", 1])
def test_extensions_that_are_empty_or_no_object_are_refused(extensions: Any) -> None:
    members = indicator(extensions=extensions)
    assert refused_form(members) == ("signature-extensions", "/extensions")
    with pytest.raises(SignatureError):
        payload_of(members)
    with pytest.raises(SignatureError):
        sign(members, KEY, IAT)


def test_an_object_without_canonical_form_cannot_be_signed() -> None:
    with pytest.raises(MalformedJsonError):
        sign(indicator(confidence=2**60), KEY, IAT)


def test_an_unsigned_object_is_refused() -> None:
    assert refused_form(indicator()) == ("signature-missing", "")
    assert refused_form(indicator(extensions=OTHER_EXTENSION)) == ("signature-missing", "")
    with pytest.raises(SignatureError):
        attach(indicator(), [])


@pytest.mark.parametrize(
    ("extension", "code", "place"),
    [
        (5, "signature-form", ""),
        ([], "signature-form", ""),
        ({"signatures": [{}]}, "signature-form", ""),
        ({"extension_type": "property-extension"}, "signature-form", ""),
        ({"extension_type": "new-sdo", "signatures": [{}]}, "signature-form", "/extension_type"),
        (extension_of(), "signature-missing", "/signatures"),
        ({"extension_type": "property-extension", "signatures": {}}, "signature-missing", "/signatures"),
        (extension_of(5), "signature-form", "/signatures/0"),
        (extension_of({"protected": "e30"}), "signature-form", "/signatures/0"),
        (extension_of(one_entry(), {"signature": "AA"}), "signature-form", "/signatures/1"),
        (extension_of(one_entry() | {"header": {}}), "signature-unknown-member", "/signatures/0/header"),
        (extension_of(one_entry() | {"a/b": 1}), "signature-unknown-member", "/signatures/0/a~1b"),
        (extension_of(one_entry()) | {"note": 1}, "signature-unknown-member", "/note"),
        (extension_of(one_entry() | {"signature": ""}), "signature-form", "/signatures/0/signature"),
        (extension_of(one_entry() | {"signature": encode(bytes(63))}), "signature-form", "/signatures/0/signature"),
        (
            extension_of(one_entry() | {"signature": encode(bytes(64)) + "=="}),
            "signature-form",
            "/signatures/0/signature",
        ),
        (extension_of(one_entry() | {"signature": None}), "signature-form", "/signatures/0/signature"),
        (extension_of(*[one_entry()] * 102), "signature-count", "/signatures"),
    ],
)
def test_a_malformed_signature_extension_is_refused_where_it_is_wrong(extension: Any, code: str, place: str) -> None:
    assert refused_form(with_extension(extension)) == (code, POINTER + place)


def test_a_signature_moved_to_another_object_is_refused() -> None:
    entries = signed().entries
    moved = attach(indicator(id="indicator--0b6ee6a4-6f1c-4c86-a4f0-4a3d5b0c9a52"), entries)
    assert refusal(opened(moved)) == ("signature-wrong", f"{POINTER}/signatures/0/signature")


def test_a_header_changed_after_signing_is_refused() -> None:
    entry = signed().entries[0]
    later = make_entry(b"", KEY, IAT + 1)
    changed = attach(indicator(), [replace(entry, protected=later.protected, header=later.header)])
    assert refusal(opened(changed))[0] == "signature-wrong"


def test_a_signature_of_another_key_under_our_kid_is_refused() -> None:
    forged = make_entry(payload_of(indicator()), key_of("thief"), IAT)
    ours = make_entry(payload_of(indicator()), KEY, IAT)
    subject = opened(attach(indicator(), [replace(ours, signature=forged.signature)]))
    assert refusal(subject)[0] == "signature-wrong"


def test_a_signature_that_names_another_key_is_refused() -> None:
    assert refusal(signed(), key_of("other").public(nbf=NBF))[0] == "signature-key-unknown"


def test_two_signatures_are_refused() -> None:
    entry = signed().entries[0]
    assert refusal(opened(attach(indicator(), [entry, entry]))) == ("signature-count", f"{POINTER}/signatures")


def test_a_root_key_signs_no_object_and_a_signing_key_no_identity_with_keys() -> None:
    root = key_of("aurora root", "root")
    by_root = opened(attach(indicator(), [make_entry(payload_of(indicator()), root, IAT)]))
    assert refusal(by_root, root.public(nbf=NBF))[0] == "signature-key-use"
    identity = indicator(extensions={KEYS_EXTENSION: {}})
    by_sig = opened(attach(identity, [make_entry(payload_of(identity), KEY, IAT)]))
    assert refusal(by_sig)[0] == "signature-key-use"


def test_the_signing_functions_refuse_the_wrong_kind_of_key() -> None:
    root, identity = key_of("aurora root", "root"), indicator(extensions={KEYS_EXTENSION: {}})
    for members, key in ((indicator(), root), (identity, KEY)):
        with pytest.raises(SignatureError, match="signature-key-use"):
            sign(members, key, IAT)
    for members, keys in ((indicator(), [root]), (identity, [KEY]), (identity, [])):
        with pytest.raises(SignatureError, match="signature-key-use"):
            sign_identity(members, keys, IAT)


def test_a_key_of_another_lab_is_refused() -> None:
    assert refusal(signed(), owner=BOREALIS) == ("signature-creator", "/created_by_ref")


def test_an_object_that_names_no_creator_is_refused() -> None:
    members = indicator()
    del members["created_by_ref"]
    assert refusal(opened(sign(members, KEY, IAT))) == ("signature-creator", "/created_by_ref")


def test_an_observable_belongs_to_whoever_signed_it() -> None:
    members = {"type": "ipv4-addr", "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4", "value": "198.51.100.3"}
    for owner, key in ((AURORA, KEY), (BOREALIS, key_of("borealis"))):
        subject = opened(sign(members, key, IAT))
        assert verify_now(subject, key.public(nbf=NBF), owner=owner).producer == owner


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"nbf": int(RECEIVED.timestamp()) + 1}, "signature-key-not-yet-valid"),
        ({"exp": int(RECEIVED.timestamp())}, "signature-key-expired"),
        ({"revoked_at": int(RECEIVED.timestamp())}, "signature-key-revoked"),
        ({"compromised_since": int(RECEIVED.timestamp())}, "signature-key-compromised"),
    ],
)
def test_a_key_that_was_not_valid_when_the_object_was_first_seen_is_refused(state: dict[str, int], code: str) -> None:
    assert refusal(signed(), replace(PUBLIC, **state))[0] == code  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["exp", "revoked_at", "compromised_since"])
def test_what_was_first_seen_before_a_key_ended_stays_valid(end: str) -> None:
    key = replace(PUBLIC, **{end: int(RECEIVED.timestamp())})  # type: ignore[arg-type]
    assert verify_now(signed(), key, first_seen=RECEIVED - timedelta(seconds=1))


def test_a_backdated_iat_does_not_revive_a_revoked_key() -> None:
    key = replace(PUBLIC, revoked_at=IAT + 10)
    assert refusal(opened(sign(indicator(), KEY, IAT - 1000)), key)[0] == "signature-key-revoked"


def at(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


LATEST = int(RECEIVED.timestamp()) + MAX_AHEAD_S


def test_times_up_to_five_minutes_ahead_of_receipt_are_accepted() -> None:
    assert verify_now(opened(sign(indicator(created=at(LATEST), modified=at(LATEST)), KEY, LATEST)))


def test_times_further_ahead_are_refused() -> None:
    assert refusal(opened(sign(indicator(), KEY, LATEST + 1))) == (
        "signature-ahead",
        f"{POINTER}/signatures/0/protected",
    )
    for name in ("created", "modified"):
        assert refusal(signed(**{name: at(LATEST + 1)})) == ("signature-ahead", f"/{name}")


@pytest.mark.parametrize("value", [None, 5, "yesterday", ["2026-01-02T00:00:00.000Z"], {}])
def test_a_time_that_is_no_timestamp_is_refused_with_its_place(value: Any) -> None:
    with pytest.raises(StixError) as error:
        verify_now(signed(modified=value))
    assert (error.value.code, error.value.pointer) == ("timestamp", "/modified")


@pytest.mark.parametrize("member", ["type", "id"])
def test_an_object_without_type_or_id_cannot_be_opened(member: str) -> None:
    with pytest.raises(StixError) as error:
        opened(sign(indicator(**{member: 5}), KEY, IAT))
    assert error.value.code == "type-or-id"


def test_nothing_but_verification_makes_a_verified_object() -> None:
    subject = signed()
    with pytest.raises(TypeError):
        VerifiedObject(subject, AURORA, PUBLIC, RECEIVED)
    with pytest.raises(TypeError):
        VerifiedObject(subject, AURORA, PUBLIC, RECEIVED, proof=object())
    with pytest.raises((TypeError, ValueError)):
        replace(verify_now(subject), producer=BOREALIS)
    with pytest.raises(AttributeError):
        verify_now(subject).producer = BOREALIS  # type: ignore[misc]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.floats(allow_nan=False),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


@given(extra=st.dictionaries(st.text(min_size=1), json_values, max_size=4))
def test_whatever_is_signed_verifies(extra: dict[str, Any]) -> None:
    members = {"x_" + name: value for name, value in extra.items()} | indicator()
    try:
        subject = opened(sign(members, KEY, IAT))
    except MalformedJsonError:
        return
    assert verify_now(subject)
