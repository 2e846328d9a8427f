"""CACAO's own digital signatures, type `jss`: made and verified (CACAO 2.0 section 10.15, ITU-T X.590 section 7).

What is signed is the lowercase hexadecimal digest, as ASCII text, of the canonical form (RFC 8785) of the whole
playbook with one signature in it: all members but `value`. A countersignature is signed in the same way, inside the
signature that it is for, whose `value` then stays.

A signature that verifies says that the holder of the key that it carries made it, and nothing about who that is.
Trust is the reader's own decision, by the key's thumbprint.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

from exchange.stix.canonical import canonicalize
from exchange.stix.errors import SignatureError, pointer_to, shown
from exchange.stix.keys import SigningKey
from exchange.stix.keys_encoding import decode, encode
from signatures.cacao.jss_keys import (
    ALGORITHMS,
    ED25519_SPKI,
    KeyUnreadableError,
    VerifyingKey,
    read_certificate,
    read_spki,
    thumbprint,
    verifies,
)
from signatures.cacao.limits import MAX_COUNTERSIGNATURES, MAX_SIGNATURES

DIGESTS: Final[Mapping[str, str]] = {"sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
"""Names of the IANA registry that CACAO uses, and Python's."""

Members = Mapping[str, Any]
Path = tuple[str | int, ...]


class Standing(StrEnum):
    """What came of recomputing a signature. One that does not verify is an error and has none."""

    VALID = "valid"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What is known of one signature.

    pointer: into the playbook. signee: what it says of itself. reason: why it was not recomputed, "" if it was.
    key_thumbprint: RFC 7638, "" where the signature carries no key. period: valid_from and valid_until as written.
    """

    pointer: str
    id: str
    signee: str
    algorithm: str
    standing: Standing
    reason: str
    key_thumbprint: str
    revoked: bool
    period: tuple[str, str]

    def is_current(self, when: datetime) -> bool:
        """Whether its signer stands by it at that time: not revoked, and within its period."""
        start, end = (datetime.fromisoformat(text) if text else None for text in self.period)
        return not self.revoked and (start is None or start <= when) and (end is None or when < end)


def verify_signatures(playbook: Members) -> tuple[SignatureReport, ...]:
    """Recompute every signature of a playbook whose signatures have the right shape, countersignatures after each.

    Raises: SignatureError with a pointer: one does not verify, is of another playbook or version, has a key that cannot
    be read, or there are too many.
    """
    listed = playbook.get("signatures", ())
    if len(listed) > MAX_SIGNATURES:
        raise SignatureError("jss-too-many", f"A playbook has at most {MAX_SIGNATURES} signatures.", "/signatures")
    return tuple(report for position in range(len(listed)) for report in _verify_nested(playbook, position))


def digest_text(playbook: Members, signature: Members, hash_algorithm: str) -> str:
    """Return the hexadecimal digest of a playbook with this signature alone in it, as it is to be signed."""
    canonical = canonicalize({**playbook, "signatures": [signature]})
    return hashlib.new(DIGESTS[hash_algorithm], canonical).hexdigest()


def sign_playbook(
    playbook: Members,
    key: SigningKey,
    *,
    signee: str,
    at: str,
    signature_id: str = "",
    created_by: str | None = None,
    hash_algorithm: str = "sha-256",
) -> dict[str, Any]:
    """Return a playbook with one more signature, by an Ed25519 key. It is no new version of the playbook.

    at: time of signing, UTC with three digits of a second. signature_id: `jss--<UUID>`, a new one if it is empty.
    """
    signature = _unsigned(playbook, key, signee, at, signature_id, created_by, hash_algorithm)
    message = digest_text(playbook, signature, hash_algorithm)
    signature["value"] = encode(key.sign(message.encode("ascii")))
    return {**playbook, "signatures": [*playbook.get("signatures", ()), signature]}


def countersign_playbook(
    playbook: Members,
    position: int,
    key: SigningKey,
    *,
    signee: str,
    at: str,
    signature_id: str = "",
    created_by: str | None = None,
    hash_algorithm: str = "sha-256",
) -> dict[str, Any]:
    """Return a playbook whose signature at `position` is countersigned, in the place of a countersignature before.

    Raises: SignatureError (`jss-absent`) where there is no such signature. Arguments as in `sign_playbook`.
    """
    listed = list(playbook.get("signatures", ()))
    if not 0 <= position < len(listed):
        raise SignatureError("jss-absent", "There is no such signature.", pointer_to(("signatures", position)))
    counter = _unsigned(playbook, key, signee, at, signature_id, created_by, hash_algorithm)
    message = digest_text(playbook, {**listed[position], "signature": counter}, hash_algorithm)
    counter["value"] = encode(key.sign(message.encode("ascii")))
    listed[position] = {**listed[position], "signature": counter}
    return {**playbook, "signatures": listed}


def spki_text(key: SigningKey) -> str:
    """Return the public part of a key as CACAO writes it: base64 of its SubjectPublicKeyInfo."""
    raw = decode(key.x) or b""
    return base64.b64encode(ED25519_SPKI + raw).decode("ascii")


def _unsigned(
    playbook: Members,
    key: SigningKey,
    signee: str,
    at: str,
    signature_id: str,
    created_by: str | None,
    hash_algorithm: str,
) -> dict[str, Any]:
    return {
        "type": "jss",
        "id": signature_id or f"jss--{uuid4()}",
        **({"created_by": created_by} if created_by else {}),
        "created": at,
        "modified": at,
        "signee": signee,
        "related_to": playbook["id"],
        "related_version": playbook["modified"],
        "hash_algorithm": hash_algorithm,
        "algorithm": "Ed25519",
        "public_key": spki_text(key),
    }


def _verify_nested(playbook: Members, position: int) -> Iterator[SignatureReport]:
    """A signature, then what countersigns it, then what countersigns that."""
    chain: list[Members] = []
    path: Path = ("signatures", position)
    signature: Members | None = playbook["signatures"][position]
    while signature is not None:
        if len(chain) > MAX_COUNTERSIGNATURES:
            text = f"A signature has at most {MAX_COUNTERSIGNATURES} countersignatures, one in the other."
            raise SignatureError("jss-too-many", text, pointer_to(path))
        chain.append(signature)
        yield _verify_one(playbook, chain, path)
        signature, path = signature.get("signature"), (*path, "signature")


def _verify_one(playbook: Members, chain: list[Members], path: Path) -> SignatureReport:
    signature = chain[-1]
    for name, of_playbook in (("related_to", "id"), ("related_version", "modified")):
        if signature[name] != playbook[of_playbook]:
            text = f"The signature is of {shown(signature[name])}, not of this playbook and version."
            raise SignatureError("jss-other-playbook", text, pointer_to((*path, name)))
    reason = _why_unreadable(signature)
    key = None if reason else _key_of(signature, path)
    if key is not None and not _is_sound(playbook, chain, key):
        text = "The signature does not verify: it, or the playbook, was changed after signing."
        raise SignatureError("jss-invalid", text, pointer_to((*path, "value")))
    if key is None and not reason:
        reason = "it carries no key, and nothing is fetched"
    return SignatureReport(
        pointer=pointer_to(path),
        id=signature["id"],
        signee=signature["signee"],
        algorithm=signature["algorithm"],
        standing=Standing.UNCHECKED if reason else Standing.VALID,
        reason=reason,
        key_thumbprint=thumbprint(key) if key is not None else "",
        revoked=signature.get("revoked", False),
        period=(signature.get("valid_from", ""), signature.get("valid_until", "")),
    )


def _is_sound(playbook: Members, chain: list[Members], key: VerifyingKey) -> bool:
    """Recompute the last signature of a chain, in which each countersigns the one before."""
    signed = {name: value for name, value in chain[-1].items() if name not in ("value", "signature")}
    for outer in reversed(chain[:-1]):
        signed = {**outer, "signature": signed}
    value = decode(chain[-1]["value"])
    message = digest_text(playbook, signed, chain[-1]["hash_algorithm"])
    return value is not None and verifies(key, chain[-1]["algorithm"], value, message.encode("ascii"))


def _key_of(signature: Members, path: Path) -> VerifyingKey | None:
    """The key that a signature carries; None where it names one that would have to be fetched or known."""
    try:
        if "public_key" in signature:
            return read_spki(signature["public_key"])
        if "public_cert_chain" in signature:
            return read_certificate(signature["public_cert_chain"][0])
    except KeyUnreadableError as error:
        where = "public_key" if "public_key" in signature else "public_cert_chain"
        raise SignatureError("jss-key", f"The key cannot be used: {error}.", pointer_to((*path, where))) from None
    return None


def _why_unreadable(signature: Members) -> str:
    if signature["algorithm"] not in ALGORITHMS:
        return f"the algorithm {shown(signature['algorithm'])} is not known here"
    if signature["hash_algorithm"] not in DIGESTS:
        return f"the digest {shown(signature['hash_algorithm'])} is not known here"
    return ""
