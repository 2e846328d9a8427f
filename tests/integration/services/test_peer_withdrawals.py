"""Rule 3 across nodes: exactly those exchanges are told that could read and cannot any more; plain feeds are named."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.models import AuditEvent, Lab
from exchange.services.clock import now
from exchange.services.deletion import delete_object
from exchange.services.delivery import find_recipients
from exchange.services.errors import NotAuthenticatedError
from exchange.services.publishing import OutcomeStatus
from exchange.stix.markings import Tlp
from tests.integration.services.chains import next_identity
from tests.integration.services.views import (
    Members,
    as_owner,
    finds,
    marked,
    page_of,
    seconds_now,
    store,
    visible,
    withdrawals,
)
from tests.support.homes import move_home
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerReader, make_reader


def narrowed(lab: LabHandle, members: Members, label: Tlp, marking: Members | None = None) -> Members:
    refs = marked(lab, label, marking)["object_marking_refs"]
    return lab.next_version(members, object_marking_refs=refs)


@pytest.fixture
def peers(community: Community) -> dict[str, PeerReader]:
    """inside: of the community. home: borealis lives there alone. outside: neither. ungranted: no grant. low: GREEN."""
    made = {
        "inside": make_reader("inside", community=True),
        "home": make_reader("home"),
        "outside": make_reader("outside"),
        "ungranted": make_reader("ungranted", community=True, reads=("identities",)),
        "low": make_reader("low", community=True, highest=Tlp.GREEN),
        "feed": make_reader("feed", Lab.Kind.FEED, community=True),
    }
    move_home(community.borealis, (made["home"], True), (made["low"], True))
    return made


def told(peers: dict[str, PeerReader], members: Members) -> dict[str, list[str]]:
    found = {name: withdrawals(peer.principal, members["id"]) for name, peer in peers.items()}
    return {name: states for name, states in found.items() if states}


def test_narrowing_tells_exactly_the_exchanges_that_lost_sight(
    community: Community, peers: dict[str, PeerReader]
) -> None:
    aurora, borealis, cobalt = community.labs
    named = aurora.distribution(borealis.identity)
    others = aurora.distribution(cobalt.identity)
    store(aurora, named, others)
    steps: tuple[tuple[Tlp, Members | None, Tlp, Members | None, set[str]], ...] = (
        (Tlp.CLEAR, None, Tlp.GREEN, None, {"home", "outside"}),
        (Tlp.CLEAR, None, Tlp.AMBER, named, {"inside", "outside", "low"}),
        (Tlp.CLEAR, None, Tlp.RED, None, {"inside", "home", "outside", "low"}),
        (Tlp.GREEN, None, Tlp.AMBER, None, {"inside", "low"}),
        (Tlp.AMBER, named, Tlp.AMBER_STRICT, named, set()),
        (Tlp.AMBER, named, Tlp.AMBER, others, {"home"}),
        (Tlp.AMBER_STRICT, named, Tlp.RED, named, {"home"}),
        (Tlp.AMBER, None, Tlp.RED, None, set()),
        (Tlp.AMBER, None, Tlp.GREEN, None, set()),
        # GREEN is for every member of a community, and this peer's members are of another.
        (Tlp.AMBER, named, Tlp.GREEN, None, {"home"}),
    )
    for label, marking, next_label, next_marking, losers in steps:
        first = marked(aurora, label, marking)
        store(aurora, first)
        store(aurora, narrowed(aurora, first, next_label, next_marking))
        assert told(peers, first) == {name: ["narrowed"] for name in losers}, (label, next_label)


def test_members_are_told_as_before_whatever_peers_there_are(
    community: Community, peers: dict[str, PeerReader]
) -> None:
    aurora, borealis, cobalt = community.labs
    first = marked(aurora, Tlp.CLEAR)
    store(aurora, first)
    store(aurora, narrowed(aurora, first, Tlp.GREEN))
    assert told(peers, first).keys() == {"home", "outside"}
    for reader in (aurora.principal, borealis.principal, cobalt.principal, cobalt.client):
        assert withdrawals(reader, first["id"]) == []


def test_a_revocation_a_deletion_and_a_suspension_reach_the_peers_that_lose_sight(
    community: Community, peers: dict[str, PeerReader]
) -> None:
    aurora = community.aurora
    revoked, deleted, suspended = marked(aurora, Tlp.GREEN), marked(aurora, Tlp.GREEN), marked(aurora, Tlp.GREEN)
    store(aurora, revoked, deleted)
    store(aurora, aurora.next_version(revoked, revoked=True, object_marking_refs=[Tlp.RED.marking_id]))
    delete_object(principal=aurora.principal, stix_id=deleted["id"])
    since = seconds_now()
    store(aurora, suspended)
    change: dict[str, dict[str, Any]] = {aurora.keys.signing.kid: {"compromised_since": since}}
    outcome = aurora.publish(next_identity(aurora, change=change))[0]
    assert outcome.status is OutcomeStatus.STORED, outcome
    for members, state in ((revoked, "revoked"), (deleted, "deleted"), (suspended, "suspended")):
        assert told(peers, members) == {"inside": [state], "low": [state]}
        assert not finds(peers["inside"].principal, members["id"])


def test_a_paused_peer_is_told_when_it_is_back(community: Community, peers: dict[str, PeerReader]) -> None:
    aurora = community.aurora
    first = marked(aurora, Tlp.GREEN)
    store(aurora, first)
    peers["inside"].set(state="paused")
    store(aurora, narrowed(aurora, first, Tlp.RED))
    with pytest.raises(NotAuthenticatedError, match="the token is not valid"):
        _ = peers["inside"].principal
    peers["inside"].set(state="active")
    assert withdrawals(peers["inside"].principal, first["id"]) == ["narrowed"]


def test_the_peer_that_the_newest_version_came_from_is_not_told(
    community: Community, peers: dict[str, PeerReader]
) -> None:
    aurora, inside = community.aurora, peers["inside"]
    first, second = marked(aurora, Tlp.GREEN), marked(aurora, Tlp.GREEN)
    store(aurora, first, second)
    as_owner("UPDATE version SET origin_peer_id = %s", inside.peer.id)
    delete_object(principal=aurora.principal, stix_id=first["id"])
    assert told(peers, first).keys() == {"low"}
    store(aurora, narrowed(aurora, second, Tlp.RED))
    assert told(peers, second).keys() == {"inside", "low"}, "that it was narrowed here is new to it"


def test_a_node_that_a_marking_names_is_no_recipient(community: Community, peers: dict[str, PeerReader]) -> None:
    aurora, outside = community.aurora, peers["outside"]
    marking = aurora.distribution(outside.identity)
    members = marked(aurora, Tlp.AMBER, marking)
    store(aurora, marking, members)
    assert not {members["id"], marking["id"]} & visible(outside.principal)


def test_a_deletion_names_the_plain_feeds_that_pulled_it(community: Community, peers: dict[str, PeerReader]) -> None:
    aurora, feed = community.aurora, peers["feed"]
    make_reader("idle", Lab.Kind.FEED, community=True)
    pulled, unseen, strict = (marked(aurora, label) for label in (Tlp.GREEN, Tlp.GREEN, Tlp.AMBER))
    store(aurora, pulled, strict)
    page_of(feed.principal)
    page_of(peers["inside"].principal)
    store(aurora, unseen)
    assert delete_object(principal=aurora.principal, stix_id=pulled["id"]) == ["feed"]
    assert delete_object(principal=aurora.principal, stix_id=unseen["id"]) == []
    assert delete_object(principal=aurora.principal, stix_id=strict["id"]) == []
    events = AuditEvent.objects.filter(action="deletion-not-followed")
    assert [(event.subject, event.detail["kept_by"]) for event in events] == [(pulled["id"], ["feed"])]
    assert withdrawals(feed.principal, pulled["id"]) == []


def test_single_versions_that_a_feed_has_not_are_deleted_without_a_word(
    community: Community, peers: dict[str, PeerReader]
) -> None:
    aurora = community.aurora
    first = marked(aurora, Tlp.GREEN)
    second = aurora.next_version(first)
    store(aurora, first)
    page_of(peers["feed"].principal)
    store(aurora, second)
    assert delete_object(principal=aurora.principal, stix_id=first["id"], versions=("last",)) == []
    assert delete_object(principal=aurora.principal, stix_id=first["id"], versions=("last",)) == ["feed"]


def test_a_producer_learns_that_a_peer_received_its_object_and_not_of_what_was_left_out(
    community: Community, peers: dict[str, PeerReader]
) -> None:
    aurora, borealis, _ = community.labs
    home = peers["home"]
    marking = aurora.distribution(borealis.identity)
    sent, own = marked(aurora, Tlp.AMBER, marking), marked(aurora, Tlp.AMBER, marking)
    store(aurora, marking, sent, own)
    as_owner(
        "UPDATE version v SET origin_peer_id = %s FROM object o WHERE o.id = v.object_id AND o.stix_id = %s",
        home.peer.id,
        own["id"],
    )
    assert {sent["id"], own["id"]} & visible(home.principal) == {sent["id"]}
    received = find_recipients(principal=aurora.principal, stix_id=sent["id"])
    assert [(each.lab, each.version, each.day) for each in received] == [("home", sent["modified"], now().date())]
    assert find_recipients(principal=aurora.principal, stix_id=own["id"]) == []
