"""CACAO's own signatures: the known answer, every algorithm that is verified, and what does not pass."""

import base64
import copy
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exchange.stix.canonical import canonicalize
from exchange.stix.errors import SignatureError
from exchange.stix.keys import SigningKey
from exchange.stix.keys_encoding import encode
from signatures.cacao import Standing, countersign_playbook, sign_playbook, verify_signatures
from signatures.cacao.signing import digest_text

Playbook = dict[str, Any]
UUID = "0d1d3a53-2b0e-4e7f-8a63-2f6c0f4b7a"
AT = "2026-03-02T00:00:00.000Z"
# RFC 8037 appendix A.1 and A.2.
KEY = SigningKey.from_seed(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"), "sig")
OTHER = SigningKey.from_seed(bytes(range(32)), "sig")


def playbook() -> Playbook:
    """The minimal playbook of the standard's reading, section 9."""
    start, tell, done, agent = f"start--{UUID}02", f"action--{UUID}03", f"end--{UUID}05", f"group--{UUID}04"
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": f"playbook--{UUID}01",
        "name": "Notify abuse desk",
        "created_by": "identity--0b6ee6a4-6f1c-4c86-a4f0-4a3d5b0c9a51",
        "created": "2026-03-01T00:00:00.000Z",
        "modified": "2026-03-01T00:00:00.000Z",
        "playbook_types": ["notification"],
        "playbook_activities": ["deliver-content"],
        "workflow_start": start,
        "workflow": {
            start: {"type": "start", "on_completion": tell},
            tell: {
                "type": "action",
                "commands": [
                    {"type": "manual", "command": "Tell the abuse desk", "playbook_activity": "deliver-content"}
                ],
                "agent": agent,
                "on_completion": done,
            },
            done: {"type": "end"},
        },
        "agent_definitions": {agent: {"type": "group", "name": "Abuse desk"}},
    }


def signed(book: Playbook | None = None, key: SigningKey = KEY) -> Playbook:
    return sign_playbook(book or playbook(), key, signee="Lab A", at=AT, signature_id=f"jss--{UUID}06")


def refusal(book: Playbook) -> tuple[str, str]:
    with pytest.raises(SignatureError) as caught:
        verify_signatures(book)
    return caught.value.code, caught.value.pointer


def test_the_known_answer_comes_out_to_the_byte() -> None:
    book = signed()
    (signature,) = book["signatures"]
    assert signature["public_key"] == "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    unsigned = {name: value for name, value in signature.items() if name != "value"}
    assert len(canonicalize({**book, "signatures": [unsigned]})) == 1389
    digest = "d81dcd16e90b7187a5a9ea1cd8c7bebfbec78203cf341771da1cca6a63fc27b4"
    assert digest_text(book, unsigned, "sha-256") == digest
    assert signature["value"] == (
        "Ew6yrzlRA8_gcojOoiimdsGWMDTcZlcACpxEoRi2svbtnYQHvXIWPY3aNT_oecT76iz155Tf6gNXKaUv6lwaAQ"
    )
    (report,) = verify_signatures(book)
    assert (report.standing, report.signee, report.pointer) == (Standing.VALID, "Lab A", "/signatures/0")
    # The thumbprint is the name of the key in its lab's identity, and trusting it is the reader's decision.
    assert report.key_thumbprint == KEY.kid


def test_a_second_signature_leaves_the_first_valid_and_is_no_new_version() -> None:
    book = sign_playbook(signed(), OTHER, signee="Lab B", at=AT, hash_algorithm="sha-512")
    assert book["modified"] == playbook()["modified"]
    reports = verify_signatures(book)
    assert [report.key_thumbprint for report in reports] == [KEY.kid, OTHER.kid]


def test_a_countersignature_covers_the_signature_and_the_playbook() -> None:
    book = countersign_playbook(signed(), 0, OTHER, signee="Lab B", at=AT)
    first, second = verify_signatures(book)
    assert (first.pointer, second.pointer) == ("/signatures/0", "/signatures/0/signature")
    assert second.key_thumbprint == OTHER.kid
    other = copy.deepcopy(book)
    other["signatures"][0]["signature"]["signee"] = "Lab C"
    assert refusal(other) == ("jss-invalid", "/signatures/0/signature/value")
    assert refusal({**book, "name": "Another"}) == ("jss-invalid", "/signatures/0/value")
    replaced = copy.deepcopy(book)
    replaced["signatures"][0] = {**signed(key=OTHER)["signatures"][0], "signature": book["signatures"][0]["signature"]}
    assert refusal(replaced) == ("jss-invalid", "/signatures/0/signature/value")
    with pytest.raises(SignatureError):
        countersign_playbook(book, 1, OTHER, signee="Lab B", at=AT)


def ec_signer(private: ec.EllipticCurvePrivateKey, digest: hashes.HashAlgorithm) -> Callable[[bytes], bytes]:
    size = (private.curve.key_size + 7) // 8

    def sign(message: bytes) -> bytes:
        first, second = decode_dss_signature(private.sign(message, ec.ECDSA(digest)))
        return first.to_bytes(size) + second.to_bytes(size)

    return sign


RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
SIGNERS: dict[str, tuple[Any, Callable[[bytes], bytes]]] = {
    "ES256": (P256, ec_signer(P256, hashes.SHA256())),
    "ES384": (P384, ec_signer(P384, hashes.SHA384())),
    "RS256": (RSA_KEY, lambda message: RSA_KEY.sign(message, padding.PKCS1v15(), hashes.SHA256())),
    "RS512": (RSA_KEY, lambda message: RSA_KEY.sign(message, padding.PKCS1v15(), hashes.SHA512())),
    "PS256": (
        RSA_KEY,
        lambda message: RSA_KEY.sign(message, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
    ),
}


def with_algorithm(algorithm: str, message_of: Callable[[str], bytes] = str.encode) -> Playbook:
    """The playbook as another implementation signs it with this algorithm. message_of: what of the digest is signed."""
    private, sign = SIGNERS[algorithm]
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    book = signed()
    signature = book["signatures"][0] | {"algorithm": algorithm, "public_key": base64.b64encode(spki).decode()}
    del signature["value"]
    digest = hashlib.sha256(canonicalize({**book, "signatures": [signature]})).hexdigest()
    signature["value"] = encode(sign(message_of(digest)))
    return {**book, "signatures": [signature]}


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_signatures_of_others_verify_by_their_algorithm(algorithm: str) -> None:
    (report,) = verify_signatures(with_algorithm(algorithm))
    assert (report.standing, report.algorithm) == (Standing.VALID, algorithm)
    assert len(report.key_thumbprint) == 43


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
def test_what_is_signed_is_the_hexadecimal_text_and_not_the_digest(algorithm: str) -> None:
    assert refusal(with_algorithm(algorithm, bytes.fromhex)) == ("jss-invalid", "/signatures/0/value")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"value": "AAAA"}, "jss-invalid", "value"),
        ({"value": "no base64url!"}, "jss-invalid", "value"),
        ({"algorithm": "RS256"}, "jss-invalid", "value"),
        ({"algorithm": "ES256"}, "jss-invalid", "value"),
        ({"hash_algorithm": "sha-512"}, "jss-invalid", "value"),
        ({"public_key": "MCowBQYDK2VwAyEA"}, "jss-key", "public_key"),
        ({"public_key": "rubbish!"}, "jss-key", "public_key"),
        ({"public_key": "A" * 20_000}, "jss-key", "public_key"),
        ({"related_to": f"playbook--{UUID}99"}, "jss-other-playbook", "related_to"),
        ({"related_version": "2026-03-01T00:00:00.001Z"}, "jss-other-playbook", "related_version"),
    ],
)
def test_a_signature_that_does_not_hold_is_refused_with_its_place(
    change: dict[str, Any], code: str, pointer: str
) -> None:
    book = signed()
    book["signatures"][0] |= change
    assert refusal(book) == (code, f"/signatures/0/{pointer}")


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "XMSS-SHA2_10_256"},
        {"hash_algorithm": "sha3-256"},
        {"public_key": None, "cert_url": "https://lab.example/key.pem"},
        {"public_key": None, "thumbprint": "A" * 43},
    ],
)
def test_what_cannot_be_recomputed_is_said_to_be_unchecked(change: dict[str, Any]) -> None:
    book = signed()
    signature = book["signatures"][0] | change
    book["signatures"][0] = {name: value for name, value in signature.items() if value is not None}
    (report,) = verify_signatures(book)
    assert report.standing is Standing.UNCHECKED
    assert report.reason


def test_revocation_and_period_say_whether_a_signer_stands_by_it_and_not_whether_it_verifies() -> None:
    unsigned = playbook()
    book = signed(unsigned)
    (report,) = verify_signatures(book)
    assert report.is_current(datetime(2026, 4, 1, tzinfo=UTC))
    signature = {name: value for name, value in book["signatures"][0].items() if name != "value"}
    signature["valid_until"] = "2026-03-31T00:00:00.000Z"
    signature["value"] = encode(KEY.sign(digest_text(unsigned, signature, "sha-256").encode()))
    (report,) = verify_signatures({**unsigned, "signatures": [signature]})
    assert report.standing is Standing.VALID
    assert report.is_current(datetime(2026, 3, 30, tzinfo=UTC))
    assert not report.is_current(datetime(2026, 4, 1, tzinfo=UTC))


def test_too_many_signatures_are_refused_unread() -> None:
    assert refusal({**playbook(), "signatures": signed()["signatures"] * 17}) == ("jss-too-many", "/signatures")
    nested = signed()["signatures"][0]
    for _ in range(5):
        nested = {**signed()["signatures"][0], "signature": nested}
    assert refusal({**playbook(), "signatures": [nested]})[0] in ("jss-too-many", "jss-invalid")
