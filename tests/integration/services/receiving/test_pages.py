"""Pages of a peer: what labs signed is stored as theirs, once, and the channel moves with it or not at all."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from exchange.models import Collection, PeerChannel, QuarantinedObject
from exchange.services.errors import InvalidRequestError, NotFoundError
from exchange.services.receiving import arriving, receive_page
from exchange.services.receiving import receive as receiving
from exchange.services.receiving.page import Page, Step, Turn
from exchange.services.storing import Batch
from exchange.stix.fixed import fixed_object
from exchange.stix.markings import Tlp
from tests.integration.services.chains import new_signing_key, next_identity
from tests.integration.services.views import as_owner, finds, marked, page_of, store, stored_rows, visible
from tests.support.labs import Community
from tests.support.peers import make_exchange, make_feed, origins, pin_stranger, stranger


def test_object_of_a_lab_of_elsewhere_is_stored_as_its_own_with_the_bytes_as_they_came(community: Community) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    members = dorado.indicator(Tlp.GREEN)
    body = dorado.signed(members)
    receipt = peer.send(dorado.keys.identity_bytes, body)
    assert (receipt.received, receipt.stored, receipt.quarantined) == (2, 2, 0)
    entry = next(each for each in page_of(community.aurora.principal).entries if each.body == body)
    assert (entry.producer, entry.custody, entry.collection) == ("dorado", "lab", "signatures")
    assert origins(members["id"]) == [(peer.peer.id, dorado.keys.signing.kid)]


def test_identity_counts_for_what_stands_before_it_on_the_page(community: Community) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    receipt = peer.send(dorado.signed(dorado.indicator()), dorado.keys.identity_bytes)
    assert receipt.stored == 2


def test_page_that_comes_again_stores_nothing_twice(community: Community) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    page = [dorado.keys.identity_bytes, dorado.signed(dorado.indicator()), dorado.signed(dorado.address("203.0.113.9"))]
    assert peer.send(*page).stored == 3
    before = stored_rows()
    again = peer.send(*page)
    assert (again.known, again.stored, again.quarantined) == (3, 0, 0)
    assert stored_rows() == before


def test_failure_in_the_middle_leaves_neither_objects_nor_place(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    peer.send(dorado.keys.identity_bytes)
    before, place = stored_rows(), PeerChannel.objects.get().added_after

    def crash(*_: object) -> None:
        raise RuntimeError("the power is gone")

    page = [dorado.signed(dorado.indicator()), b'{"type":"broken"']
    for owner, step in ((arriving, "quarantine_items"), (receiving._PulledPage, "settle"), (Batch, "place")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, step, crash)
            with pytest.raises(RuntimeError):
                peer.send(*page)
        assert stored_rows() == before
        assert PeerChannel.objects.get().added_after == place
        assert not QuarantinedObject.objects.exists()
    receipt = peer.send(*page, at="2026-11-25T00:00:00.000001Z", cursor="abc", more=True)
    assert (receipt.stored, receipt.quarantined) == (1, 1)
    channel = PeerChannel.objects.get()
    assert (channel.added_after, channel.next, channel.moved) == ("2026-11-25T00:00:00.000001Z", "abc", 3)
    assert channel.behind_since is not None
    peer.send(more=False)
    assert PeerChannel.objects.get().behind_since is None


def test_killed_connection_repeats_the_page(community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a worker that is killed before the commit: the server rolls back what the connection wrote."""
    peer, dorado = make_exchange(), pin_stranger(stranger())
    before = stored_rows()

    def die(*_: object) -> None:
        pid = connection.connection.info.backend_pid
        as_owner("SELECT pg_terminate_backend(%s)", pid)
        connection.cursor().execute("SELECT 1")

    page = [dorado.keys.identity_bytes, dorado.signed(dorado.indicator())]
    with monkeypatch.context() as patch:
        patch.setattr(receiving._PulledPage, "settle", die)
        with pytest.raises(Exception, match=r"terminat|closed|connection"):
            peer.send(*page)
    connection.close()
    assert stored_rows() == before
    assert peer.send(*page).stored == 2


def test_killed_after_the_identity_it_is_known_and_the_place_stays(
    community: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    place = PeerChannel.objects.get().added_after
    page = [dorado.signed(dorado.indicator()), dorado.keys.identity_bytes]

    def die(_page: Page, turn: Turn, *_: object) -> None:
        if turn.step is Step.REST:
            raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(receiving._PulledPage, "settle", lambda arrival, turn, _judged: die(arrival.page, turn))
        with pytest.raises(RuntimeError):
            peer.send(*page)
    assert PeerChannel.objects.get().added_after == place
    receipt = peer.send(*page)
    assert (receipt.stored, receipt.known) == (1, 1)


def test_object_published_here_comes_back_and_nothing_changes(community: Community) -> None:
    aurora = community.aurora
    members = aurora.indicator(Tlp.AMBER)
    body = aurora.signed(members)
    aurora.publish(body)
    peer = make_exchange()
    before = stored_rows()
    assert peer.send(body, aurora.keys.identity_bytes).known == 2
    assert stored_rows() == before
    assert origins(members["id"]) == [(None, aurora.keys.signing.kid)]


def test_next_version_goes_where_its_object_lives(community: Community) -> None:
    aurora = community.aurora
    first = aurora.indicator()
    store(aurora, first)
    peer = make_exchange(collection="attribution")
    later = aurora.signed(aurora.next_version(first, name="Later"))
    assert peer.send(later).stored == 1
    entry = next(each for each in page_of(aurora.principal).entries if each.body == later)
    assert entry.collection == "signatures"


def test_observable_of_each_lab_is_its_own(community: Community) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    store(community.aurora, community.aurora.address("203.0.113.7"))
    assert peer.send(dorado.keys.identity_bytes, dorado.signed(dorado.address("203.0.113.7"))).stored == 2
    found = [each.producer for each in page_of(community.borealis.principal).entries if each.type == "ipv4-addr"]
    assert sorted(found) == ["aurora", "dorado"]


def test_fixed_objects_are_known_to_everybody(community: Community) -> None:
    assert make_exchange().send(fixed_object(Tlp.GREEN.marking_id)).known == 1


def test_recipients_here_read_what_is_for_them_and_others_do_not(community: Community) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    marking = dorado.distribution(community.borealis.identity)
    secret = marked(dorado, Tlp.AMBER, marking)
    receipt = peer.send(dorado.keys.identity_bytes, dorado.signed(secret), dorado.signed(marking))
    assert receipt.stored == 3
    assert finds(community.borealis.principal, secret["id"])
    assert not finds(community.aurora.principal, secret["id"])


def test_unknown_distribution_is_waited_for(community: Community) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    marking = dorado.distribution(community.borealis.identity)
    secret = marked(dorado, Tlp.AMBER, marking)
    assert peer.send(dorado.keys.identity_bytes, dorado.signed(secret)).held == 1
    assert not finds(community.borealis.principal, secret["id"])
    assert peer.send(dorado.signed(marking)).stored == 1
    assert finds(community.borealis.principal, secret["id"])


def test_awaited_marking_that_names_nobody_opens_nothing(community: Community) -> None:
    """Without recipients AMBER means the labs of the node where it was published, and that is another."""
    Collection.objects.update(scope="open")  # the agreement knows no statements
    peer, dorado = make_exchange(), pin_stranger(stranger())
    statement = dorado.distribution() | {"definition_type": "statement", "definition": {"statement": "Ours"}}
    del statement["extensions"]
    secret = marked(dorado, Tlp.AMBER, statement)
    assert peer.send(dorado.keys.identity_bytes, dorado.signed(secret)).held == 1
    assert peer.send(dorado.signed(statement)).stored == 1
    assert not any(finds(lab.principal, secret["id"]) for lab in community.labs)


def test_revoked_version_revokes_and_readers_are_not_told_twice(community: Community) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    members = dorado.indicator()
    peer.send(dorado.keys.identity_bytes, dorado.signed(members))
    peer.send(dorado.signed(dorado.next_version(members, revoked=True)))
    assert as_owner("SELECT state FROM object WHERE stix_id = %s", members["id"]) == [("revoked",)]


def test_new_key_comes_with_the_identity_on_the_same_page(community: Community) -> None:
    peer, dorado = make_exchange(), pin_stranger(stranger())
    peer.send(dorado.keys.identity_bytes)
    dorado.lab.refresh_from_db()
    key, public = new_signing_key()
    later = next_identity(dorado, add=[public], signers=[dorado.keys.root, key])
    assert peer.send(later).stored == 1
    assert json.loads(later)["id"] in visible(community.aurora.principal)


def test_channel_that_pushes_or_is_gone_receives_nothing(community: Community) -> None:
    peer = make_feed()
    PeerChannel.objects.update(direction="push")
    with pytest.raises(InvalidRequestError):
        peer.send()
    channel = PeerChannel.objects.get()
    PeerChannel.objects.all().delete()
    with pytest.raises(NotFoundError):
        receive_page(channel=channel, bodies=[], added_after="", next="", more=False, last_date="")
