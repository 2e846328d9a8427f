"""Peers for tests, exchanges and plain feeds: those that are pulled from (`PeerHandle`) and those that read here
(`PeerReader`); and labs of elsewhere, whose objects come through them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connections

from exchange.labtool.keygen import LabKeys, make_identity, make_lab
from exchange.models import Collection, Grant, Lab, Peer, PeerChannel
from exchange.services.access import authenticate_token
from exchange.services.collections import grant_access
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab
from exchange.services.peers.registry import HIGHEST
from exchange.services.principals import OPERATOR, Principal, PrincipalKind
from exchange.services.publishing import publish_objects
from exchange.services.receiving import PageReceipt, receive_page
from exchange.services.tokens import issue_token
from exchange.stix.canonical import canonicalize
from exchange.stix.extensions import Withdrawal
from exchange.stix.fixed import WITHDRAWAL_EXTENSION
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign
from exchange.stix.timestamps import format_stix, format_taxii
from tests.support.labs import LOOPBACK, LabHandle

HOMES = ("signatures", "playbooks", "attribution", "feedback", "identities")


@dataclass(frozen=True, slots=True)
class KnownPeer:
    """The row of a peer and, of an exchange, the node's keys; nobody uses those of a feed."""

    peer: Peer
    keys: LabKeys

    @property
    def lab(self) -> Lab:
        """Its row among the labs."""
        return self.peer.lab

    @property
    def identity(self) -> str:
        """The id of an exchange's identity, "" of a feed."""
        return self.keys.identity_id if self.lab.kind == Lab.Kind.NODE else ""

    @property
    def root(self) -> str:
        """The thumbprint by which identities name an exchange, "" of a feed."""
        return self.keys.root.kid if self.lab.kind == Lab.Kind.NODE else ""

    def set(self, **fields: Any) -> None:
        """Change the peer's row."""
        Peer.objects.filter(pk=self.peer.pk).update(**fields)


@dataclass(frozen=True, slots=True)
class PeerHandle(KnownPeer):
    """A peer that is pulled from."""

    channel: PeerChannel

    def send(self, *bodies: bytes, at: str = "", cursor: str = "", more: bool = False) -> PageReceipt:
        """One page arrives."""
        place = at or format_taxii(datetime.now(UTC))
        return receive_page(
            channel=self.channel, bodies=bodies, added_after=place, next=cursor, more=more, last_date=place
        )

    def note(self, stix_id: str, producer: str, state: str, **changes: Any) -> bytes:
        """The node's signed word that its readers lost sight of an object."""
        at = format_stix(datetime.now(UTC))
        members = {
            "type": "note",
            "spec_version": "2.1",
            "id": f"note--{uuid.uuid4()}",
            "created_by_ref": self.keys.identity_id,
            "created": at,
            "modified": at,
            "content": f"This object is no longer available to you: {state}.",
            "object_refs": [stix_id],
            "object_marking_refs": [Tlp.AMBER.marking_id],
            "extensions": {WITHDRAWAL_EXTENSION: Withdrawal(stix_id, producer, state, at).to_extension()},
        }
        return canonicalize(sign(members | changes, self.keys.signing, int(datetime.now(UTC).timestamp())))


@dataclass(frozen=True, slots=True)
class PeerReader(KnownPeer):
    """A peer that pulls from here."""

    token: str

    @property
    def principal(self) -> Principal:
        """Asked anew each time, as every request does."""
        return authenticate_token(self.token, source_address=LOOPBACK)


def make_reader(
    slug: str,
    kind: Lab.Kind = Lab.Kind.NODE,
    *,
    community: bool = False,
    highest: Tlp | None = None,
    reads: tuple[str, ...] = HOMES,
) -> PeerReader:
    """A peer with grants to read and a token; an exchange's identity is here already, as if it were published here.

    highest: as much as peers of its kind may have, if not said.
    """
    highest = HIGHEST[kind] if highest is None else highest
    known = _make_known(slug, kind, community=community, highest_label=int(highest))
    if kind == Lab.Kind.NODE:
        _publish_identity(known)
    for alias in reads:
        grant_access(actor=OPERATOR, collection=_home(alias), lab=known.lab, can_read=True, can_write=False)
    known.lab.refresh_from_db()
    return PeerReader(known.peer, known.keys, issue_token(actor=OPERATOR, lab=known.lab, scopes=["read"]).secret)


def make_peer(slug: str, kind: Lab.Kind, *, collection: str = "signatures", **fields: Any) -> PeerHandle:
    """A peer with one pull channel; an exchange's root is pinned, and its identity has yet to come."""
    known, moment = _make_known(slug, kind, **fields), datetime.now(UTC)
    channel = PeerChannel.objects.create(
        peer=known.peer,
        direction="pull",
        remote_collection="all",
        collection=_home(collection),
        created_at=moment,
        next_attempt_at=moment,
    )
    return PeerHandle(known.peer, known.keys, channel)


def make_exchange(slug: str = "harbour", **fields: Any) -> PeerHandle:
    """Another exchange whose node identity is here already; up to AMBER+STRICT is exchanged with it."""
    fields = {"highest_label": int(Tlp.AMBER_STRICT)} | fields
    peer = make_peer(slug, Lab.Kind.NODE, **fields)
    home = peer.channel.collection
    identities = _home("identities")
    PeerChannel.objects.filter(pk=peer.channel.pk).update(collection=identities)
    receipt = peer.send(peer.keys.identity_bytes)
    PeerChannel.objects.filter(pk=peer.channel.pk).update(collection=home)
    if receipt.stored != 1:
        raise AssertionError(f"the identity of {slug} was refused: {receipt}")
    return peer


def make_feed(slug: str = "gazette", **fields: Any) -> PeerHandle:
    """A plain feed that signs nothing."""
    return make_peer(slug, Lab.Kind.FEED, **({"accepts_unsigned": True} | fields))


def node_keys(name: str) -> LabKeys:
    root, signing = SigningKey.generate("root"), SigningKey.generate("sig")
    identity_id = f"identity--{uuid.uuid4()}"
    body = make_identity(
        name,
        root,
        signing,
        "lab",
        Tlp.CLEAR,
        now=datetime.now(UTC),
        identity_class="system",
        identity_id=identity_id,
    )
    return LabKeys(root, signing, identity_id, body)


def _make_known(slug: str, kind: Lab.Kind, **fields: Any) -> KnownPeer:
    """Rows of a peer; an exchange's root is pinned, and a feed has an id of the node's making."""
    moment = datetime.now(UTC)
    identity = f"identity--{uuid.uuid4()}" if kind == Lab.Kind.FEED else None
    lab = Lab.objects.create(
        slug=slug, name=slug.title(), kind=kind, identity_id=identity, status_since=moment, created_at=moment
    )
    keys = node_keys(slug)
    if kind == Lab.Kind.NODE:
        pin_key(actor=OPERATOR, lab=lab, thumbprint=keys.root.kid)
    peer = Peer.objects.create(lab=lab, url=f"https://{slug}.example/taxii2/", created_at=moment, **fields)
    return KnownPeer(peer, keys)


def _publish_identity(known: KnownPeer) -> None:
    grant = Grant.objects.create(collection=_home("identities"), lab=known.lab, can_read=False, can_write=True)
    publish = frozenset({"publish"})
    as_lab = Principal(PrincipalKind.TOKEN, lab_id=known.lab.id, lab_slug=known.lab.slug, scopes=publish)
    bodies = [known.keys.identity_bytes]
    outcome = publish_objects(principal=as_lab, bodies=bodies, collection=None, door="test")[0]
    if outcome.error is not None:
        raise AssertionError(f"the identity of {known.lab.slug} was refused: {outcome.error}")
    grant.delete()


def _home(alias: str) -> Collection:
    return Collection.objects.get(alias=alias, api_root__slug="exchange")


def stranger(slug: str = "dorado") -> LabHandle:
    """A lab of elsewhere that no operator here has heard of: keys and an identity, and a row that is not stored."""
    return LabHandle(Lab(slug=slug), make_lab(slug.title(), now=datetime.now(UTC)), "", "")


def pin_stranger(handle: LabHandle) -> LabHandle:
    """An operator admits the lab and pins its root."""
    lab = create_lab(actor=OPERATOR, slug=handle.lab.slug, name=handle.lab.slug.title())
    pin_key(actor=OPERATOR, lab=lab, thumbprint=handle.keys.root.kid)
    return LabHandle(lab, handle.keys, "", "")


def unsigned(members: Mapping[str, Any]) -> bytes:
    return canonicalize(dict(members))


def signed_all(handle: LabHandle, objects: Sequence[Mapping[str, Any]]) -> list[bytes]:
    return [handle.signed(dict(each)) for each in objects]


def origins(stix_id: str) -> list[tuple[int | None, str]]:
    """Origin and key of each version of an object, oldest first."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT v.origin_peer_id, v.kid FROM version v JOIN object o ON o.id = v.object_id"
            " WHERE o.stix_id = %s ORDER BY v.id",
            [stix_id],
        )
        return list(cursor.fetchall())
