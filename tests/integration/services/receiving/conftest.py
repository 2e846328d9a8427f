"""A community, an exchange that sends, and a lab of elsewhere: made once for each of the three, then restored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from pytest_django import DjangoDbBlocker

from exchange.models import Lab, Peer, PeerChannel
from exchange.services.checking import check_exchange
from tests.support.database import close_connections, empty_tables
from tests.support.labs import Community, LabHandle, make_community
from tests.support.peers import PeerHandle, make_exchange, pin_stranger, stranger
from tests.support.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class Beginnings:
    """What tests begin with, and the database after each of the three."""

    community: Community
    peer: PeerHandle
    dorado: LabHandle
    after: dict[str, Snapshot]


@pytest.fixture(scope="session")
def beginnings(_migrated: None, django_db_blocker: DjangoDbBlocker) -> Beginnings:
    with django_db_blocker.unblock():
        empty_tables()
        community = make_community()
        after = {"community": Snapshot.take()}
        peer = make_exchange()
        after["peer"] = Snapshot.take()
        dorado = pin_stranger(stranger())
        if peer.send(dorado.keys.identity_bytes).stored != 1:
            raise AssertionError("the identity of dorado was refused")
        after["dorado"] = Snapshot.take()
        return Beginnings(community, peer, dorado, after)


@pytest.fixture
def community(
    request: pytest.FixtureRequest, beginnings: Beginnings, django_db_blocker: DjangoDbBlocker
) -> Iterator[Community]:
    """A node with aurora, borealis and cobalt, and the peer and dorado where a test asks for them; after the test
    everything stored is verified again."""
    with django_db_blocker.unblock():
        last = next(name for name in ("dorado", "peer", "community") if name in {*request.fixturenames, "community"})
        beginnings.after[last].restore()
        made = beginnings.community
        yield Community(made.node, *(_fresh(lab) for lab in made.labs))
        report = check_exchange()
        assert not report.faults, report.faults
        close_connections()


@pytest.fixture
def peer(community: Community, beginnings: Beginnings) -> PeerHandle:
    made = beginnings.peer
    peer = Peer.objects.select_related("lab").get(pk=made.peer.pk)
    return replace(made, peer=peer, channel=PeerChannel.objects.get(pk=made.channel.pk))


@pytest.fixture
def dorado(community: Community, peer: PeerHandle, beginnings: Beginnings) -> LabHandle:
    """A lab of elsewhere that is known here."""
    return _fresh(beginnings.dorado)


def _fresh(handle: LabHandle) -> LabHandle:
    """The handle with the lab's row as it is stored: a test changes its own copy."""
    return replace(handle, lab=Lab.objects.get(pk=handle.lab.pk))
