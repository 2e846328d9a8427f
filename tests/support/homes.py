"""Identities that call nodes their homes (docs/wire-format.md, "Keys")."""

from __future__ import annotations

from typing import Any

from exchange.stix.extensions import Home
from exchange.stix.fixed import KEYS_EXTENSION
from tests.integration.services.chains import newest_identity, next_identity
from tests.support.labs import LabHandle
from tests.support.peers import KnownPeer


def move_home(lab: LabHandle, *homes: tuple[KnownPeer, bool]) -> None:
    """Publish the lab's next identity, which calls these peers home, each exclusive or not."""
    outcome = lab.publish(identity_with_homes(lab, *homes))[0]
    if outcome.error is not None:
        raise AssertionError(f"the identity of {lab.lab.slug} was refused: {outcome.error}")


def home_at(lab: LabHandle, peer: KnownPeer) -> bytes:
    """The lab's next identity, which calls the peer's node its home."""
    return identity_with_homes(lab, (peer, False))


def identity_with_homes(lab: LabHandle, *homes: tuple[KnownPeer, bool]) -> bytes:
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
