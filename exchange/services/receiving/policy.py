"""What a peer may send here: whose objects, and how strictly marked (docs/federation.md, "What is taken")."""

from __future__ import annotations

from exchange.models import Lab, Peer
from exchange.services.errors import AccessDeniedError, PolicyError
from exchange.services.publishing.item import Item
from exchange.services.publishing.marking import MARKINGS
from exchange.services.receiving.producers import Producer
from exchange.services.receiving.source import Source
from exchange.stix.markings import Tlp

HIGHEST_UNSIGNED = Tlp.AMBER_STRICT
"""A feed marks what it makes itself as it likes; nothing of other labs comes to it with that."""


def check_peer(peer: Peer) -> None:
    """Refuse everything of a peer that was stopped, what it sent before as well.

    Raises:
        AccessDeniedError.
    """
    if peer.state != Peer.State.ACTIVE or not peer.lab.is_active:
        raise AccessDeniedError("the peer was stopped", code="peer-stopped")


def check_producer(producer: Producer) -> None:
    """Refuse signatures of those who publish nothing through peers.

    Raises:
        AccessDeniedError: this node, another node, or a lab that is suspended here.
    """
    check_lab(producer.lab)
    if producer.lab.kind != Lab.Kind.LAB:
        raise AccessDeniedError("a node signs its identity and withdrawals, and nothing else", code="signed-by-node")


def check_lab(lab: Lab) -> None:
    """Refuse what comes in the name of this node, or of who is suspended here.

    Raises:
        AccessDeniedError.
    """
    if lab.is_self:
        raise AccessDeniedError("this node did not say so, or it would be here", code="own-node")
    if not lab.is_active:
        raise AccessDeniedError("the lab is suspended here", code="lab-suspended")


def check_label(source: Source, item: Item) -> None:
    """Refuse what may not have come from this peer. Markings themselves carry no label.

    Raises:
        PolicyError: RED; stricter than the peer may exchange; or for the labs of the node where it was published, which
            this is not.
    """
    if item.object.type == "marking-definition":
        return
    if item.label is Tlp.RED:
        raise PolicyError("what is TLP:RED leaves no node", code="label-red", pointer=MARKINGS)
    if item.vouched is not None:
        if item.label > HIGHEST_UNSIGNED:
            raise PolicyError("the label is stricter than feeds send", code="label-above-peer", pointer=MARKINGS)
        return
    if item.label > source.highest_label:
        raise PolicyError(
            f"with this peer objects up to {source.highest_label.label} are exchanged; this is {item.label.label}",
            code="label-above-peer",
            pointer=MARKINGS,
        )
    if item.label >= Tlp.AMBER and not item.distribution:
        raise PolicyError(
            f"{item.label.label} without recipients is for the labs of the node where it was published",
            code="label-without-recipients",
            pointer=MARKINGS,
        )
