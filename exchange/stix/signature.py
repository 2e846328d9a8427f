"""Signed objects before and after verification, as two types: docs/wire-format.md, "Signatures".

A `SignedObject` says who claims to have signed. A `VerifiedObject` can only come out of a verification here, so a
function that takes one cannot be given anything else. Which keys an identity has is decided in chain.py; who may see
an object is decided elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from exchange.stix.canonical import digest
from exchange.stix.errors import ObjectInvalidError, SignatureError
from exchange.stix.keys import PublicKey
from exchange.stix.signature_header import Header, parse_protected, signing_input
from exchange.stix.signature_making import carries_keys, make_entry, sign, sign_identity
from exchange.stix.signature_payload import (
    POINTER,
    SignatureEntry,
    attach,
    payload_digest,
    payload_of,
    signatures_of,
)
from exchange.stix.timestamps import parse_timestamp

__all__ = [
    "MAX_AHEAD_S",
    "Header",
    "SignatureEntry",
    "SignedObject",
    "VerifiedObject",
    "attach",
    "carries_keys",
    "make_entry",
    "open_signed",
    "parse_protected",
    "payload_digest",
    "payload_of",
    "sign",
    "sign_identity",
    "signatures_of",
    "signing_input",
    "verify",
    "verify_each",
]

#: wire-format: how far the clock of a signer may be ahead of ours.
MAX_AHEAD_S = 300

_PROOF: Final = object()


class ReadObject(Protocol):
    """What reading leaves: the bytes as received and their members. `RawObject` and `CheckedObject` are both."""

    @property
    def raw(self) -> bytes: ...
    @property
    def members(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class SignedObject:
    """An object with well-formed signatures that nobody has verified.

    payload: the canonical bytes that the signatures cover. kid, iat: what the first signature claims.
    """

    raw: bytes
    members: Mapping[str, Any]
    type: str
    id: str
    entries: tuple[SignatureEntry, ...]
    payload: bytes
    payload_sha256: str

    @property
    def kid(self) -> str:
        """The thumbprint of the key that claims to have signed first."""
        return self.entries[0].header.kid

    @property
    def iat(self) -> int:
        """When the first signer claims to have signed, in seconds since 1970; the version of an observable."""
        return self.entries[0].header.iat


@dataclass(frozen=True, slots=True)
class VerifiedObject:
    """An object whose signatures verify, with the identity that signed and when it was first seen."""

    signed: SignedObject
    producer: str
    key: PublicKey
    first_seen: datetime
    proof: InitVar[object] = None

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROOF:
            raise TypeError("Only verification makes a VerifiedObject.")


def open_signed(source: ReadObject) -> SignedObject:
    """Takes the signatures off an object. Verifies nothing.

    Raises:
        SignatureError: as `signatures_of`.
        ObjectInvalidError: type-or-id where one of the two is not text.
    """
    members = source.members
    kind, identifier = members.get("type"), members.get("id")
    if not isinstance(kind, str) or not isinstance(identifier, str):
        raise ObjectInvalidError("type-or-id", "An object needs a type and an id.")
    entries = signatures_of(members)
    payload = payload_of(members)
    return SignedObject(source.raw, members, kind, identifier, entries, payload, digest(payload))


def verify(signed: SignedObject, key: PublicKey, *, owner: str, now: datetime, first_seen: datetime) -> VerifiedObject:
    """Verifies an object that is not an identity with keys.

    key: the one that `signed.kid` names, with the state it has now. owner: id of the identity whose key it is.
    now: the time of receipt. first_seen: when the bytes were first seen, here or proven by a witnessed log.

    Raises:
        SignatureError: signature-count, signature-key-use, signature-key-unknown, signature-creator,
            signature-ahead, signature-key-not-yet-valid, signature-key-expired, signature-key-revoked,
            signature-key-compromised, signature-wrong.
    """
    if len(signed.entries) != 1:
        raise SignatureError("signature-count", "Exactly one signature is allowed.", f"{POINTER}/signatures")
    if key.use != "sig" or carries_keys(signed.members):
        message = "Root keys sign identities with keys and nothing else; signing keys sign everything else."
        raise SignatureError("signature-key-use", message, f"{POINTER}/signatures/0")
    _check_creator(signed.members, owner)
    _check_key_state(key, first_seen)
    return verify_each(signed, [key], owner=owner, now=now, first_seen=first_seen)


def verify_each(
    signed: SignedObject, keys: Sequence[PublicKey], *, owner: str, now: datetime, first_seen: datetime
) -> VerifiedObject:
    """Verifies the signatures one by one, each against the key in its place.

    It does not ask whether these are the right keys, nor whether they are valid: `verify` and chain.py do.

    Raises:
        SignatureError: signature-count, signature-key-unknown, signature-ahead, signature-wrong.
    """
    if len(signed.entries) != len(keys):
        message = f"Exactly {len(keys)} signatures are expected."
        raise SignatureError("signature-count", message, f"{POINTER}/signatures")
    _check_times(signed, now)
    for place, (entry, key) in enumerate(zip(signed.entries, keys, strict=True)):
        where = f"{POINTER}/signatures/{place}"
        if entry.header.kid != key.kid:
            raise SignatureError("signature-key-unknown", "The signature names another key.", f"{where}/protected")
        if not key.verifies(entry.signature, signing_input(entry.protected, signed.payload)):
            message = "The signature does not belong to this object and key."
            raise SignatureError("signature-wrong", message, f"{where}/signature")
    return VerifiedObject(signed, owner, keys[0], first_seen, proof=_PROOF)


def _check_creator(members: Mapping[str, Any], owner: str) -> None:
    """The producer is the owner of the key, and `created_by_ref` may say nothing else."""
    creator = members.get("created_by_ref")
    if creator is None and "created" in members:
        # Only observables have neither: their ids are the same for everybody.
        raise SignatureError("signature-creator", "A signed object must name its creator.", "/created_by_ref")
    if creator is not None and creator != owner:
        raise SignatureError("signature-creator", "The key belongs to another identity.", "/created_by_ref")


def _check_key_state(key: PublicKey, first_seen: datetime) -> None:
    """What the key's state says of the moment at which the object was first seen; `iat` proves nothing."""
    at = first_seen.timestamp()
    where = f"{POINTER}/signatures/0"
    if at < key.nbf:
        raise SignatureError("signature-key-not-yet-valid", "The key was not valid yet.", where)
    if key.exp is not None and at >= key.exp:
        raise SignatureError("signature-key-expired", "The key had expired.", where)
    if key.compromised_since is not None and at >= key.compromised_since:
        raise SignatureError("signature-key-compromised", "The key may have been in other hands.", where)
    if key.revoked_at is not None and at >= key.revoked_at:
        raise SignatureError("signature-key-revoked", "The key had been revoked.", where)


def _check_times(signed: SignedObject, now: datetime) -> None:
    latest = now.timestamp() + MAX_AHEAD_S
    for place, entry in enumerate(signed.entries):
        if entry.header.iat > latest:
            raise _ahead(f"{POINTER}/signatures/{place}/protected")
    for name in ("created", "modified"):
        if name in signed.members and _moment(signed.members[name], f"/{name}").timestamp() > latest:
            raise _ahead(f"/{name}")


def _moment(text: object, pointer: str) -> datetime:
    if not isinstance(text, str):
        raise ObjectInvalidError("timestamp", "A timestamp is expected here.", pointer)
    return parse_timestamp(text, pointer)


def _ahead(pointer: str) -> SignatureError:
    return SignatureError("signature-ahead", f"The time is more than {MAX_AHEAD_S} s ahead of receipt.", pointer)
