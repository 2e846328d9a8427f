"""The order of a peer's sequence decides, also where a note of withdrawal waited for its key meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from exchange.models import QuarantinedObject
from exchange.services.errors import NotFoundError
from exchange.services.principals import OPERATOR
from exchange.services.quarantine import release_quarantined
from tests.integration.services.chains import new_signing_key, next_identity
from tests.integration.services.views import finds
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle, make_exchange, stranger


@dataclass(frozen=True, slots=True)
class Renewed:
    """A peer that signs with a key that nobody here has heard of yet, and the identity that will say so."""

    peer: PeerHandle
    identity: bytes


@pytest.fixture
def renewed(community: Community, peer: PeerHandle) -> Renewed:
    key, public = new_signing_key()
    node = LabHandle(peer.peer.lab, peer.keys, "", "")
    node.lab.refresh_from_db()
    identity = next_identity(node, add=[public], signers=[peer.keys.root, key])
    return Renewed(replace(peer, keys=replace(peer.keys, signing=key)), identity)


def waiting() -> list[str]:
    return list(QuarantinedObject.objects.filter(state="waiting").order_by("pk").values_list("reason", flat=True))


@pytest.mark.parametrize("is_next_version", [False, True])
def test_note_that_waited_is_not_followed_if_the_object_came_again(
    community: Community, renewed: Renewed, dorado: LabHandle, is_next_version: bool
) -> None:
    peer, members = renewed.peer, dorado.indicator()
    again = dorado.next_version(members) if is_next_version else members
    peer.send(dorado.signed(members))
    note = peer.note(members["id"], dorado.identity, "narrowed")
    assert peer.send(note).reasons == {"signature-key-unknown": 1}
    number = QuarantinedObject.objects.get().pk
    peer.send(dorado.signed(again))
    assert waiting() == []
    with pytest.raises(NotFoundError):
        release_quarantined(actor=OPERATOR, number=number)
    assert peer.send(renewed.identity).stored == 1
    assert finds(community.aurora.principal, members["id"])
    # What the peer says now is followed.
    assert peer.send(peer.note(members["id"], dorado.identity, "narrowed")).withdrawals == 1
    assert not finds(community.aurora.principal, members["id"])


def test_note_that_waited_is_followed_if_nothing_came_after_it(
    community: Community, renewed: Renewed, dorado: LabHandle
) -> None:
    peer, members, other = renewed.peer, dorado.indicator(), dorado.indicator()
    page = [dorado.signed(members), peer.note(members["id"], dorado.identity, "narrowed"), dorado.signed(other)]
    # A page that comes again, as pages without cursors do, ends as it did before.
    for _ in range(2):
        assert peer.send(*page).reasons == {"signature-key-unknown": 1}
        assert waiting() == ["signature-key-unknown"]
    assert peer.send(renewed.identity).stored == 1
    assert not finds(community.aurora.principal, members["id"])
    assert finds(community.aurora.principal, other["id"])


def test_note_before_its_object_on_one_page_is_over(community: Community, renewed: Renewed, dorado: LabHandle) -> None:
    peer, body = renewed.peer, dorado.signed(members := dorado.indicator())
    note = peer.note(members["id"], dorado.identity, "narrowed")
    assert peer.send(note).quarantined == 1
    receipt = peer.send(note, body)
    assert (receipt.stored, receipt.refused, receipt.quarantined) == (1, 1, 0)
    assert waiting() == []
    peer.send(renewed.identity)
    assert finds(community.aurora.principal, members["id"])


def test_another_peer_and_another_producer_overtake_nothing(
    community: Community, renewed: Renewed, dorado: LabHandle
) -> None:
    peer, address = renewed.peer, dorado.address("203.0.113.5")
    peer.send(dorado.signed(address))
    assert peer.send(peer.note(address["id"], dorado.identity, "narrowed")).quarantined == 1
    relay = make_exchange("inlet")
    relay.send(dorado.signed(address))
    peer.send(community.aurora.signed(community.aurora.address("203.0.113.5")))
    assert waiting() == ["signature-key-unknown"]


def test_what_cannot_be_taken_and_was_taken_back_on_its_page_does_not_wait(renewed: Renewed, peer: PeerHandle) -> None:
    unknown = stranger("estrella")
    members = unknown.indicator()
    receipt = peer.send(unknown.signed(members), peer.note(members["id"], unknown.identity, "narrowed"))
    assert (receipt.refused, receipt.withdrawals, waiting()) == (1, 1, [])


def test_notes_that_take_back_what_waits_leave_no_rows(peer: PeerHandle) -> None:
    """Else a peer could fill the table with what it takes back at once."""
    unknown = stranger("estrella")
    members = unknown.indicator()
    assert peer.send(unknown.signed(members)).quarantined == 1
    assert peer.send(peer.note(members["id"], unknown.identity, "deleted")).withdrawals == 1
    assert not QuarantinedObject.objects.exists()
    assert peer.send(unknown.signed(members)).quarantined == 1
