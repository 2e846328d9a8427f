"""Named labs for tests, with keys, tokens and objects to publish."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from exchange.labtool.keygen import LabKeys, make_lab
from exchange.models import Lab
from exchange.services.access import authenticate_token
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab
from exchange.services.node import NewNode, init_node
from exchange.services.principals import OPERATOR, Principal
from exchange.services.publishing import Outcome, publish_objects
from exchange.services.tokens import issue_token
from exchange.stix.canonical import canonicalize
from exchange.stix.extensions import Distribution
from exchange.stix.fixed import DISTRIBUTION_EXTENSION
from exchange.stix.identifiers import deterministic_id
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign
from exchange.stix.timestamps import format_stix

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LabHandle:
    """A lab as a test uses it: its row, its keys, and the secrets of two tokens."""

    lab: Lab
    keys: LabKeys
    token: str
    client_token: str

    @property
    def identity(self) -> str:
        return self.keys.identity_id

    @property
    def principal(self) -> Principal:
        """Asked anew each time, as every request does."""
        return authenticate_token(self.token, source_address=LOOPBACK)

    @property
    def client(self) -> Principal:
        return authenticate_token(self.client_token, source_address=LOOPBACK)

    def signed(self, members: dict[str, Any], *, iat: int | None = None) -> bytes:
        """The object with this lab's signature, as bytes."""
        return canonicalize(sign(members, self.keys.signing, iat or int(datetime.now(UTC).timestamp())))

    def publish(self, *bodies: bytes, dry_run: bool = False) -> list[Outcome]:
        return publish_objects(principal=self.principal, bodies=bodies, collection=None, door="test", dry_run=dry_run)

    def indicator(self, label: Tlp | None = Tlp.GREEN, **changes: Any) -> dict[str, Any]:
        """An unsigned indicator of this lab; `changes` set or (None) remove members."""
        marking = [label.marking_id] if label is not None else None
        at = format_stix(datetime.now(UTC))
        members = {
            "type": "indicator",
            "spec_version": "2.1",
            "id": f"indicator--{uuid.uuid4()}",
            "created_by_ref": self.identity,
            "created": at,
            "modified": changes.get("created", at),
            "name": "Template family spread over many accounts",
            "description": "One template family, many accounts, one day.",
            "indicator_types": ["anomalous-activity"],
            "pattern": "[ipv4-addr:value = '198.51.100.3']",
            "pattern_type": "stix",
            "pattern_version": "2.1",
            "valid_from": "2026-11-01T00:00:00Z",
            "confidence": 70,
            "object_marking_refs": marking,
        }
        return {name: value for name, value in (members | changes).items() if value is not None}

    def next_version(self, members: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The same object one millisecond later."""
        later = datetime.fromisoformat(members["modified"]) + timedelta(milliseconds=1)
        changed = {**members, "modified": format_stix(later), **changes}
        return {name: value for name, value in changed.items() if value is not None}

    def distribution(self, *recipients: str) -> dict[str, Any]:
        """An unsigned distribution marking that names these identities."""
        return {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": f"marking-definition--{uuid.uuid4()}",
            "created": format_stix(datetime.now(UTC)),
            "created_by_ref": self.identity,
            "name": "Named recipients",
            "extensions": {DISTRIBUTION_EXTENSION: Distribution(tuple(recipients)).to_extension()},
        }

    def address(self, value: str, label: Tlp = Tlp.GREEN) -> dict[str, Any]:
        """An unsigned ipv4-addr observable."""
        members = {"type": "ipv4-addr", "spec_version": "2.1", "value": value}
        return {**members, "id": deterministic_id(members), "object_marking_refs": [label.marking_id]}


@dataclass(frozen=True, slots=True)
class Community:
    """A node with three labs: aurora, borealis and cobalt."""

    node: NewNode
    aurora: LabHandle
    borealis: LabHandle
    cobalt: LabHandle

    @property
    def labs(self) -> tuple[LabHandle, LabHandle, LabHandle]:
        return (self.aurora, self.borealis, self.cobalt)


def make_community() -> Community:
    """Set a node up and admit the three labs, each with its identity published."""
    node = init_node(name="node", title="Test node")
    return Community(node, *(admit_lab(slug) for slug in ("aurora", "borealis", "cobalt")))


def admit_lab(slug: str) -> LabHandle:
    """Admit a lab with a lab-held key: pin, tokens, identity."""
    lab = create_lab(actor=OPERATOR, slug=slug, name=slug.title(), contact=f"https://{slug}.example/contact")
    keys = make_lab(slug.title(), now=datetime.now(UTC))
    pin_key(actor=OPERATOR, lab=lab, thumbprint=keys.root.kid)
    token = issue_token(actor=OPERATOR, lab=lab, scopes=["read", "publish", "feedback"]).secret
    client = issue_token(actor=OPERATOR, lab=lab, scopes=["read"], client=True).secret
    handle = LabHandle(lab, keys, token, client)
    outcome = handle.publish(keys.identity_bytes)[0]
    if outcome.error is not None:
        raise AssertionError(f"the identity of {slug} was refused: {outcome.error}")
    lab.refresh_from_db()
    return handle
