"""Ed25519 keys of labs and nodes as JSON Web Keys (RFC 7517, RFC 8037, RFC 9864).

A key's name (`kid`) is its RFC 7638 thumbprint, so that a key cannot be renamed. This module reads, writes and uses
single keys. Which key belongs to whom, and since when, is decided in chain.py; files are read and written by others.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Literal, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from exchange.stix import keys_encoding as base64url
from exchange.stix.errors import KeyChainError, pointer_to
from exchange.stix.extensions_fields import MAX_UNIX_SECONDS, members_of, one_of, whole_number
from exchange.stix.keys_points import is_safe_point

Use = Literal["root", "sig"]
Custody = Literal["lab", "exchange"]

ALGORITHM = "Ed25519"
KEY_BYTES = 32  # RFC 8032 section 5.1.5
SIGNATURE_BYTES = 64  # RFC 8032 section 5.1.6

_PUBLIC_MEMBERS = frozenset({"kty", "crv", "x", "kid", "use", "alg"})
_STATE_MEMBERS = frozenset({"exp", "custody", "revoked_at", "compromised_since"})
_NOT_32_BYTES = f"{KEY_BYTES} bytes as base64url without padding are expected here."

_USES: frozenset[str] = frozenset({"root", "sig"})
_CUSTODIES: frozenset[str] = frozenset({"lab", "exchange"})
#: Members of JSON Web Keys that hold secrets (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key with what its identity says of it. Times are whole seconds since 1970, as in a JWT (RFC 7519).

    ``revoked_at`` ends the key from that second on. ``compromised_since`` ends it too, and says that somebody else may
    have used it from then on.
    """

    kid: str
    x: str
    use: Use
    nbf: int
    exp: int | None = None
    custody: Custody = "lab"
    revoked_at: int | None = None
    compromised_since: int | None = None

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the bytes were signed with this key; a signature with a non-canonical S never was."""
        try:
            _loaded(self.x).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def is_valid_at(self, when: datetime) -> bool:
        """Whether the key could sign at that time: begun, not expired, not revoked, not compromised."""
        at = when.timestamp()
        ends = [end for end in (self.exp, self.revoked_at, self.compromised_since) if end is not None]
        return self.nbf <= at and all(at < end for end in ends)

    def to_jwk(self) -> dict[str, str | int]:
        """The key as it stands in an identity's `jwks`."""
        jwk: dict[str, str | int] = {"kty": "OKP", "crv": ALGORITHM, "x": self.x, "kid": self.kid, "use": self.use}
        jwk |= {"alg": ALGORITHM, "nbf": self.nbf}
        if self.use == "sig":
            jwk["custody"] = self.custody
        for name in ("exp", "revoked_at", "compromised_since"):
            value: int | None = getattr(self, name)
            if value is not None:
                jwk[name] = value
        return jwk


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A private key. Neither its repr nor its str shows the secret."""

    kid: str
    x: str
    use: Use
    _private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, use: Use) -> "SigningKey":
        """A new key from the system's source of randomness."""
        return cls._of(Ed25519PrivateKey.generate(), use)

    @classmethod
    def from_seed(cls, seed: bytes, use: Use) -> "SigningKey":
        """The key of a 32-byte secret (RFC 8032 section 5.1.5). Raises: KeyChainError: key-invalid."""
        if len(seed) != KEY_BYTES:
            raise KeyChainError("key-invalid", f"The secret must have {KEY_BYTES} bytes.", "/d")
        return cls._of(Ed25519PrivateKey.from_private_bytes(seed), use)

    @classmethod
    def _of(cls, private: Ed25519PrivateKey, use: Use) -> "SigningKey":
        x = base64url.encode(private.public_key().public_bytes_raw())
        return cls(kid=thumbprint(x), x=x, use=use, _private=private)

    @classmethod
    def from_jwk(cls, value: object) -> "SigningKey":
        """Reads a private JWK with exactly kty, crv, x, kid, use, alg and d.

        Raises:
            ObjectInvalidError: a member is missing, unknown or of the wrong form.
            KeyChainError: key-invalid, key-kid: the members do not belong together.
        """
        jwk = members_of(value, "", required=_PUBLIC_MEMBERS | {"d"})
        _, use = _read_public_part(jwk, "")
        seed = base64url.decode_exactly(jwk["d"], KEY_BYTES)
        if seed is None:
            raise KeyChainError("key-invalid", _NOT_32_BYTES, "/d")
        key = cls.from_seed(seed, use)
        if key.x != jwk["x"]:
            raise KeyChainError("key-invalid", "The public key does not belong to the secret.", "/x")
        return key

    @classmethod
    def from_text(cls, text: str) -> "SigningKey":
        """Reads the text of a key file. Raises: ObjectInvalidError, KeyChainError: never with the text in it."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            # Raised out here, because the parser's own error carries the whole text, and with it the secret.
            raise KeyChainError("key-invalid", "This is no key file: a JSON object is expected.")
        return cls.from_jwk(value)

    def to_text(self) -> str:
        """The text of a key file, secret included. The writer gives the file mode 0600."""
        jwk = {"kty": "OKP", "crv": ALGORITHM, "use": self.use, "alg": ALGORITHM, "kid": self.kid, "x": self.x}
        jwk["d"] = base64url.encode(self._private.private_bytes_raw())
        return json.dumps(jwk, indent=1) + "\n"

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the Ed25519 signature."""
        return self._private.sign(message)

    def public(self, *, nbf: int, exp: int | None = None, custody: Custody = "lab") -> PublicKey:
        """The public half, valid from ``nbf`` to ``exp`` (seconds since 1970)."""
        return PublicKey(kid=self.kid, x=self.x, use=self.use, nbf=nbf, exp=exp, custody=custody)


def thumbprint(x: str) -> str:
    """The RFC 7638 thumbprint of an Ed25519 key (RFC 8037 appendix A.3), base64url."""
    return base64url.encode(sha256(f'{{"crv":"{ALGORITHM}","kty":"OKP","x":"{x}"}}'.encode()).digest())


def is_thumbprint(text: object) -> bool:
    """Whether the text can be a thumbprint: 32 bytes as base64url."""
    return base64url.decode_exactly(text, 32) is not None


def parse_public_key(value: object, pointer: str) -> PublicKey:
    """Reads one key of an identity's `jwks`, refusing every member it does not know.

    Raises:
        ObjectInvalidError: a member is missing, unknown or of the wrong form.
        KeyChainError: key-private, key-invalid, key-kid, key-times, key-custody.
    """
    if isinstance(value, dict):
        for name in _SECRET_MEMBERS & value.keys():
            message = "A private key must not be published."
            raise KeyChainError("key-private", message, pointer + pointer_to([name]))
    jwk = members_of(value, pointer, required=_PUBLIC_MEMBERS | {"nbf"}, optional=_STATE_MEMBERS)
    x, use = _read_public_part(jwk, pointer)
    times = {
        name: whole_number(jwk, name, pointer, 0, MAX_UNIX_SECONDS)
        for name in ("exp", "revoked_at", "compromised_since")
        if name in jwk
    }
    nbf = whole_number(jwk, "nbf", pointer, 0, MAX_UNIX_SECONDS)
    if times.get("exp", nbf + 1) <= nbf:
        raise KeyChainError("key-times", "A key must expire later than it begins.", f"{pointer}/exp")
    custody = cast(Custody, one_of(jwk, "custody", pointer, _CUSTODIES) if "custody" in jwk else "lab")
    if use == "root" and custody != "lab":
        raise KeyChainError("key-custody", "A root key is never kept by an exchange.", f"{pointer}/custody")
    return PublicKey(kid=thumbprint(x), x=x, use=use, nbf=nbf, custody=custody, **times)


def _read_public_part(jwk: object, pointer: str) -> tuple[str, Use]:
    """The `x` and the `use` of a key of the one kind that is accepted."""
    members = cast("dict[str, object]", jwk)
    one_of(members, "kty", pointer, {"OKP"})
    one_of(members, "crv", pointer, {ALGORITHM})
    one_of(members, "alg", pointer, {ALGORITHM})
    use = cast(Use, one_of(members, "use", pointer, _USES))
    point = base64url.decode_exactly(members["x"], KEY_BYTES)
    if point is None:
        raise KeyChainError("key-invalid", _NOT_32_BYTES, f"{pointer}/x")
    if not is_safe_point(point):
        raise KeyChainError("key-invalid", "The point cannot be an Ed25519 key.", f"{pointer}/x")
    x = cast(str, members["x"])
    if members["kid"] != thumbprint(x):
        message = "The kid must be the RFC 7638 thumbprint of the key."
        raise KeyChainError("key-kid", message, f"{pointer}/kid")
    return x, use


# A node meets few keys and verifies with them often: loading one costs a tenth of a verification.
@lru_cache(maxsize=4096)
def _loaded(x: str) -> Ed25519PublicKey:
    point = base64url.decode_exactly(x, KEY_BYTES)
    if point is None:
        raise KeyChainError("key-invalid", _NOT_32_BYTES, "/x")
    return Ed25519PublicKey.from_public_bytes(point)


def unix_seconds(when: datetime) -> int:
    """Whole seconds since 1970 of an aware time."""
    return int(when.astimezone(UTC).timestamp())
