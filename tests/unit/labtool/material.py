"""Labs and objects of the tests."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from exchange.labtool.keygen import LabKeys, make_identity, make_lab, to_bytes
from exchange.labtool.pins import Pins
from exchange.stix.extensions import Keys, Withdrawal
from exchange.stix.fixed import KEYS_EXTENSION, WITHDRAWAL_EXTENSION
from exchange.stix.identifiers import deterministic_id
from exchange.stix.keys import PublicKey, SigningKey, unix_seconds
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign, sign_identity
from exchange.stix.timestamps import format_stix

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)


@dataclass(frozen=True)
class Party:
    """A lab or a node with its keys."""

    name: str
    keys: LabKeys

    @property
    def id(self) -> str:
        return self.keys.identity_id

    @property
    def identity(self) -> bytes:
        return self.keys.identity_bytes

    @property
    def pins(self) -> Pins:
        return Pins({self.name: (self.keys.root.kid,)})

    def sign(self, members: dict[str, Any], *, at: datetime = EARLIER) -> bytes:
        return to_bytes(sign(members, self.keys.signing, unix_seconds(at)))

    def indicator(self, **changes: Any) -> bytes:
        return self.sign(indicator(self.id, **changes))

    def ending_key(self, *, at: datetime, **ends: int) -> bytes:
        """A second version of the identity, which ends the signing key."""
        members = json.loads(self.identity)
        keys = Keys.parse(members["extensions"][KEYS_EXTENSION], "").keys
        changed = tuple(replace(key, **ends) if key.use == "sig" else key for key in keys)  # type: ignore[arg-type]  # one int field
        return self._next_identity(members, changed, at, [])

    def adding_key(self, *, at: datetime) -> tuple["Party", bytes]:
        """A second version of the identity, which adds a signing key; and the lab that signs with it."""
        members = json.loads(self.identity)
        keys = Keys.parse(members["extensions"][KEYS_EXTENSION], "").keys
        new = SigningKey.generate("sig")
        identity = self._next_identity(members, [*keys, new.public(nbf=unix_seconds(EARLIER))], at, [new])
        return Party(self.name, replace(self.keys, signing=new)), identity

    def changing_class(self, identity_class: str, *, at: datetime) -> bytes:
        """A second version of the identity, which calls itself something else."""
        members = json.loads(self.identity) | {"identity_class": identity_class}
        keys = Keys.parse(members["extensions"][KEYS_EXTENSION], "").keys
        return self._next_identity(members, keys, at, [])

    def _next_identity(
        self, members: dict[str, Any], keys: Sequence[PublicKey], at: datetime, new: Sequence[SigningKey]
    ) -> bytes:
        members["modified"] = format_stix(at)
        members["extensions"] = {KEYS_EXTENSION: Keys(tuple(keys)).to_extension()}
        return to_bytes(sign_identity(members, [self.keys.root, *new], unix_seconds(at)))


def party(name: str, *, at: datetime = EARLIER) -> Party:
    return Party(name, make_lab(name.title(), now=at))


def node_party(name: str = "node-one") -> Party:
    root, signing = SigningKey.generate("root"), SigningKey.generate("sig")
    identity_id = f"identity--{uuid.uuid4()}"
    identity = make_identity(
        name, root, signing, "lab", Tlp.CLEAR, now=EARLIER, identity_class="system", identity_id=identity_id
    )
    return Party(name, LabKeys(root, signing, identity_id, identity))


def pins_of(*parties: Party) -> Pins:
    return Pins({one.name: (one.keys.root.kid,) for one in parties})


def indicator(creator: str | None, **changes: Any) -> dict[str, Any]:
    """An unsigned indicator that stix2 leaves as it is."""
    members = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid.uuid4()}",
        "created_by_ref": creator,
        "created": "2026-11-22T00:00:00.000Z",
        "modified": "2026-11-22T00:00:00.000Z",
        "name": "Harness on a proxy",
        "indicator_types": ["anomalous-activity"],
        "pattern": "[ipv4-addr:value = '198.51.100.3']",
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": "2026-11-22T00:00:00Z",
        "object_marking_refs": [Tlp.GREEN.marking_id],
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def address(value: str = "198.51.100.3") -> dict[str, Any]:
    """An unsigned observable; the same id for the same value."""
    return {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": deterministic_id({"type": "ipv4-addr", "value": value}),
        "value": value,
    }


def withdrawal(node: Party, object_id: str, producer: Party, state: str) -> bytes:
    """A node's word that a producer's object is withdrawn."""
    at = "2026-11-22T01:00:00.000Z"
    note = {
        "type": "note",
        "spec_version": "2.1",
        "id": f"note--{uuid.uuid4()}",
        "created_by_ref": node.id,
        "created": "2026-11-22T01:00:00.000Z",
        "modified": "2026-11-22T01:00:00.000Z",
        "content": "withdrawn",
        "object_refs": [object_id],
        "extensions": {WITHDRAWAL_EXTENSION: Withdrawal(object_id, producer.id, state, at).to_extension()},
    }
    return node.sign(note)
