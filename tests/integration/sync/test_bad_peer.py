"""The misbehaving peer itself: what its dials do, seen through the transport, for the tests that rely on them."""

from __future__ import annotations

from exchange.sync.peers import RemoteRoot
from tests.support.bad_peer import ALIAS, BadPeer

DATE = "2026-02-03T04:05:06.000007Z"


def test_thousands_of_objects_may_share_a_date(root: RemoteRoot, peer: BadPeer) -> None:
    bodies = peer.add(3_000, date=DATE)
    page = root.page(ALIAS, limit=1_000)
    assert (page.first, page.last, page.bodies) == (DATE, DATE, tuple(bodies[:1_000]))
    assert root.page(ALIAS, added_after=DATE, limit=1_000).bodies == ()


def test_added_after_may_include_its_moment(root: RemoteRoot, peer: BadPeer) -> None:
    bodies = peer.add(3)
    peer.dials.inclusive = True
    assert root.page(ALIAS, added_after=peer.objects[1][0], limit=5).bodies == tuple(bodies[1:])
    peer.dials.inclusive = False
    assert root.page(ALIAS, added_after=peer.objects[1][0], limit=5).bodies == tuple(bodies[2:])


def test_a_page_may_come_again_and_again(root: RemoteRoot, peer: BadPeer) -> None:
    peer.add(5)
    peer.dials.repeats = True
    first = root.page(ALIAS, limit=2)
    assert root.page(ALIAS, next=first.next, limit=2) == first


def test_more_may_be_said_for_ever(root: RemoteRoot, peer: BadPeer) -> None:
    peer.dials.forever = True
    page = root.page(ALIAS, next="7", limit=2)
    assert (page.bodies, page.more, page.next) == ((), True, "7")
