"""Peers that pull from the node of a test: exchanges with an identity of their own, and plain feeds."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from exchange.labtool.keygen import make_identity
from exchange.models import Collection, Grant, Lab, Peer
from exchange.services.access import authenticate_token
from exchange.services.collections import grant_access
from exchange.services.keys import pin_key
from exchange.services.peers.registry import HIGHEST
from exchange.services.principals import OPERATOR, Principal, PrincipalKind
from exchange.services.publishing import publish_objects
from exchange.services.tokens import issue_token
from exchange.stix.extensions import Home
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from tests.integration.services.chains import newest_identity, next_identity
from tests.support.labs import LOOPBACK, LabHandle

HOMES = ("signatures", "playbooks", "attribution", "feedback", "identities")


@dataclass(frozen=True, slots=True)
class PeerHandle:
    """A peer as a test uses it. `root` is the thumbprint by which identities name it, "" of a feed."""

    lab: Lab
    peer: Peer
    token: str
    identity: str = ""
    root: str = ""

    @property
    def principal(self) -> Principal:
        """Asked anew each time, as every request does."""
        return authenticate_token(self.token, source_address=LOOPBACK)

    def set(self, **fields: Any) -> None:
        """Change the peer's row."""
        Peer.objects.filter(pk=self.peer.pk).update(**fields)


def make_peer(
    slug: str,
    kind: Lab.Kind = Lab.Kind.NODE,
    *,
    community: bool = False,
    highest: Tlp | None = None,
    reads: tuple[str, ...] = HOMES,
) -> PeerHandle:
    """A peer with its row among the labs, grants to read and a token; an exchange has published its identity here.

    highest: as much as peers of its kind may have, if not said.
    """
    at, highest = datetime.now(UTC), HIGHEST[kind] if highest is None else highest
    lab = Lab.objects.create(slug=slug, name=slug, kind=kind, status_since=at, created_at=at)
    url = f"https://{slug}.example/api/"
    peer = Peer.objects.create(lab=lab, url=url, community=community, highest_label=int(highest), created_at=at)
    identity, root = _publish_identity(lab) if kind == Lab.Kind.NODE else ("", "")
    for alias in reads:
        collection = Collection.objects.get(alias=alias, api_root__slug="exchange")
        grant_access(actor=OPERATOR, collection=collection, lab=lab, can_read=True, can_write=False)
    lab.refresh_from_db()
    return PeerHandle(lab, peer, issue_token(actor=OPERATOR, lab=lab, scopes=["read"]).secret, identity, root)


def _publish_identity(lab: Lab) -> tuple[str, str]:
    """Pin a root key and store the identity that it signed, as taking it from the peer does."""
    root, signing = SigningKey.generate("root"), SigningKey.generate("sig")
    identity = f"identity--{uuid.uuid4()}"
    body = make_identity(
        lab.name,
        root,
        signing,
        "lab",
        Tlp.CLEAR,
        now=datetime.now(UTC),
        identity_class="system",
        identity_id=identity,
    )
    pin_key(actor=OPERATOR, lab=lab, thumbprint=root.kid)
    grant = Grant.objects.create(
        collection=Collection.objects.get(alias="identities"), lab=lab, can_read=False, can_write=True
    )
    as_lab = Principal(PrincipalKind.TOKEN, lab_id=lab.id, lab_slug=lab.slug, scopes=frozenset({"publish"}))
    outcome = publish_objects(principal=as_lab, bodies=[body], collection=None, door="test")[0]
    assert outcome.error is None, outcome
    grant.delete()
    return identity, root.kid


def move_home(lab: LabHandle, *homes: tuple[PeerHandle, bool]) -> None:
    """Publish the lab's next identity, which calls these peers home, each exclusive or not."""
    outcome = lab.publish(identity_with_homes(lab, *homes))[0]
    assert outcome.error is None, outcome


def identity_with_homes(lab: LabHandle, *homes: tuple[PeerHandle, bool]) -> bytes:
    """The lab's next identity, signed by its root key."""
    return identity_at(lab, *((peer.root, exclusive) for peer, exclusive in homes))


def identity_at(lab: LabHandle, *homes: tuple[str, bool]) -> bytes:
    """The same with root thumbprints of nodes."""
    extension: dict[str, Any] = dict(newest_identity(lab)["extensions"][KEYS_EXTENSION])
    extension.pop("home", None)
    if homes:
        named = [Home(node, exclusive) for node, exclusive in homes]
        extension["home"] = [{"node": home.node, "exclusive": home.exclusive} for home in named]
    return next_identity(lab, extensions={KEYS_EXTENSION: extension})
