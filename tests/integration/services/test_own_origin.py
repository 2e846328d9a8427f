"""Nothing returns to the peer that it came from, in whatever form it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from exchange.models import Delivery, Lab
from exchange.services.collections import find_collection, visible_everywhere
from exchange.services.errors import InvalidRequestError, NotFoundError
from exchange.services.query import (
    Filters,
    PageRequest,
    Search,
    VersionsRequest,
    bodies,
    compare_versions,
    cursor_at,
    has_object,
    read_bodies,
    read_manifest,
    read_on,
    read_versions,
    search_page,
)
from exchange.services.query.kept_pages import PageShelf
from exchange.stix.markings import Tlp
from tests.integration.services.views import Members, as_owner, finds, ids_of, marked, page_of, store
from tests.support.labs import Community
from tests.support.peers import PeerReader, make_reader


@dataclass(frozen=True, slots=True)
class World:
    """ours: from here. theirs: from the peer `north`. later: an object of ours whose second version is north's."""

    community: Community
    north: PeerReader
    south: PeerReader
    ours: Members
    theirs: Members
    later: Members


@pytest.fixture
def world(community: Community) -> World:
    north, south = make_reader("north", community=True), make_reader("south", Lab.Kind.FEED, community=True)
    aurora = community.aurora
    ours, theirs, later = (marked(aurora, Tlp.GREEN, name=f"Beacon {name}") for name in ("ours", "theirs", "later"))
    store(aurora, ours, theirs, later)
    store(aurora, aurora.next_version(later, name="Beacon again"))
    _comes_from(north, theirs["id"], 1)
    _comes_from(north, later["id"], 2)
    return World(community, north, south, ours, theirs, later)


def _comes_from(peer: PeerReader, stix_id: str, version: int) -> None:
    """As if the peer had sent this version of the object."""
    as_owner(
        "UPDATE version SET origin_peer_id = %s WHERE id = (SELECT v.id FROM version v"
        " JOIN object o ON o.id = v.object_id WHERE o.stix_id = %s ORDER BY v.id OFFSET %s LIMIT 1)",
        peer.peer.id,
        stix_id,
        version - 1,
    )


def ask(world: World, peer: PeerReader, **asked: Any) -> PageRequest:
    return PageRequest(**{"limit": 100, "types": ("indicator",), **asked})


def seen(world: World, peer: PeerReader, **asked: Any) -> list[tuple[str, str]]:
    """(id, version) in the manifest, after every other form of the page agreed with it."""
    principal, request = peer.principal, ask(world, peer, **asked)
    view = find_collection(principal, "signatures")
    manifest = read_manifest(principal=principal, collection=view, request=request, door="test")
    found = [(record.id, record.version) for record in manifest.records]
    page = page_of(principal, "signatures", types=("indicator",), **asked)
    assert ids_of(page) == [stix_id for stix_id, _ in found]
    assert [entry.version for entry in page.entries] == [version for _, version in found]
    joined = read_bodies(principal=principal, collection=view, request=request, door="test")
    assert joined.joined == b",".join(entry.body for entry in page.entries)
    assert (joined.count, joined.next) == (len(found), "")
    return found


def test_what_came_from_a_peer_is_on_no_page_of_it_and_on_all_pages_of_others(world: World) -> None:
    newest = world.community.aurora.next_version(world.later)
    first, second = (world.later["id"], world.later["modified"]), (newest["id"], newest["modified"])
    ours, theirs = ((each["id"], each["modified"]) for each in (world.ours, world.theirs))
    assert seen(world, world.north) == [ours]
    assert seen(world, world.south) == [ours, theirs, second]
    assert seen(world, world.north, all_versions=True) == [ours, first]
    assert seen(world, world.south, all_versions=True) == [ours, theirs, first, second]
    assert seen(world, world.north, ids=(world.theirs["id"],)) == []
    assert seen(world, world.north, versions=("first",)) == [ours, first]


def test_pages_fill_and_end_as_if_it_were_not_there(world: World) -> None:
    aurora, north = world.community.aurora, world.north
    after = [marked(aurora, Tlp.GREEN) for _ in range(2)]
    store(aurora, *after)
    principal = north.principal
    first = page_of(principal, "signatures", types=("indicator",), limit=2)
    assert ids_of(first) == [world.ours["id"], after[0]["id"]]
    second = page_of(principal, "signatures", types=("indicator",), limit=2, cursor=first.next)
    assert (ids_of(second), second.more, second.next) == ([after[1]["id"]], False, "")
    for members in after:
        _comes_from(north, members["id"], 1)
    last = page_of(principal, "signatures", types=("indicator",), limit=1)
    assert (ids_of(last), last.more, last.next) == ([world.ours["id"]], False, "")


def test_it_is_not_found_by_id_by_version_by_difference_nor_by_words(world: World) -> None:
    north, theirs = world.north.principal, world.theirs["id"]
    views = visible_everywhere(north)
    assert not finds(north, theirs)
    assert finds(world.south.principal, theirs)
    assert not has_object(principal=north, collection=find_collection(north, "signatures"), stix_id=theirs)
    with pytest.raises(NotFoundError):
        read_versions(principal=north, request=VersionsRequest(theirs), door="test", collections=views)
    with pytest.raises(NotFoundError):
        compare_versions(
            principal=north, stix_id=world.later["id"], old="", new="", producer="", door="test", collections=views
        )
    shown = read_versions(principal=north, request=VersionsRequest(world.later["id"]), door="test", collections=views)
    assert [entry.version for entry in shown.entries] == [world.later["modified"]]
    for newest_first in (False, True):
        search = Search(PageRequest(limit=10), Filters(text="beacon"), newest_first=newest_first)
        found = [
            set(
                ids_of(
                    search_page(principal=reader, collection=find_collection(reader, "all"), search=search, door="t")
                )
            )
            for reader in (north, world.south.principal)
        ]
        assert found == [{world.ours["id"]}, {world.ours["id"], theirs, world.later["id"]}]


def test_a_stream_passes_it_by(world: World) -> None:
    aurora, north = world.community.aurora, world.north
    view = find_collection(north.principal, "all")
    request = PageRequest(limit=10, types=("indicator",))
    begun = ask(world, north, limit=10, cursor=cursor_at(north.principal, view, request, 0))
    batch = read_on(principal=north.principal, collection=view, request=begun, until=None, door="test")
    assert [entry.version for entry in batch.entries] == [world.ours["modified"]]
    more = marked(aurora, Tlp.GREEN)
    store(aurora, more)
    _comes_from(north, more["id"], 1)
    on = ask(world, north, limit=10, cursor=cursor_at(north.principal, view, request, batch.place))
    assert read_on(principal=north.principal, collection=view, request=on, until=None, door="test").entries == []


def test_kept_pages_are_not_shared_with_a_peer_whose_own_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "SHELF", PageShelf())
    east = make_reader("east", community=True)
    for _ in range(3):
        for peer, expected in ((world.south, 2), (world.north, 1), (east, 2)):
            principal = peer.principal
            page = read_bodies(
                principal=principal,
                collection=find_collection(principal, "signatures"),
                request=ask(world, peer, limit=2),
                door="test",
            )
            assert page.count == expected, peer.lab.slug
            assert (world.theirs["id"].encode() in page.joined) == (peer is not world.north)


def test_a_cursor_ends_when_what_may_cross_changes(world: World) -> None:
    store(world.community.aurora, *(marked(world.community.aurora, Tlp.CLEAR) for _ in range(2)))
    before = page_of(world.north.principal, "signatures", limit=1)
    assert page_of(world.north.principal, "signatures", limit=1, cursor=before.next).entries
    world.north.set(community=False)
    with pytest.raises(InvalidRequestError, match="start again"):
        page_of(world.north.principal, "signatures", limit=1, cursor=before.next)


def test_the_delivery_log_says_what_was_left_out(world: World) -> None:
    page_of(world.north.principal, "signatures")
    page_of(world.community.borealis.principal, "signatures")
    peers, members = Delivery.objects.order_by("id").values_list("lab_id", "filter")
    assert peers[0] == world.north.lab.id
    assert peers[1]["without_origin"] == world.north.peer.id
    assert "without_origin" not in members[1]
