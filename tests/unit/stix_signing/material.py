"""Labs, keys and objects of the tests. Every key here is public: never use one for anything else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from exchange.stix.extension_ids import KEYS_EXTENSION
from exchange.stix.extensions import Keys
from exchange.stix.keys import PublicKey, SigningKey, Use
from exchange.stix.signature import SignedObject, attach, make_entry, open_signed, payload_of

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "wire-format.json").read_text(encoding="utf-8")
)

AURORA = "identity--0b6ee6a4-6f1c-4c86-a4f0-4a3d5b0c9a51"
BOREALIS = "identity--1d7c1f5e-3a52-4a65-9a1e-0f3a5f9f2b10"
NBF = 1_767_225_600  # 2026-01-01T00:00:00Z
IAT = 1_767_312_000  # 2026-01-02T00:00:00Z
RECEIVED = datetime(2026, 1, 2, 0, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Read:
    """Bytes and their members, as reading leaves them."""

    raw: bytes
    members: dict[str, Any]


def key_of(label: str, use: Use = "sig") -> SigningKey:
    """The key whose secret is the SHA-256 of the label, as in the vectors."""
    return SigningKey.from_seed(sha256(label.encode()).digest(), use)


def vector_key(label: str) -> SigningKey:
    """A key of the vectors."""
    use: Use = "root" if label.endswith("root") else "sig"
    return SigningKey.from_seed(bytes.fromhex(VECTORS["keys"][label]["seed_hex"]), use)


def opened(members: dict[str, Any]) -> SignedObject:
    """The object as it looks once it has been read."""
    return open_signed(Read(json.dumps(members).encode(), members))


def indicator(**changes: Any) -> dict[str, Any]:
    """An unsigned indicator by aurora."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01",
        "created_by_ref": AURORA,
        "created": "2026-01-02T00:00:00.000Z",
        "modified": "2026-01-02T00:00:00.000Z",
        "pattern": "[ipv4-addr:value = '198.51.100.3']",
        "pattern_type": "stix",
        "valid_from": "2026-01-02T00:00:00Z",
        "object_marking_refs": ["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"],
    } | changes


def identity_version(
    number: int, keys: Sequence[PublicKey], signers: Sequence[SigningKey], **changes: Any
) -> SignedObject:
    """Version `number` (a day each) of aurora's identity, signed by the signers in their order."""
    modified = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
    members = {
        "type": "identity",
        "spec_version": "2.1",
        "id": AURORA,
        "created": "2026-01-02T00:00:00.000Z",
        "modified": modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "name": "Aurora",
        "identity_class": "organization",
        "extensions": {KEYS_EXTENSION: Keys(tuple(keys)).to_extension()},
    } | changes
    payload = payload_of(members)
    return opened(attach(members, [make_entry(payload, key, IAT) for key in signers]))
