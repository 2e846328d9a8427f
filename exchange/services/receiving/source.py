"""Where a page comes from: a peer, what it may send, and the collection that its objects live in here."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.models import Collection, Lab, Peer
from exchange.services.collections import CollectionView, home_view
from exchange.stix.markings import Tlp


@dataclass(frozen=True, slots=True)
class Source:
    """A peer as receiving asks about it.

    lab_id, name: its row among the signers. is_exchange: it has a node's identity and signs withdrawals; else it is a
    plain feed. channel_id is None where objects are judged again and their channel is gone.
    """

    peer_id: int
    lab_id: int
    name: str
    is_exchange: bool
    accepts_unsigned: bool
    default_label: Tlp
    highest_label: Tlp
    channel_id: int | None
    collection: CollectionView


def source_of(peer: Peer, collection: Collection, channel_id: int | None) -> Source:
    """The peer with one of this node's collections."""
    return Source(
        peer_id=peer.id,
        lab_id=peer.lab_id,
        name=peer.lab.slug,
        is_exchange=peer.lab.kind == Lab.Kind.NODE,
        accepts_unsigned=peer.accepts_unsigned,
        default_label=Tlp(peer.default_label),
        highest_label=Tlp(peer.highest_label),
        channel_id=channel_id,
        collection=home_view(collection),
    )
