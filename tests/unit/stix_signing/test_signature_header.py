"""Protected headers, with joserfc as another implementation of RFC 7515 and RFC 7797."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey

from exchange.stix.errors import SignatureError
from exchange.stix.keys import SigningKey
from exchange.stix.keys_encoding import decode, encode
from exchange.stix.signature import make_entry
from exchange.stix.signature_header import MAX_PROTECTED_CHARS, Header, parse_protected, signing_input
from tests.unit.stix_signing.material import IAT, key_of

KEY = key_of("aurora")
MEMBERS: dict[str, Any] = {"alg": "Ed25519", "b64": False, "crit": ["b64"], "iat": IAT, "kid": KEY.kid}
# `iat` is a claim of JWT that joserfc does not expect in a header.
REGISTRY = jws.JWSRegistry(algorithms=["Ed25519"], strict_check_header=False)
PAYLOAD = b'{"id":"indicator--x","n":1}'


def oracle_key(key: SigningKey) -> OKPKey:
    secret = json.loads(key.to_text())["d"]
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": key.x, "d": secret})


def header(**changes: Any) -> str:
    return encode(json.dumps(MEMBERS | changes).encode())


def refusal(protected: object) -> str:
    with pytest.raises(SignatureError) as error:
        parse_protected(protected, "/here")
    assert error.value.pointer == "/here"
    return error.value.code


def test_the_known_answer_of_a_detached_unencoded_signature_is_ours() -> None:
    seed = decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
    assert seed is not None
    key = SigningKey.from_seed(seed, "sig")
    protected = encode(f'{{"alg":"Ed25519","b64":false,"crit":["b64"],"kid":"{key.kid}"}}'.encode())
    assert f"{protected}..{encode(key.sign(signing_input(protected, PAYLOAD)))}" == (
        "eyJhbGciOiJFZDI1NTE5IiwiYjY0IjpmYWxzZSwiY3JpdCI6WyJiNjQiXSwia2lkIjoia1ByS19xbXhWV2FZVkE5d3dCRjZJdW8zdlZ6ejdU"
        "eEhDVHdYQnlnclM0ayJ9..473PJlcAaOLbK9G30kIa8-H5MIrIE6D5KhfY71m_iUqpXx5ufmKjIt0Lk5jN7uSma2dWUBqdvsXrtfvYVX3KAg"
    )


@given(text=st.text(max_size=100), iat=st.integers(0, 2**33))
def test_joserfc_makes_and_verifies_the_same_signature(text: str, iat: int) -> None:
    payload = text.encode()
    entry, oracle = make_entry(payload, KEY, iat), oracle_key(KEY)
    compact = f"{entry.protected}..{encode(entry.signature)}"
    assert jws.deserialize_compact(compact, oracle, payload=payload, registry=REGISTRY).headers() == MEMBERS | {
        "iat": iat
    }
    theirs = jws.serialize_compact(MEMBERS | {"iat": iat}, payload, oracle, registry=REGISTRY)
    assert theirs.split(".")[0] == entry.protected
    assert theirs.split(".")[-1] == encode(entry.signature)


def test_joserfc_refuses_another_payload_as_we_do() -> None:
    entry = make_entry(PAYLOAD, KEY, IAT)
    compact = f"{entry.protected}..{encode(entry.signature)}"
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(compact, oracle_key(KEY), payload=PAYLOAD + b" ", registry=REGISTRY)
    assert not KEY.public(nbf=0).verifies(entry.signature, signing_input(entry.protected, PAYLOAD + b" "))


def test_a_header_is_read_whatever_the_order_and_spacing_of_its_members() -> None:
    assert parse_protected(Header(KEY.kid, IAT).to_protected(), "") == Header(KEY.kid, IAT)
    reordered = encode(json.dumps(dict(reversed(MEMBERS.items())), indent=1).encode())
    assert parse_protected(reordered, "") == Header(KEY.kid, IAT)


@pytest.mark.parametrize("alg", ["none", "EdDSA", "HS256", "ed25519", "", None, ["Ed25519"], 5])
def test_another_algorithm_is_refused(alg: object) -> None:
    assert refusal(header(alg=alg)) == "signature-algorithm"


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "typ", "exp", "Alg", ""])
def test_a_member_that_we_do_not_know_is_refused(name: str) -> None:
    assert refusal(header(**{name: "x"})) == "signature-unknown-member"


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_a_header_that_lacks_a_member_is_refused(name: str) -> None:
    members = {key: value for key, value in MEMBERS.items() if key != name}
    assert refusal(encode(json.dumps(members).encode())) == "signature-header"


@pytest.mark.parametrize(
    "changes",
    [
        {"b64": True},
        {"b64": 0},
        {"b64": "false"},
        {"crit": []},
        {"crit": ["b64", "b64"]},
        {"crit": "b64"},
        {"crit": ["b64", "iat"]},
        {"iat": -1},
        {"iat": 1.5},
        {"iat": float(IAT)},
        {"iat": True},
        {"iat": str(IAT)},
        {"iat": 10**18},
        {"kid": "short"},
        {"kid": KEY.kid + "="},
        {"kid": None},
    ],
)
def test_a_member_of_the_wrong_form_is_refused(changes: dict[str, Any]) -> None:
    assert refusal(header(**changes)) == "signature-header"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}x",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        json.dumps(MEMBERS | {"iat": float("nan")}).encode(),
        b"[" * 300,
        json.dumps(MEMBERS)[:-1].encode() + b',"iat":1}',
        json.dumps(MEMBERS)[:-1].encode() + b',"kid":"' + KEY.kid.encode() + b'"}',
    ],
)
def test_what_is_no_json_object_with_unique_names_is_refused(text: bytes) -> None:
    assert refusal(encode(text)) == "signature-header"


@pytest.mark.parametrize(
    "protected",
    [None, 5, [], {}, header() + "=", header() + "\n", "!", "e30=", "A" * (MAX_PROTECTED_CHARS + 1)],
)
def test_what_is_no_base64url_text_of_reasonable_length_is_refused(protected: object) -> None:
    assert refusal(protected) == "signature-header"


@given(text=st.binary(max_size=120) | st.text(max_size=60).map(lambda text: f'{{"alg":"Ed25519",{text}}}'.encode()))
def test_no_header_text_leaks_another_error(text: bytes) -> None:
    assert refusal(encode(text)).startswith("signature-")
