"""What a peer took back, published here by its producer: it is this node's from then on."""

from __future__ import annotations

from typing import Any

from exchange.services.collections import find_collection
from exchange.services.publishing import Outcome, OutcomeStatus, publish_objects
from exchange.stix.markings import Tlp
from tests.integration.services.views import finds, marked, refusal, stored_rows
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle, origins


def taken_back(peer: PeerHandle, lab: LabHandle, *objects: dict[str, Any]) -> None:
    peer.send(*(lab.signed(each) for each in objects))
    for each in reversed(objects):
        if each["type"] != "marking-definition":
            assert peer.send(peer.note(each["id"], lab.identity, "narrowed")).withdrawals == 1


def test_producer_that_publishes_it_here_shows_it_again(community: Community, peer: PeerHandle) -> None:
    aurora, borealis = community.aurora, community.borealis
    members, marking = aurora.indicator(), aurora.distribution(borealis.identity)
    secret = marked(aurora, Tlp.AMBER, marking)
    taken_back(peer, aurora, marking, members, secret)
    assert not any(finds(borealis.principal, each["id"]) for each in (members, secret))
    before = stored_rows()
    bodies = [aurora.signed(each) for each in (members, secret)]
    aurora.publish(*bodies, dry_run=True)
    assert stored_rows() == before
    assert [each.status for each in aurora.publish(*bodies)] == [OutcomeStatus.STORED] * 2
    assert finds(borealis.principal, members["id"])
    assert finds(borealis.principal, secret["id"])
    assert not finds(community.cobalt.principal, secret["id"])
    assert origins(members["id"]) == [(None, aurora.keys.signing.kid)]
    assert [each.status for each in aurora.publish(*bodies)] == [OutcomeStatus.EXISTS] * 2
    # From now on it is no peer's to take back.
    assert peer.send(peer.note(members["id"], aurora.identity, "narrowed")).reasons == {"withdrawal-origin": 1}
    assert finds(borealis.principal, members["id"])


def test_marking_that_it_waits_for_comes_with_it(community: Community, peer: PeerHandle) -> None:
    aurora, borealis = community.aurora, community.borealis
    marking = aurora.distribution(borealis.identity)
    secret = marked(aurora, Tlp.AMBER, marking)
    taken_back(peer, aurora, secret)
    body = aurora.signed(secret)
    assert aurora.publish(body)[0].status is OutcomeStatus.HELD
    assert not finds(borealis.principal, secret["id"])
    assert aurora.publish(aurora.signed(marking))[0].status is OutcomeStatus.STORED
    assert finds(borealis.principal, secret["id"])


def test_it_stays_in_the_collection_where_it_lives(community: Community, peer: PeerHandle) -> None:
    aurora, members = community.aurora, community.aurora.indicator()
    taken_back(peer, aurora, members)
    elsewhere = find_collection(aurora.principal, "attribution")
    outcome: Outcome = publish_objects(
        principal=aurora.principal, bodies=[aurora.signed(members)], collection=elsewhere, door="test"
    )[0]
    assert refusal(outcome)[0] == "other-collection"
    assert not finds(community.borealis.principal, members["id"])
