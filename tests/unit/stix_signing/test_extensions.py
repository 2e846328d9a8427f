"""The extensions of ours: what each accepts, and where a refusal points."""

from typing import Any

import pytest

from exchange.stix import extension_ids as ids
from exchange.stix.errors import KeyChainError, ObjectInvalidError, StixError
from exchange.stix.extensions import MAX_RECIPIENTS, Extension, Keys, check_extensions
from exchange.stix.extensions_keys import MAX_KEYS
from exchange.stix.signature_payload import MAX_SIGNATURES
from tests.unit.stix_signing.material import AURORA, BOREALIS, NBF, VECTORS, key_of

PROPERTY = {"extension_type": "property-extension"}
NOTE = "note--7f5c1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01"
INDICATOR = "indicator--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01"
DIGEST = "ab" * 32
KEY, ROOT = key_of("lab").public(nbf=NBF, exp=NBF + 9), key_of("root", "root").public(nbf=NBF)

GOOD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "distribution": (
        ids.DISTRIBUTION_EXTENSION,
        "marking-definition",
        PROPERTY | {"recipients": [AURORA, BOREALIS]},
    ),
    "selector": (
        ids.SELECTOR_EXTENSION,
        "user-account",
        PROPERTY
        | {"scheme": "voprf-ristretto255-sha512", "issuer": AURORA, "epoch": "2026-11", "kind": "payment-instrument"},
    ),
    "ranges": (
        ids.RANGES_EXTENSION,
        "infrastructure",
        PROPERTY
        | {
            "ranges": [
                {
                    "net": "203.0.113.0/24",
                    "asn": 64500,
                    "kind": "proxy",
                    "first_seen": "2026-01-01T00:00:00Z",
                    "last_seen": "2026-01-02T00:00:00.000Z",
                    "confidence": 70,
                },
                {"net": "2001:db8::/32", "kind": "vpn"},
            ]
        },
    ),
    "feedback": (
        ids.FEEDBACK_EXTENSION,
        "opinion",
        PROPERTY | {"reason": "shared-egress", "evidence_count": 12, "payload_sha256": DIGEST},
    ),
    "appeal": (
        ids.APPEAL_EXTENSION,
        "note",
        PROPERTY | {"appeal": NOTE, "step": "opened", "severity": "high", "deadline": "2026-02-01T00:00:00Z"},
    ),
    "withdrawal": (
        ids.WITHDRAWAL_EXTENSION,
        "note",
        PROPERTY | {"object": INDICATOR, "producer": AURORA, "state": "narrowed", "at": "2026-02-01T00:00:00Z"},
    ),
    "keys": (
        ids.KEYS_EXTENSION,
        "identity",
        PROPERTY | {"jwks": {"keys": [ROOT.to_jwk(), KEY.to_jwk()]}, "home": [{"node": ROOT.kid, "exclusive": False}]},
    ),
}


def carrier(name: str, extension: Any = None, **members: Any) -> dict[str, Any]:
    """An object of the right type that carries the good extension of that name, or another in its place."""
    extension_id, kind, good = GOOD[name]
    properties = {
        "identity": {"identity_class": "organization"},
        "user-account": {"account_type": "llm-api", "user_id": "0f" * 64},
    }.get(kind, {})
    return {
        "type": kind,
        **properties,
        "extensions": {extension_id: good if extension is None else extension},
    } | members


def refusal(members: dict[str, Any]) -> tuple[str, str]:
    """The code, and the pointer from the extension on where it lies in one."""
    with pytest.raises(StixError) as error:
        check_extensions(members)
    place = error.value.pointer
    for extension_id, _, _ in GOOD.values():
        place = place.removeprefix(f"/extensions/{extension_id}")
    return error.value.code, place


def read(members: dict[str, Any]) -> Extension:
    (extension,) = check_extensions(members).values()
    return extension


@pytest.mark.parametrize("name", GOOD)
def test_a_good_extension_survives_reading_and_writing(name: str) -> None:
    assert read(carrier(name)).to_extension() == GOOD[name][2]


@pytest.mark.parametrize("name", GOOD)
def test_a_member_that_we_do_not_know_is_refused(name: str) -> None:
    assert refusal(carrier(name, GOOD[name][2] | {"x/y~z": 1})) == ("extension-member-unknown", "/x~1y~0z")


@pytest.mark.parametrize("name", GOOD)
def test_another_extension_type_is_refused(name: str) -> None:
    wrong = GOOD[name][2] | {"extension_type": "toplevel-property-extension"}
    assert refusal(carrier(name, wrong)) == ("extension-type", "/extension_type")
    missing = {key: value for key, value in GOOD[name][2].items() if key != "extension_type"}
    assert refusal(carrier(name, missing)) == ("extension-member-missing", "")


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", [[], "x", 5, True, 1.5])
def test_an_extension_that_is_no_object_is_refused(name: str, value: Any) -> None:
    assert refusal(carrier(name, value)) == ("extension-not-an-object", "")


@pytest.mark.parametrize("name", GOOD)
def test_an_extension_on_another_type_of_object_is_refused(name: str) -> None:
    assert refusal(carrier(name, type="campaign")) == ("extension-place", "")


@pytest.mark.parametrize(("name", "kind"), [("ranges", "indicator"), ("feedback", "sighting")])
def test_an_extension_may_stand_on_its_second_type(name: str, kind: str) -> None:
    assert read(carrier(name, type=kind))


@pytest.mark.parametrize(
    ("name", "member", "bad"),
    [
        ("distribution", "recipients", []),
        ("distribution", "recipients", AURORA),
        ("distribution", "recipients", [AURORA, AURORA]),
        ("distribution", "recipients", [AURORA] * (MAX_RECIPIENTS + 1)),
        ("selector", "scheme", "hmac-sha256"),
        ("selector", "scheme", ["voprf-ristretto255-sha512"]),
        ("selector", "issuer", "indicator--0b6ee6a4-6f1c-4c86-a4f0-4a3d5b0c9a51"),
        ("selector", "issuer", AURORA.upper()),
        ("selector", "issuer", AURORA + "\n"),
        ("selector", "epoch", "2026-13"),
        ("selector", "epoch", "2026-1"),
        ("selector", "epoch", 202611),
        ("selector", "kind", "e-mail"),
        ("feedback", "reason", "because"),
        ("feedback", "reason", None),
        ("feedback", "evidence_count", -1),
        ("feedback", "evidence_count", True),
        ("feedback", "evidence_count", 1.0),
        ("feedback", "evidence_count", 10**9),
        ("feedback", "payload_sha256", "AB" * 32),
        ("feedback", "payload_sha256", "ab" * 31),
        ("appeal", "appeal", INDICATOR),
        ("appeal", "step", "closed"),
        ("appeal", "severity", "extreme"),
        ("appeal", "deadline", "2026-02-30T00:00:00Z"),
        ("appeal", "deadline", 5),
        ("appeal", "outcome", "lost"),
        ("withdrawal", "object", "indicator"),
        ("withdrawal", "object", {}),
        ("withdrawal", "producer", INDICATOR),
        ("withdrawal", "producer", None),
        ("withdrawal", "state", "hidden"),
        ("withdrawal", "at", "2026-02-01"),
        ("ranges", "ranges", []),
        ("ranges", "ranges", {}),
        ("keys", "home", []),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(name: str, member: str, bad: Any) -> None:
    assert refusal(carrier(name, GOOD[name][2] | {member: bad})) == ("extension-value", f"/{member}")


def test_a_wrong_item_is_refused_with_its_place() -> None:
    assert refusal(carrier("distribution", PROPERTY | {"recipients": [AURORA, "me"]})) == (
        "extension-value",
        "/recipients/1",
    )


@pytest.mark.parametrize(
    ("name", "optional"),
    [
        ("distribution", set()),
        ("selector", set()),
        ("ranges", set()),
        ("feedback", set()),
        ("appeal", {"severity", "deadline"}),
        ("withdrawal", set()),
        ("keys", {"home"}),
    ],
)
def test_only_optional_members_may_be_missing(name: str, optional: set[str]) -> None:
    for member in GOOD[name][2]:
        without = {key: value for key, value in GOOD[name][2].items() if key != member}
        if member in optional:
            assert read(carrier(name, without)).to_extension() == without
        else:
            assert refusal(carrier(name, without)) == ("extension-member-missing", "")


def test_a_sighting_needs_no_reason() -> None:
    without = {key: value for key, value in GOOD["feedback"][2].items() if key != "reason"}
    assert read(carrier("feedback", without, type="sighting"))


def test_an_outcome_belongs_to_a_decision_and_a_decision_has_one() -> None:
    decided = PROPERTY | {"appeal": NOTE, "step": "decided", "outcome": "upheld"}
    assert read(carrier("appeal", decided)).to_extension() == decided
    assert refusal(carrier("appeal", decided | {"step": "message"})) == ("extension-value", "/outcome")
    undecided = PROPERTY | {"appeal": NOTE, "step": "decided"}
    assert refusal(carrier("appeal", undecided)) == ("extension-value", "/outcome")


@pytest.mark.parametrize("user_id", ["someone@example.com", "0F" * 64, "0f" * 32, 5, None])
def test_a_selector_stands_on_an_account_that_names_nobody(user_id: Any) -> None:
    assert refusal(carrier("selector", user_id=user_id)) == ("extension-value", "/user_id")
    assert refusal(carrier("selector", account_type="openid")) == ("extension-value", "/account_type")


def test_only_organizations_and_systems_have_keys() -> None:
    assert read(carrier("keys", identity_class="system"))
    for identity_class in ("individual", None, ["system"]):
        assert refusal(carrier("keys", identity_class=identity_class)) == ("extension-value", "/identity_class")


@pytest.mark.parametrize(
    ("extension", "code", "place"),
    [
        ({"jwks": []}, "extension-not-an-object", "/jwks"),
        ({"jwks": {"keys": [], "x": 1}}, "extension-member-unknown", "/jwks/x"),
        ({"jwks": {"keys": []}}, "extension-value", "/jwks/keys"),
        ({"jwks": {"keys": [KEY.to_jwk()] * (MAX_KEYS + 1)}}, "extension-value", "/jwks/keys"),
        ({"jwks": {"keys": [KEY.to_jwk(), KEY.to_jwk()]}}, "key-twice", "/jwks/keys"),
        ({"jwks": {"keys": [KEY.to_jwk(), 5]}}, "extension-not-an-object", "/jwks/keys/1"),
        ({"jwks": {"keys": [KEY.to_jwk() | {"d": "x"}]}}, "key-private", "/jwks/keys/0/d"),
        ({"home": [{"node": "here", "exclusive": True}]}, "extension-value", "/home/0/node"),
        ({"home": [{"node": ROOT.kid, "exclusive": 1}]}, "extension-value", "/home/0/exclusive"),
        ({"home": [{"node": ROOT.kid}]}, "extension-member-missing", "/home/0"),
        ({"home": [{"node": ROOT.kid, "exclusive": x} for x in (True, False)]}, "extension-value", "/home"),
    ],
)
def test_wrong_keys_and_homes_are_refused_with_their_place(extension: Any, code: str, place: str) -> None:
    assert refusal(carrier("keys", GOOD["keys"][2] | extension)) == (code, place)


def test_the_keys_of_the_vectors_are_read_and_written_as_they_stand() -> None:
    identity = VECTORS["accept"][0]["object"]
    keys = check_extensions(identity)[ids.KEYS_EXTENSION]
    assert isinstance(keys, Keys)
    assert keys.to_extension() == identity["extensions"][ids.KEYS_EXTENSION]


def test_every_key_of_a_full_set_can_prove_itself_in_one_version() -> None:
    assert MAX_SIGNATURES > MAX_KEYS


def test_extensions_of_others_and_signatures_are_left_alone() -> None:
    others = {"x-theirs": {"x": 1}, ids.SIGNATURE_EXTENSION: 5, ids.TLP2_EXTENSION: {"tlp_2_0": "red"}}
    assert check_extensions({"type": "note", "extensions": others}) == {}
    assert check_extensions({"type": "note"}) == {}
    assert check_extensions({"type": "note", "extensions": 5}) == {}


def test_errors_of_keys_are_those_of_the_chain_and_others_of_the_object() -> None:
    with pytest.raises(KeyChainError):
        check_extensions(carrier("keys", PROPERTY | {"jwks": {"keys": [KEY.to_jwk() | {"kid": "x"}]}}))
    with pytest.raises(ObjectInvalidError):
        check_extensions(carrier("withdrawal", PROPERTY))
