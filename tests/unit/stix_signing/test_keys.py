"""Single keys: reading, naming, signing, and what must never be shown."""

import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from exchange.stix.errors import KeyChainError, StixError
from exchange.stix.keys import PublicKey, SigningKey, is_thumbprint, parse_public_key, thumbprint
from exchange.stix.keys_encoding import decode, encode
from exchange.stix.keys_points import SMALL_ORDER_Y, is_safe_point
from tests.unit.stix_signing.material import NBF, key_of

RFC8037_X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
RFC8037_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
RFC8037_KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

# The order of the base point and the arithmetic of the curve (RFC 8032 section 5.1), as slow as it is short.
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
L = 2**252 + 27742317777372353535851937790883648493
Point = tuple[int, int]


def add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    return (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P


def multiply(times: int, point: Point) -> Point:
    total = (0, 1)
    while times:
        if times & 1:
            total = add(total, point)
        point, times = add(point, point), times >> 1
    return total


def x_of(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if (x * x - square) % P == 0 else None


def jwk(**changes: Any) -> dict[str, Any]:
    return key_of("lab").public(nbf=NBF).to_jwk() | changes


def code_of(value: object) -> tuple[str, str]:
    with pytest.raises(StixError) as refusal:
        parse_public_key(value, "/keys/0")
    return refusal.value.code, refusal.value.pointer


def test_the_thumbprint_is_that_of_rfc_8037() -> None:
    assert thumbprint(RFC8037_X) == RFC8037_KID


def test_the_key_of_rfc_8037_gives_its_public_half() -> None:
    seed = decode(RFC8037_D)
    assert seed is not None
    key = SigningKey.from_seed(seed, "sig")
    assert (key.x, key.kid) == (RFC8037_X, RFC8037_KID)


def test_a_signature_of_a_new_key_verifies_with_its_public_half_and_no_other() -> None:
    key, other = SigningKey.generate("sig"), SigningKey.generate("sig")
    assert key.kid != other.kid
    signature = key.sign(b"message")
    assert key.public(nbf=NBF).verifies(signature, b"message")
    assert not key.public(nbf=NBF).verifies(signature, b"messagf")
    assert not other.public(nbf=NBF).verifies(signature, b"message")


def test_a_signature_with_a_non_canonical_s_is_refused() -> None:
    key = key_of("lab")
    signature = key.sign(b"message")
    s = int.from_bytes(signature[32:], "little")
    assert not key.public(nbf=NBF).verifies(signature[:32] + (s + L).to_bytes(32, "little"), b"message")


def test_a_key_file_gives_the_same_key_again() -> None:
    key = SigningKey.generate("root")
    again = SigningKey.from_text(key.to_text())
    assert (again.kid, again.x, again.use) == (key.kid, key.x, "root")
    assert again.sign(b"message") == key.sign(b"message")


def test_the_secret_is_never_shown() -> None:
    key = key_of("lab")
    secret = json.loads(key.to_text())["d"]
    assert secret not in repr(key)
    assert secret not in str(key)
    assert secret not in f"{key!r} {vars(type(key))}"
    with pytest.raises(TypeError):
        pickle.dumps(key)


@pytest.mark.parametrize("damage", ["truncate", "wrong x", "wrong d", "no d", "list", "extra"])
def test_a_damaged_key_file_is_refused_without_showing_its_secret(damage: str) -> None:
    text = key_of("lab").to_text()
    members = json.loads(text)
    secret = members["d"]
    damaged = {
        "truncate": text[:-20],
        "wrong x": json.dumps(members | {"x": key_of("other").x, "kid": key_of("other").kid}),
        "wrong d": json.dumps(members | {"d": secret[:-4]}),
        "no d": json.dumps({name: value for name, value in members.items() if name != "d"}),
        "list": json.dumps([members]),
        "extra": json.dumps(members | {"p": "x"}),
    }[damage]
    with pytest.raises(StixError) as refusal:
        SigningKey.from_text(damaged)
    assert secret[:-4] not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


def test_a_public_key_survives_writing_and_reading() -> None:
    key = PublicKey(
        kid=key_of("lab").kid,
        x=key_of("lab").x,
        use="sig",
        nbf=NBF,
        exp=NBF + 10,
        custody="exchange",
        revoked_at=NBF + 5,
        compromised_since=NBF + 3,
    )
    assert parse_public_key(key.to_jwk(), "") == key


def test_custody_is_the_labs_unless_said_otherwise() -> None:
    members = jwk()
    del members["custody"]
    assert parse_public_key(members, "").custody == "lab"


@pytest.mark.parametrize(
    ("changes", "code", "member"),
    [
        ({"kty": "EC"}, "extension-value", "kty"),
        ({"crv": "Ed448"}, "extension-value", "crv"),
        ({"alg": "EdDSA"}, "extension-value", "alg"),
        ({"use": "enc"}, "extension-value", "use"),
        ({"use": ["sig"]}, "extension-value", "use"),
        ({"nbf": 1.5}, "extension-value", "nbf"),
        ({"nbf": True}, "extension-value", "nbf"),
        ({"nbf": -1}, "extension-value", "nbf"),
        ({"exp": NBF}, "key-times", "exp"),
        ({"exp": 10**15}, "extension-value", "exp"),
        ({"custody": "cloud"}, "extension-value", "custody"),
        ({"use": "root", "custody": "exchange"}, "key-custody", "custody"),
        ({"revoked_at": "2026-01-01T00:00:00Z"}, "extension-value", "revoked_at"),
        ({"compromised_since": None}, "extension-value", "compromised_since"),
        ({"d": RFC8037_D}, "key-private", "d"),
        ({"key_ops": ["sign"]}, "extension-member-unknown", "key_ops"),
        ({"x": RFC8037_X}, "key-kid", "kid"),
        ({"kid": "lab-key-1"}, "key-kid", "kid"),
        ({"kid": 7}, "key-kid", "kid"),
        ({"x": RFC8037_X + "="}, "key-invalid", "x"),
        ({"x": RFC8037_X[:-1]}, "key-invalid", "x"),
        ({"x": RFC8037_X[:-1] + "p"}, "key-invalid", "x"),
        ({"x": 5}, "key-invalid", "x"),
    ],
)
def test_a_public_key_with_one_wrong_member_is_refused_there(changes: Any, code: str, member: str) -> None:
    assert code_of(jwk(**changes)) == (code, f"/keys/0/{member}")


@pytest.mark.parametrize("name", ["kty", "crv", "x", "kid", "use", "alg", "nbf"])
def test_a_public_key_without_a_required_member_is_refused(name: str) -> None:
    members = jwk()
    del members[name]
    assert code_of(members) == ("extension-member-missing", "/keys/0")


@pytest.mark.parametrize("value", [None, [], "key", 1, True])
def test_a_public_key_that_is_no_object_is_refused(value: object) -> None:
    assert code_of(value) == ("extension-not-an-object", "/keys/0")


def test_the_points_of_small_order_are_exactly_those_refused() -> None:
    order_eight = (multiply(L, (x, y)) for y in range(2, 40) if (x := x_of(y)) is not None)
    found = {multiply(times, point)[1] for point in order_eight for times in range(8)}
    assert found == SMALL_ORDER_Y


@pytest.mark.parametrize("sign_bit", [0, 1 << 255])
@pytest.mark.parametrize("y", sorted(SMALL_ORDER_Y))
def test_a_key_of_small_order_is_refused(y: int, sign_bit: int) -> None:
    x = encode((y | sign_bit).to_bytes(32, "little"))
    assert code_of(jwk(x=x, kid=thumbprint(x))) == ("key-invalid", "/keys/0/x")


def test_a_second_encoding_of_a_point_is_refused() -> None:
    on_curve = next(y for y in range(2, 19) if x_of(y) is not None)
    assert is_safe_point(on_curve.to_bytes(32, "little"))
    assert not is_safe_point((on_curve + P).to_bytes(32, "little"))


def test_bytes_that_are_no_point_are_refused() -> None:
    for y in range(2, 40):
        assert is_safe_point(y.to_bytes(32, "little")) == (x_of(y) is not None)
    assert not is_safe_point(bytes(31))


@pytest.mark.parametrize("text", ["AA==", "A", "AB", "A+", "A/8", "AA\n", " AA", "ÄÄ", "AAA=", None, 5, b"AA"])
def test_base64url_with_a_second_spelling_is_refused(text: object) -> None:
    assert decode(text) is None


def test_only_32_bytes_can_be_a_thumbprint() -> None:
    assert is_thumbprint(RFC8037_KID)
    assert not is_thumbprint(RFC8037_KID[:-2])


def test_a_key_is_valid_from_its_first_second_until_the_first_of_its_ends() -> None:
    def at(second: int) -> datetime:
        return datetime.fromtimestamp(second, UTC)

    key = key_of("lab").public(nbf=NBF, exp=NBF + 10)
    assert [key.is_valid_at(at(NBF + step)) for step in (-1, 0, 9, 10)] == [False, True, True, False]
    for end in ("revoked_at", "compromised_since"):
        ended = parse_public_key(key.to_jwk() | {end: NBF + 5}, "")
        assert [ended.is_valid_at(at(NBF + step)) for step in (4, 5)] == [True, False]


def test_a_secret_of_the_wrong_length_makes_no_key() -> None:
    with pytest.raises(KeyChainError, match="32 bytes"):
        SigningKey.from_seed(bytes(31), "sig")
