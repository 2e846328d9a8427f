"""The table of docs/sharing.md, "Peers": every label, every kind of peer, through objects that were published."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from django.db import connection

from exchange.models import Lab
from exchange.services.collections import create_collection, visible_collections, visible_everywhere
from exchange.services.database import reading
from exchange.services.principals import OPERATOR
from exchange.services.publishing import OutcomeStatus, publish_objects
from exchange.services.sharing import readable_audiences
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, finds, marked, visible
from tests.support.homes import move_home
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerReader, make_reader

KINDS = ("exchange", "feed")
LIVES = ("nobody", "borealis", "borealis-alone", "aurora")
PEERS = [
    (kind, community, lives)
    for kind, community, lives in itertools.product(KINDS, (False, True), LIVES)
    if kind == "exchange" or lives == "nobody"
]
"""aurora publishes; borealis is the recipient, and calls some peers its home, some of them exclusively; aurora's own
home is none of a recipient."""

OBJECTS = (
    (Tlp.CLEAR, False),
    (Tlp.GREEN, False),
    (Tlp.AMBER, False),
    (Tlp.AMBER, True),
    (Tlp.AMBER_STRICT, False),
    (Tlp.AMBER_STRICT, True),
    (Tlp.RED, False),
    (Tlp.RED, True),
)


def crosses(label: Tlp, named: bool, peer: tuple[str, bool, str]) -> bool:
    """The table in words of its own."""
    kind, community, lives = peer
    if label is Tlp.CLEAR:
        return True
    if label is Tlp.GREEN:
        return community
    if kind == "feed" or not named:
        return False
    return {
        Tlp.AMBER: lives in ("borealis", "borealis-alone"),
        Tlp.AMBER_STRICT: lives == "borealis-alone",
        Tlp.RED: False,
    }[label]


def slug_of(peer: tuple[str, bool, str]) -> str:
    kind, community, lives = peer
    return f"{kind}-{'inside' if community else 'outside'}-{lives}"


@dataclass(frozen=True, slots=True)
class Stage:
    peers: Mapping[tuple[str, bool, str], PeerReader]
    objects: Mapping[tuple[Tlp, bool], str]
    marking: str
    low: PeerReader
    ungranted: PeerReader


@pytest.fixture(scope="module")
def stage(settled_community: Community) -> Stage:
    """Everything published, every peer ready to read."""
    aurora, borealis, _ = settled_community.labs
    create_collection(actor=OPERATOR, alias="open", title="Open", public=True, writers=[aurora.lab])
    peers = {
        peer: make_reader(slug_of(peer), Lab.Kind.NODE if peer[0] == "exchange" else Lab.Kind.FEED, community=peer[1])
        for peer in PEERS
    }
    low = make_reader("low", community=True, highest=Tlp.GREEN)
    ungranted = make_reader("ungranted", community=True, reads=())
    alone = [(peers[peer], True) for peer in PEERS if peer[2] == "borealis-alone"]
    shared = [(peers[peer], False) for peer in PEERS if peer[2] == "borealis"]
    move_home(borealis, *alone, *shared, (low, True), (ungranted, True))
    move_home(aurora, *((peers[peer], True) for peer in PEERS if peer[2] == "aurora"))
    marking = aurora.distribution(borealis.identity)
    objects = {key: marked(aurora, key[0], marking if key[1] else None) for key in OBJECTS}
    _publish(aurora, "signatures", marking, *objects.values())
    in_public = {label: marked(aurora, label) for label in (Tlp.CLEAR, Tlp.GREEN)}
    _publish(aurora, "open", *in_public.values())
    return Stage(peers, {key: members["id"] for key, members in objects.items()}, marking["id"], low, ungranted)


def _publish(lab: LabHandle, alias: str, *objects: dict[str, object]) -> None:
    view = next(each for each in visible_collections(lab.principal) if each.alias == alias)
    for members in objects:
        home = None if members["type"] == "marking-definition" else view
        outcome = publish_objects(principal=lab.principal, bodies=[lab.signed(members)], collection=home, door="test")[
            0
        ]
        assert outcome.status is OutcomeStatus.STORED, outcome


@pytest.mark.parametrize("peer", PEERS, ids=slug_of)
def test_a_peer_finds_exactly_its_rows_of_the_table(stage: Stage, peer: tuple[str, bool, str]) -> None:
    principal = stage.peers[peer].principal
    expected = {stix_id for (label, named), stix_id in stage.objects.items() if crosses(label, named, peer)}
    everything = set(stage.objects.values())
    assert visible(principal) & everything == expected
    assert visible(principal, "signatures") & everything == expected
    assert {stix_id for stix_id in everything if finds(principal, stix_id)} == expected


@pytest.mark.parametrize("peer", PEERS, ids=slug_of)
def test_the_database_alone_shows_a_peer_no_more(stage: Stage, peer: tuple[str, bool, str]) -> None:
    mine = readable_audiences(stage.peers[peer].principal)
    ids = list(stage.objects.values())
    with reading(mine), connection.cursor() as cursor:
        cursor.execute("SELECT stix_id FROM object WHERE stix_id = ANY (%s)", [ids])
        seen = {row[0] for row in cursor.fetchall()}
    assert seen == {stix_id for (label, named), stix_id in stage.objects.items() if crosses(label, named, peer)}


@pytest.mark.parametrize("peer", PEERS, ids=slug_of)
def test_a_distribution_marking_crosses_to_the_homes_of_those_it_names(
    stage: Stage, peer: tuple[str, bool, str]
) -> None:
    assert finds(stage.peers[peer].principal, stage.marking) == peer[2].startswith("borealis")


def test_the_highest_label_of_a_peer_narrows_whatever_its_homes_say(stage: Stage) -> None:
    expected = {stage.objects[Tlp.CLEAR, False], stage.objects[Tlp.GREEN, False]}
    assert visible(stage.low.principal) & set(stage.objects.values()) == expected
    assert not finds(stage.low.principal, stage.marking)


def test_a_peer_without_a_grant_reads_what_anybody_may(stage: Stage) -> None:
    views = visible_everywhere(stage.ungranted.principal)
    assert {view.alias for view in views if view.can_read} == {"open", "all"}
    assert not any(view.can_write for view in views)
    labels = as_owner(
        "SELECT DISTINCT v.label FROM version v JOIN object o ON o.id = v.object_id WHERE o.stix_id = ANY (%s)",
        list(visible(stage.ungranted.principal)),
    )
    assert labels == [(0,)]


def test_a_peer_reads_nothing_of_its_own_beyond_its_grants(stage: Stage) -> None:
    assert not finds(stage.ungranted.principal, stage.ungranted.identity)
