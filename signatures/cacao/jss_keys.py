"""Keys of CACAO's own signatures: read from what a signature carries, and used to verify (CACAO 2.0 section 10.15).

Algorithms by their JOSE names (RFC 7518 section 3.1, RFC 8037). Knows nothing of playbooks or of trust.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from exchange.stix.keys_encoding import encode

VerifyingKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey

MAX_KEY_BYTES: Final = 4_096
"""DER of an RSA key of 8,192 bits has 1,100 bytes, of a certificate some 2,000."""

RSA_BITS: Final = (2_048, 8_192)
"""RFC 7518 section 3.3 asks for 2,048; verifying with more than the second takes long."""

ED25519_SPKI: Final = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of an Ed25519 key in SubjectPublicKeyInfo (RFC 8410 section 4)."""

_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
_CURVES: Final[Mapping[str, tuple[str, int]]] = {
    "ES256": ("secp256r1", 32),
    "ES384": ("secp384r1", 48),
    "ES512": ("secp521r1", 66),
}
_CURVE_NAMES: Final[Mapping[str, tuple[str, int]]] = {
    "secp256r1": ("P-256", 32),
    "secp384r1": ("P-384", 48),
    "secp521r1": ("P-521", 66),
}
ALGORITHMS: Final = frozenset(
    ["Ed25519", "Ed448", *_CURVES, *(f"{family}{size}" for family in ("RS", "PS") for size in _HASHES)]
)
"""Those that can be verified here."""


class KeyUnreadableError(ValueError):
    """What a signature carries as its key is none that can be used; the message says why, as the end of a sentence."""


def read_spki(text: str) -> VerifyingKey:
    """Read a key from base64 of SubjectPublicKeyInfo: a PEM body without its armour; line breaks are passed over.

    Raises: KeyUnreadableError.
    """
    try:
        key = load_der_public_key(_decode(text))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnreadableError("it holds no public key") from None
    return _usable(key)


def read_certificate(text: str) -> VerifyingKey:
    """Read the key of a certificate, base64 of its DER. Nothing about the certificate is believed or verified.

    Raises: KeyUnreadableError.
    """
    try:
        key = x509.load_der_x509_certificate(_decode(text)).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnreadableError("it holds no certificate") from None
    return _usable(key)


def verifies(key: VerifyingKey, algorithm: str, signature: bytes, message: bytes) -> bool:
    """Tell whether a signature of one of `ALGORITHMS` is by this key; False too where they do not go together."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            if algorithm != ("Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "Ed448"):
                return False
            key.verify(signature, message)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            curve, size = _CURVES.get(algorithm, ("", 0))
            if key.curve.name != curve or len(signature) != 2 * size:
                return False
            numbers = (int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
            key.verify(encode_dss_signature(*numbers), message, ec.ECDSA(_HASHES[algorithm[2:]]))
        elif algorithm[:2] in ("RS", "PS"):
            digest = _HASHES[algorithm[2:]]
            key.verify(signature, message, _padding(algorithm, digest), digest)
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        # A key of odd numbers is as good as one that does not verify.
        return False
    return True


def thumbprint(key: VerifyingKey) -> str:
    """The RFC 7638 thumbprint of a key; of a lab's Ed25519 key it is the `kid` in the lab's identity."""
    canonical = json.dumps(_jwk(key), sort_keys=True, separators=(",", ":"))
    return encode(hashlib.sha256(canonical.encode()).digest())


def _jwk(key: VerifyingKey) -> dict[str, str]:
    """The members that RFC 7638 section 3.2 counts."""
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        curve = "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "Ed448"
        return {"kty": "OKP", "crv": curve, "x": encode(key.public_bytes_raw())}
    if isinstance(key, ec.EllipticCurvePublicKey):
        name, size = _CURVE_NAMES[key.curve.name]
        point = key.public_numbers()
        return {"kty": "EC", "crv": name, "x": encode(point.x.to_bytes(size)), "y": encode(point.y.to_bytes(size))}
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": encode(_big_endian(numbers.n)), "e": encode(_big_endian(numbers.e))}


def _big_endian(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def _padding(algorithm: str, digest: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    if algorithm.startswith("RS"):
        return padding.PKCS1v15()
    return padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)


def _decode(text: str) -> bytes:
    if len(text) > 2 * MAX_KEY_BYTES:
        raise KeyUnreadableError("it is too long")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error):
        raise KeyUnreadableError("it is not base64") from None


def _usable(key: Any) -> VerifyingKey:
    if isinstance(key, rsa.RSAPublicKey):
        if not RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
            raise KeyUnreadableError(f"an RSA key has {RSA_BITS[0]} to {RSA_BITS[1]} bits")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVE_NAMES:
        return key
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return key
    raise KeyUnreadableError("it is a key of another kind")
