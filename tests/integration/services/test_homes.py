"""The homes of labs are those of their newest identity, whatever came in which order, and nobody else says so."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import DatabaseError, connection, connections, transaction

from exchange.models import Collection, LabHome
from exchange.services.changes import read_access_mark
from exchange.services.checking import check_exchange
from exchange.services.clock import now
from exchange.services.collections import grant_access
from exchange.services.database import reading, writing
from exchange.services.errors import NotFoundError
from exchange.services.homes import homes_of, refill_homes
from exchange.services.labs import resume_lab, suspend_lab
from exchange.services.late_crossings import placing_for_peers
from exchange.services.peer_principals import find_exchanges, find_peer_reader, peer_principal
from exchange.services.principals import OPERATOR
from exchange.services.publishing import OutcomeStatus
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, finds, marked, members_of, page_of, seconds_now, store
from tests.support.homes import identity_with_homes, move_home
from tests.support.labs import Community
from tests.support.peers import PeerReader, make_reader


@pytest.fixture
def peer(community: Community) -> PeerReader:
    return make_reader("north")


def test_homes_follow_the_newest_identity_and_not_the_one_that_came_last(
    community: Community, peer: PeerReader
) -> None:
    borealis = community.borealis
    other = make_reader("south")
    move_home(borealis, (peer, False), (other, True))
    assert homes_of(borealis.lab) == {peer.root: False, other.root: True}
    older = identity_with_homes(borealis, (peer, True))
    move_home(borealis, (other, False))
    move_home(borealis)
    move_home(borealis, (other, False))
    outcome = borealis.publish(older)[0]
    assert outcome.status in {OutcomeStatus.STORED, OutcomeStatus.FAILED}
    assert homes_of(borealis.lab) == {other.root: False}
    assert homes_of(community.aurora.lab) == {}


def test_what_is_read_changes_with_the_home_at_the_next_request(community: Community, peer: PeerReader) -> None:
    aurora, borealis, _ = community.labs
    marking = aurora.distribution(borealis.identity)
    loose, strict = marked(aurora, Tlp.AMBER, marking), marked(aurora, Tlp.AMBER_STRICT, marking)
    store(aurora, marking, loose, strict)
    for homes, expected in (
        ((), (False, False)),
        (((peer, False),), (True, False)),
        (((peer, True),), (True, True)),
        ((), (False, False)),
    ):
        move_home(borealis, *homes)
        assert (finds(peer.principal, loose["id"]), finds(peer.principal, strict["id"])) == expected


def test_a_suspended_lab_lives_nowhere_and_a_resumed_one_where_it_did(community: Community, peer: PeerReader) -> None:
    borealis = community.borealis
    move_home(borealis, (peer, True))
    for act, expected in ((suspend_lab, frozenset[str]()), (resume_lab, frozenset({borealis.identity}))):
        act(actor=OPERATOR, slug="borealis")
        traits = peer.principal.peer
        assert traits is not None
        assert (traits.residents, traits.exclusive) == (expected, expected)


def test_a_lab_that_names_one_node_by_two_keys_means_what_it_says_less_of(
    community: Community, peer: PeerReader
) -> None:
    borealis = community.borealis
    second = "A" * 43
    as_owner("INSERT INTO pin (lab_id, thumbprint, pinned_at) VALUES (%s, %s, now())", peer.lab.id, second)
    with writing():
        LabHome.objects.create(lab=borealis.lab, node_thumbprint=peer.root, exclusive=True)
        LabHome.objects.create(lab=borealis.lab, node_thumbprint=second, exclusive=False)
    traits = peer.principal.peer
    assert traits is not None
    assert traits.roots == {peer.root, second}
    assert (traits.residents, traits.exclusive) == (frozenset({borealis.identity}), frozenset())
    with writing():
        LabHome.objects.all().delete()


def test_a_root_key_that_somebody_else_may_hold_names_no_home(community: Community, peer: PeerReader) -> None:
    move_home(community.borealis, (peer, True))
    as_owner("UPDATE signing_key SET compromised_since = %s WHERE kid = %s", seconds_now(), peer.root)
    traits = peer.principal.peer
    assert traits is not None
    assert (traits.roots, traits.residents) == (frozenset(), frozenset())
    as_owner("UPDATE signing_key SET compromised_since = NULL WHERE kid = %s", peer.root)


def test_readers_see_the_homes_and_only_writers_change_them(community: Community, peer: PeerReader) -> None:
    move_home(community.borealis, (peer, True))
    with reading([]):
        assert LabHome.objects.count() == 1
        assert LabHome.objects.update(exclusive=False) == 0
        assert LabHome.objects.all().delete()[0] == 0
    with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
        LabHome.objects.create(lab=community.aurora.lab, node_thumbprint=peer.root, exclusive=True)


@pytest.mark.parametrize("table", ["lab_home", "peer", "pin", "signing_key"])
def test_whatever_decides_what_crosses_is_forgotten_when_it_changes(
    community: Community, peer: PeerReader, table: str
) -> None:
    before = read_access_mark()
    with writing(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET id = id")
    assert read_access_mark() != before


def test_the_check_finds_homes_that_no_identity_names(community: Community, peer: PeerReader) -> None:
    move_home(community.borealis, (peer, False))
    assert check_exchange().faults == []
    for damage, undo in (
        ("UPDATE lab_home SET exclusive = true", "UPDATE lab_home SET exclusive = false"),
        (
            "UPDATE lab_home SET lab_id = (SELECT id FROM lab WHERE slug = 'aurora')",
            "UPDATE lab_home SET lab_id = (SELECT id FROM lab WHERE slug = 'borealis')",
        ),
        (
            "WITH nobody AS (INSERT INTO lab (slug, name, contact, kind, status, status_since, is_self, created_at)"
            " VALUES ('nobody', '', '', 'lab', 'active', now(), false, now()) RETURNING id)"
            " INSERT INTO lab_home (lab_id, node_thumbprint, exclusive) SELECT id, 'x', true FROM nobody",
            "DELETE FROM lab_home WHERE node_thumbprint = 'x'",
        ),
    ):
        as_owner(damage)
        assert {fault.kind for fault in check_exchange().faults} == {"home-differs"}, damage
        as_owner(undo)
    assert check_exchange().faults == []


def test_homes_of_identities_that_were_stored_before_are_taken_from_them(
    community: Community, peer: PeerReader
) -> None:
    move_home(community.borealis, (peer, False))
    move_home(community.borealis, (peer, True))
    move_home(community.cobalt, (peer, False))
    stored = as_owner("SELECT lab_id, node_thumbprint, exclusive FROM lab_home ORDER BY lab_id")
    as_owner("DELETE FROM lab_home")
    connections["owner"].ensure_connection()
    assert refill_homes(connections["owner"]) == 2
    assert as_owner("SELECT lab_id, node_thumbprint, exclusive FROM lab_home ORDER BY lab_id") == stored


def test_a_peer_can_be_asked_for_without_its_token(community: Community, peer: PeerReader) -> None:
    assert peer_principal(peer.lab.id).peer == peer.principal.peer
    peer.set(state="paused")
    with pytest.raises(NotFoundError):
        peer_principal(peer.lab.id)
    with pytest.raises(NotFoundError):
        peer_principal(community.aurora.lab.id)
    assert [found.is_active for found in find_exchanges()] == [False]
    known = find_peer_reader(peer.lab.id)
    assert known is not None
    assert known.traits.is_exchange


def follow(peer: PeerReader, after: datetime | None) -> tuple[list[str], datetime]:
    """Ids of what came since, as a peer asks that knows nothing but the date of the last object that it got."""
    entries = page_of(peer.principal, "signatures", added_after=after).entries
    return [members_of(entry)["id"] for entry in entries], entries[-1].date_added if entries else after or now()


def test_what_crosses_late_has_a_new_place_so_that_a_follower_meets_it(community: Community, peer: PeerReader) -> None:
    aurora, borealis, cobalt = community.labs
    marking, other = aurora.distribution(borealis.identity), aurora.distribution(cobalt.identity)
    named, foreign = marked(aurora, Tlp.AMBER, marking), marked(aurora, Tlp.AMBER, other)
    green, clear = marked(aurora, Tlp.GREEN), marked(aurora, Tlp.CLEAR)
    store(aurora, marking, other, named, foreign, green, clear)
    seen, date = follow(peer, None)
    assert clear["id"] in seen
    move_home(borealis, (peer, False))
    seen, date = follow(peer, date)
    assert seen == [named["id"]]
    with writing(), placing_for_peers():
        peer.set(community=True)
    seen, date = follow(peer, date)
    assert seen == [green["id"]]
    suspend_lab(actor=OPERATOR, slug="borealis")
    missed = marked(aurora, Tlp.AMBER, marking)
    store(aurora, missed)
    assert follow(peer, date)[0] == []
    resume_lab(actor=OPERATOR, slug="borealis")
    assert follow(peer, date)[0] == [named["id"], missed["id"]]


def test_a_grant_moves_what_crosses_to_the_peer_and_nothing_else(community: Community) -> None:
    aurora = community.aurora
    peer = make_reader("west", reads=("identities",))
    clear, amber = marked(aurora, Tlp.CLEAR), marked(aurora, Tlp.AMBER)
    store(aurora, clear, amber)
    last = as_owner("SELECT last_seq FROM sequencer")[0][0]
    signatures = Collection.objects.get(alias="signatures")
    grant_access(actor=OPERATOR, collection=signatures, lab=peer.lab, can_read=True, can_write=False)
    moved = as_owner("SELECT o.stix_id FROM entry e JOIN object o ON o.id = e.object_id WHERE e.seq > %s", last)
    assert [row[0] for row in moved] == [clear["id"]]
