"""Judging again by itself: every peer has its turn, and what fails for ever takes nobody's."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from exchange.models import Peer, QuarantinedObject
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError
from exchange.services.keys import pin_key
from exchange.services.peers import set_state
from exchange.services.principals import OPERATOR
from exchange.services.quarantine import release_quarantined
from exchange.services.receiving import offer_waiting, offering, waiting
from exchange.stix.canonical import canonicalize
from tests.integration.services.views import as_owner, finds
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle, make_exchange, pin_stranger, stranger


def junk(handle: LabHandle, count: int) -> list[bytes]:
    """Identities that claim to be signed by this lab's root, and are not: pinned or not, their chain is none."""
    made = []
    for number in range(count):
        members = json.loads(handle.keys.identity_bytes)
        members["name"] = f"Forged {number}"
        made.append(canonicalize(members))
    return made


def ready() -> list[int]:
    with writing():
        return waiting.find_ready(now())


def claim_unknown_keys(peer: PeerHandle) -> None:
    """What waits of the peer says that it waits for a key that is known, as a peer could have it say."""
    as_owner("UPDATE quarantine SET reason = 'lab-unknown' WHERE peer_id = %s", peer.peer.pk)


def test_each_peer_has_its_turn_and_what_failed_waits_longer(
    community: Community, peer: PeerHandle, dorado: LabHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MAX_OF_A_PEER", 3)
    monkeypatch.setattr(waiting, "MAX_AT_ONCE", 4)
    other, estrella = make_exchange("inlet"), stranger("estrella")
    peer.send(*junk(dorado, 6))
    claim_unknown_keys(peer)
    members = estrella.indicator()
    other.send(estrella.signed(members), estrella.keys.identity_bytes)
    rows = {row.pk: row.peer_id for row in QuarantinedObject.objects.all()}
    pin = pin_stranger(estrella)
    pin_key(actor=OPERATOR, lab=pin.lab, thumbprint=estrella.keys.root.kid)
    assert [rows[number] for number in ready()] == [peer.peer.pk, other.peer.pk, peer.peer.pk, peer.peer.pk]
    assert offer_waiting() == 2, "the flood of one peer keeps nothing of the other's"
    assert finds(community.aurora.principal, members["id"])


def test_what_fails_again_is_judged_last_and_less_often(peer: PeerHandle, dorado: LabHandle) -> None:
    peer.send(*junk(dorado, 3))
    claim_unknown_keys(peer)
    numbers = ready()
    assert len(numbers) == 3
    as_owner(
        "UPDATE quarantine SET judged_at = %s, judgings = 3 WHERE id = %s", now() - timedelta(minutes=7), numbers[0]
    )
    as_owner(
        "UPDATE quarantine SET judged_at = %s, judgings = 3 WHERE id = %s", now() - timedelta(minutes=9), numbers[1]
    )
    assert ready() == [numbers[2], numbers[1]]
    assert offer_waiting() == 0
    judged = QuarantinedObject.objects.get(pk=numbers[2])
    assert (judged.judgings, judged.state) == (1, "waiting")
    assert judged.judged_at is not None
    assert ready() == []


def test_what_cannot_be_judged_of_one_peer_stops_no_other(
    community: Community, peer: PeerHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    estrella, other = stranger("estrella"), make_exchange("inlet")
    members = estrella.indicator()
    for each in (peer, other):
        each.send(estrella.signed(members), estrella.keys.identity_bytes)
    pin_stranger(estrella)

    def check(asked: Peer) -> None:
        if asked.pk == peer.peer.pk:
            raise AccessDeniedError("the peer was stopped", code="peer-stopped")

    monkeypatch.setattr(offering, "check_peer", check)
    assert offer_waiting() == 2
    assert finds(community.aurora.principal, members["id"])


def test_nothing_of_a_stopped_peer_is_let_in(peer: PeerHandle) -> None:
    estrella = stranger("estrella")
    peer.send(estrella.keys.identity_bytes)
    number = QuarantinedObject.objects.get().pk
    set_state(actor=OPERATOR, slug="harbour", state=Peer.State.PAUSED)
    pin_stranger(estrella)
    assert offer_waiting() == 0
    with pytest.raises(AccessDeniedError):
        release_quarantined(actor=OPERATOR, number=number)
    set_state(actor=OPERATOR, slug="harbour", state=Peer.State.ACTIVE)
    assert release_quarantined(actor=OPERATOR, number=number).is_taken
