"""What a signature of ours covers, and where it stands in the object: docs/wire-format.md, "Signatures".

It takes signatures out of an object and puts them in. It verifies nothing and knows no key.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.stix import keys_encoding as base64url
from exchange.stix.canonical import canonicalize, digest
from exchange.stix.errors import SignatureError, pointer_to
from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from exchange.stix.keys import SIGNATURE_BYTES
from exchange.stix.signature_header import Header, parse_protected

#: An identity is signed once by a root key and once by each key that it introduces.
MAX_SIGNATURES = 101

POINTER: Final = f"/extensions/{SIGNATURE_EXTENSION}"

_ENTRY_MEMBERS = frozenset({"protected", "signature"})
_EXTENSION_MEMBERS = frozenset({"extension_type", "signatures"})


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """One signature as received: nothing about it is verified."""

    header: Header
    protected: str
    signature: bytes

    def to_json(self) -> dict[str, str]:
        """The entry as it stands in the extension."""
        return {"protected": self.protected, "signature": base64url.encode(self.signature)}


def payload_of(members: Mapping[str, Any]) -> bytes:
    """The bytes that a signature covers: RFC 8785 of the object without the signature extension.

    Raises:
        SignatureError: signature-extensions where `extensions` is not an object, or is empty.
        MalformedJsonError: the object has no canonical form.
    """
    if "extensions" not in members:
        return canonicalize(members if isinstance(members, dict) else dict(members))
    rest = {name: value for name, value in _extensions_of(members).items() if name != SIGNATURE_EXTENSION}
    bare = {name: value for name, value in members.items() if name != "extensions"}
    if rest:
        bare["extensions"] = rest
    return canonicalize(bare)


def payload_digest(members: Mapping[str, Any]) -> str:
    """The SHA-256 of the payload in hexadecimal: what two copies of one version must have in common."""
    return digest(payload_of(members))


def signatures_of(members: Mapping[str, Any]) -> tuple[SignatureEntry, ...]:
    """The signatures on an object, in their order; at least one.

    Raises:
        SignatureError: signature-extensions, signature-missing, signature-unknown-member, signature-count,
            signature-form, or one of those of `parse_protected`.
    """
    extension = _extensions_of(members).get(SIGNATURE_EXTENSION) if "extensions" in members else None
    if extension is None:
        raise SignatureError("signature-missing", "The object is not signed.")
    _check_members(extension, _EXTENSION_MEMBERS, POINTER)
    if extension["extension_type"] != "property-extension":
        message = "The extension_type must be property-extension."
        raise SignatureError("signature-form", message, f"{POINTER}/extension_type")
    listed = extension["signatures"]
    if not isinstance(listed, list) or not listed:
        raise SignatureError("signature-missing", "A list of signatures is expected here.", f"{POINTER}/signatures")
    if len(listed) > MAX_SIGNATURES:
        message = f"At most {MAX_SIGNATURES} signatures are allowed."
        raise SignatureError("signature-count", message, f"{POINTER}/signatures")
    return tuple(_read_entry(entry, f"{POINTER}/signatures/{place}") for place, entry in enumerate(listed))


def attach(members: Mapping[str, Any], entries: Sequence[SignatureEntry]) -> dict[str, Any]:
    """A copy of the object that carries these signatures and no others. Nothing is checked against a key.

    Raises:
        SignatureError: signature-extensions, signature-missing without any entry.
    """
    if not entries:
        raise SignatureError("signature-missing", "There is no signature to attach.")
    extensions = dict(_extensions_of(members)) if "extensions" in members else {}
    extensions[SIGNATURE_EXTENSION] = {
        "extension_type": "property-extension",
        "signatures": [entry.to_json() for entry in entries],
    }
    return {**members, "extensions": extensions}


def _extensions_of(members: Mapping[str, Any]) -> dict[str, Any]:
    extensions = members["extensions"]
    if not isinstance(extensions, dict) or not extensions:
        # Empty and absent would have one payload, so that a relay could turn one into the other.
        raise SignatureError("signature-extensions", "Extensions must be an object that is not empty.", "/extensions")
    return extensions


def _read_entry(entry: object, pointer: str) -> SignatureEntry:
    members = _check_members(entry, _ENTRY_MEMBERS, pointer)
    header = parse_protected(members["protected"], f"{pointer}/protected")
    signature = base64url.decode_exactly(members["signature"], SIGNATURE_BYTES)
    if signature is None:
        message = f"{SIGNATURE_BYTES} bytes as base64url without padding are expected here."
        raise SignatureError("signature-form", message, f"{pointer}/signature")
    return SignatureEntry(header=header, protected=members["protected"], signature=signature)


def _check_members(value: object, names: frozenset[str], pointer: str) -> dict[str, Any]:
    """The value as an object with exactly the members named."""
    if not isinstance(value, dict):
        raise SignatureError("signature-form", "A JSON object is expected here.", pointer)
    if value.keys() != names:
        unknown = sorted(value.keys() - names)
        if unknown:
            where = pointer + pointer_to(unknown[:1])
            raise SignatureError("signature-unknown-member", "There is no such member here.", where)
        missing = min(names - value.keys())
        raise SignatureError("signature-form", f"The member {missing} is missing.", pointer)
    return value
