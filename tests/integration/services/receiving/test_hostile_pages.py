"""Pages that are made to do harm: to stop a channel, to hold up others, or to slip in between judging and storing."""

from __future__ import annotations

import json

import psycopg
import pytest
from django.db import OperationalError

from exchange.models import Peer, PeerChannel, QuarantinedObject
from exchange.services.errors import AccessDeniedError
from exchange.services.peers import set_state
from exchange.services.principals import OPERATOR
from exchange.services.publishing.item import Item
from exchange.services.publishing.reading import parse_item
from exchange.services.receiving import page as pages
from exchange.services.receiving import storing
from exchange.services.receiving.arriving import Arrival
from exchange.services.receiving.page import Turn
from exchange.services.receiving.receipt import Judged
from exchange.stix.canonical import canonicalize
from exchange.stix.fixed import SIGNATURE_EXTENSION
from tests.integration.services.chains import new_signing_key, next_identity
from tests.integration.services.views import as_owner, finds, visible
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle


def test_extension_of_a_type_that_is_no_text_stops_no_page(peer: PeerHandle, dorado: LabHandle) -> None:
    members = json.loads(dorado.signed(dorado.indicator()))
    members["extensions"][SIGNATURE_EXTENSION]["extension_type"] = [[]]
    receipt = peer.send(canonicalize(members), dorado.signed(dorado.indicator()))
    assert (receipt.stored, receipt.quarantined) == (1, 1)


def test_fault_of_ours_in_reading_one_object_stops_no_page(
    peer: PeerHandle, dorado: LabHandle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:

    def parse(item: Item) -> None:
        if b"Odd one" in item.body:
            raise TypeError("Odd one")
        parse_item(item)

    monkeypatch.setattr(pages, "parse_item", parse)
    receipt = peer.send(dorado.signed(dorado.indicator(name="Odd one")), dorado.signed(dorado.indicator()))
    assert (receipt.stored, receipt.reasons) == (1, {"unreadable": 1})
    assert "fault=TypeError" in caplog.text
    assert "Odd one" not in caplog.text


def test_flood_of_versions_of_one_identity_is_bounded(
    peer: PeerHandle, dorado: LabHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_VERSIONS_OF_AN_IDENTITY", 2)
    flood = [next_identity(dorado, name=f"Dorado {number}") for number in range(4)]
    receipt = peer.send(*flood, dorado.signed(dorado.indicator()))
    assert receipt.reasons["too-many-versions"] == 2
    assert receipt.stored >= 2


def test_many_notes_are_followed_a_few_at_a_time(
    community: Community, peer: PeerHandle, dorado: LabHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "NOTES_AT_ONCE", 2)
    gone, stays = [dorado.indicator() for _ in range(5)], dorado.indicator()
    peer.send(*(dorado.signed(each) for each in (*gone, stays)))
    notes = [peer.note(each["id"], dorado.identity, "narrowed") for each in gone]
    assert peer.send(*notes).withdrawals == 5
    assert visible(community.aurora.principal) >= {stays["id"]}
    assert not visible(community.aurora.principal) & {each["id"] for each in gone}


def test_while_a_page_is_stored_nobody_stops_its_peer_or_changes_its_labs(
    peer: PeerHandle, dorado: LabHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = storing.lock_all, []

    def lock(*arguments: object) -> object:
        for table, number in (("peer", peer.peer.pk), ("lab", dorado.lab.pk)):
            try:
                as_owner(f"SELECT FROM {table} WHERE id = %s FOR NO KEY UPDATE NOWAIT", number)
            except OperationalError as error:
                refused.append(isinstance(error.__cause__, psycopg.errors.LockNotAvailable))
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(storing, "lock_all", lock)
    assert peer.send(dorado.signed(dorado.indicator())).stored == 1
    assert refused == [True, True]


def test_peer_that_is_stopped_in_the_middle_of_a_page_brings_nothing_more(
    community: Community, peer: PeerHandle, dorado: LabHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, public = new_signing_key()
    identity = next_identity(dorado, add=[public], signers=[dorado.keys.root, key])
    members, place = dorado.indicator(), PeerChannel.objects.get().added_after
    real = Arrival._take

    def take(arrival: Arrival, turn: Turn) -> list[Judged]:
        judged = real(arrival, turn)
        set_state(actor=OPERATOR, slug="harbour", state=Peer.State.PAUSED)
        return judged

    monkeypatch.setattr(Arrival, "_take", take)
    with pytest.raises(AccessDeniedError):
        peer.send(identity, dorado.signed(members), b"{}")
    assert not finds(community.aurora.principal, members["id"])
    assert not QuarantinedObject.objects.exists()
    assert PeerChannel.objects.get().added_after == place
