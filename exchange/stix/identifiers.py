"""Identifiers of STIX objects (STIX 2.1 sections 2.9, 3.3 and 3.4), and the deterministic ids of observables.

An id is checked for form only; nothing here knows whether it exists or to whom it belongs.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from exchange.stix.canonical import canonicalize
from exchange.stix.errors import ObjectInvalidError, shown
from exchange.stix.extension_ids import SIGNATURE_EXTENSION
from exchange.stix.timestamps import without_trailing_zeros

SCO_NAMESPACE: Final = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")

# RFC 4122 lets a reader accept capitals, but then one object would have many ids, and a revoked or foreign one
# could come back under another spelling. Versions and variant as in the OASIS JSON schema.
_IDENTIFIER: Final = re.compile(
    r"([a-z][a-z0-9]*(?:-[a-z0-9]+)*)--[0-9a-f]{8}-[0-9a-f]{4}-([1-5])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
)

# STIX 2.1 section 6: ID Contributing Properties. A process has none and always gets a random id.
CONTRIBUTING_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "artifact": ("hashes", "payload_bin"),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("from_ref", "subject", "body"),
    "file": ("hashes", "name", "parent_directory_ref", "extensions"),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": (
        "start",
        "end",
        "src_ref",
        "dst_ref",
        "src_port",
        "dst_port",
        "protocols",
        "extensions",
    ),
    "process": (),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "url": ("value",),
    "user-account": ("account_type", "user_id", "account_login"),
    "windows-registry-key": ("key", "values"),
    "x509-certificate": ("hashes", "serial_number"),
}
_PREFERRED_HASHES: Final = ("MD5", "SHA-1", "SHA-256", "SHA-512")


def derived_uuid(*parts: str) -> uuid.UUID:
    """A UUID in the shape of version 4 from the hash of texts: always the same, and nobody guesses another lab's."""
    return uuid.UUID(bytes=hashlib.sha256("\n".join(("commonwatch", *parts)).encode()).digest()[:16], version=4)


def is_identifier(text: object) -> bool:
    """Tell whether `text` is `<type>--<lowercase RFC 4122 UUID>`."""
    return isinstance(text, str) and _IDENTIFIER.fullmatch(text) is not None


def type_of(identifier: str, pointer: str = "/id") -> str:
    """Return the type that an id begins with.

    Raises: ObjectInvalidError (`identifier`) at `pointer` if it is no well-formed id.
    """
    matched = _IDENTIFIER.fullmatch(identifier)
    if matched is None:
        message = f"{shown(identifier)} is no identifier: a type, two hyphens and a lowercase UUID are expected."
        raise ObjectInvalidError("identifier", message, pointer)
    return matched[1]


def is_uuid5(identifier: str) -> bool:
    """Tell whether a well-formed id ends in a name-based (SHA-1) UUID."""
    matched = _IDENTIFIER.fullmatch(identifier)
    return matched is not None and matched[2] == "5"


def create_id(object_type: str) -> str:
    """Return a new random id (UUIDv4) for an object that is no observable."""
    return f"{object_type}--{uuid.uuid4()}"


def deterministic_id(members: Mapping[str, Any]) -> str | None:
    """Return the UUIDv5 id of an observable; None if its type is unknown or no contributing property is present.

    The signature extension does not contribute: an object keeps its id when it is signed.
    """
    contributing = contributing_members(members)
    return _id_from(str(members.get("type")), contributing) if contributing else None


def acceptable_ids(members: Mapping[str, Any]) -> frozenset[str]:
    """Return every UUIDv5 id that a careful producer may have given an observable; empty if it must have none.

    STIX leaves room: a full-length prefix of an address may be omitted (section 6.4), writers such as stix2 drop
    zeros at the end of timestamps before hashing, and no order is given for hashes outside the preferred four.
    """
    contributing = contributing_members(members)
    if not contributing:
        return frozenset()
    object_type = str(members.get("type"))
    variants = [contributing, *_variants(object_type, contributing)]
    hashes = members.get("hashes")
    if "hashes" in contributing and isinstance(hashes, dict) and not set(hashes) & set(_PREFERRED_HASHES):
        variants += [{**contributing, "hashes": {name: text}} for name, text in hashes.items()]
    return frozenset(_id_from(object_type, variant) for variant in variants)


def contributing_members(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contributing properties that are present, as they enter the hash."""
    present = {}
    for name in CONTRIBUTING_PROPERTIES.get(str(members.get("type")), ()):
        value = members.get(name)
        if name == "hashes" and isinstance(value, dict):
            value = _one_hash(value)
        elif name == "extensions" and isinstance(value, dict):
            value = {key: entry for key, entry in value.items() if key != SIGNATURE_EXTENSION} or None
        if value is not None:
            present[name] = value
    return present


def _id_from(object_type: str, contributing: Mapping[str, Any]) -> str:
    # uuid5 takes text and encodes it as UTF-8; JCS is UTF-8 already.
    return f"{object_type}--{uuid.uuid5(SCO_NAMESPACE, canonicalize(contributing).decode())}"


def _one_hash(hashes: Mapping[str, Any]) -> dict[str, Any] | None:
    for name in (*_PREFERRED_HASHES, *sorted(hashes)):
        if name in hashes:
            return {name: hashes[name]}
    return None


def _variants(object_type: str, contributing: dict[str, Any]) -> list[dict[str, Any]]:
    if object_type in ("ipv4-addr", "ipv6-addr"):
        whole = "/32" if object_type == "ipv4-addr" else "/128"
        return [{"value": str(contributing["value"]).removesuffix(whole)}]
    times = {name: contributing[name] for name in ("start", "end") if name in contributing}
    if not times:
        return []
    return [{**contributing, **{name: without_trailing_zeros(text) for name, text in times.items()}}]
