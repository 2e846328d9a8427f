"""Three exchanges in a ring: what one lab says goes round once, and then everything is quiet."""

from __future__ import annotations

import pytest

from exchange.models import QuarantinedObject, Version
from exchange.services.database import writing
from exchange.services.deletion import delete_object
from tests.support.database import TestServices
from tests.support.homes import identity_at
from tests.support.labs import Community
from tests.support.other_node import set_up
from tests.support.ring import RingNode, close_ring
from tests.support.server import WebServer


@pytest.fixture
def ring(
    exchange_server: tuple[str, Community],
    services: TestServices,
    other_servers: tuple[TestServices, WebServer],
    third_servers: tuple[TestServices, WebServer],
) -> list[RingNode]:
    """home, harbour and inlet; harbour pulls from home, inlet from harbour, and home from inlet."""
    url, community = exchange_server
    assert community.node.root_key is not None
    nodes = [RingNode("home", url, community.node.root_key.kid, community.labs, services, services)]
    for slug, lab, (there, server) in (("harbour", "dorado", other_servers), ("inlet", "estrella", third_servers)):
        node, handle = set_up(there, server, services, name=slug, lab=lab)
        assert node.root_key is not None
        nodes.append(RingNode(slug, server.url, node.root_key.kid, (handle,), there, services))
    close_ring(nodes)
    return nodes


def go_round(ring: list[RingNode]) -> list[int]:
    """Each pulls once, in the order in which objects travel; how many each took."""
    return [node.sync()[1] for node in (*ring[1:], ring[0])]


def test_what_a_lab_says_goes_round_once_and_then_all_is_quiet(ring: list[RingNode], community: Community) -> None:
    aurora, home = community.aurora, ring[0]
    assert aurora.publish(identity_at(aurora, (home.root, False)))[0].error is None
    kept, revised, revoked, deleted = (aurora.indicator() for _ in range(4))
    first = [aurora.signed(each) for each in (kept, revised, revoked, deleted)]
    assert {each.error for each in aurora.publish(*first)} == {None}
    # The identity and four indicators; home takes nothing back.
    assert go_round(ring) == [5, 5, 0]
    for node in ring:
        assert node.indicators() == sorted(first)

    later = aurora.signed(aurora.next_version(revised, name="Another name"))
    ended = aurora.signed(aurora.next_version(revoked, revoked=True))
    assert {each.error for each in aurora.publish(later, ended)} == {None}
    delete_object(principal=aurora.principal, stix_id=deleted["id"])
    assert go_round(ring) == [2, 2, 0]
    for node in ring:
        assert node.indicators() == sorted([first[0], later, ended])
        assert node.state_of(revoked["id"]) == "revoked"
    # The lab calls home alone its home: what inlet hears of the deletion from harbour takes the object out of sight.
    assert [node.state_of(deleted["id"]) for node in ring] == ["deleted", "deleted", "current"]

    go_round(ring)  # what the notes of the round before have brought about
    before = [node.sequence() for node in ring]
    assert [node.sync() for node in (*ring, *ring)] == [(0, 0)] * 6
    assert [node.sequence() for node in ring] == before
    for node in ring[1:]:
        node.check()
        with node.at_work(), writing():
            assert not QuarantinedObject.objects.exists()
    with writing():
        assert not Version.objects.filter(object__producer__slug="aurora", origin_peer_id__isnull=False).exists()
