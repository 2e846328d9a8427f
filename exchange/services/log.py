"""Leaves of the transparency log, made with each operation (docs/wire-format.md, "Transparency log").

A leaf about an object is a commitment: whoever holds the salt and the record can prove what it says, nobody
else learns anything. Key and membership operations stand in clear. Integration into the tree comes later.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from exchange.stix.canonical import canonicalize
from exchange.stix.timestamps import format_taxii

SALT_BYTES = 32
LEAF_VERSION = 1
CLEAR_OPERATIONS = frozenset({"key-added", "key-revoked", "lab-admitted", "lab-suspended"})


@dataclass(frozen=True, slots=True)
class LeafBytes:
    """`data` goes into the tree; `salt` and `record` to whoever may read the object (empty salt: in clear)."""

    data: bytes
    record: bytes
    salt: bytes


def make_leaf(
    operation: str, *, type_: str, id_: str, version: str, payload_sha256: str, lab: str, time: datetime
) -> LeafBytes:
    """The leaf of one operation; `lab` is the identity id of the lab that did it."""
    fields = {
        "operation": operation,
        "type": type_,
        "id": id_,
        "version": version,
        "payload_sha256": payload_sha256,
        "lab": lab,
        "time": format_taxii(time),
    }
    record = canonicalize(fields)
    if operation in CLEAR_OPERATIONS:
        return LeafBytes(canonicalize({"v": LEAF_VERSION, "record": fields}), record, b"")
    salt = secrets.token_bytes(SALT_BYTES)
    return LeafBytes(committed(salt, record), record, salt)


def committed(salt: bytes, record: bytes) -> bytes:
    """The leaf bytes that commit to a record under a salt."""
    commitment = hashlib.sha256(salt + record).hexdigest()
    return canonicalize({"v": LEAF_VERSION, "commitment": commitment})
