"""kill -9 of the worker in the middle of a push: everything arrives, and nothing is held twice."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exchange.models import Collection, Peer, PeerChannel, PeerErrand
from exchange.services.peers import add_channel
from exchange.services.principals import OPERATOR
from tests.integration.federation.crossing import wake
from tests.support.bad_peer import ALIAS, BadPeer
from tests.support.database import TestServices
from tests.support.labs import Community
from tests.support.peers import make_feed
from tests.support.posted_peer import Shelf, shelving
from tests.support.receiver import wait_for
from tests.support.worker import Worker

ROUNDS = [pytest.param(2, 700), pytest.param(20, 20_000, marks=[pytest.mark.faults, pytest.mark.timeout(3_600)])]
BATCH = 700
LONGEST_S = 1.0


@pytest.fixture
def worker(services: TestServices, tmp_path: Path) -> Iterator[Worker]:
    started = Worker(services, tmp_path / "worker.log")
    started.start()
    yield started
    started.stop()


@pytest.mark.parametrize(("rounds", "objects"), ROUNDS)
def test_a_push_that_is_killed_again_and_again_ends_with_the_same_set(
    services: TestServices,
    community: Community,
    peer: BadPeer,
    worker: Worker,
    rounds: int,
    objects: int,
    record_property: Callable[[str, object], None],
) -> None:
    shelf = Shelf(jealous=True)
    peer.always = shelving(shelf)
    handle = make_feed(community=True)
    handle.peer.channels.all().delete()
    Peer.objects.filter(pk=handle.peer.pk).update(url=peer.url)
    aurora, expected = community.aurora, set[str]()
    for _ in range(0, objects, BATCH):
        made = [aurora.indicator() for _ in range(BATCH)]
        assert {each.error for each in aurora.publish(*map(aurora.signed, made))} == {None}
        expected |= {each["id"] for each in made}
    add_channel(
        actor=OPERATOR,
        slug="gazette",
        direction=PeerChannel.Direction.PUSH,
        remote_collection=ALIAS,
        collection=Collection.objects.get(alias="signatures", api_root__slug="exchange"),
    )
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for _ in range(rounds):
        wake(services)
        time.sleep(chance.uniform(0.0, LONGEST_S))
        worker.kill()
        worker.start()
    wake(services)
    patience_s = 60 + len(expected) / 50
    wait_for(lambda: shelf.held.keys() >= expected, f"seed {seed}", patience_s)
    wait_for(lambda: PeerChannel.objects.get().pending_upto is None, f"seed {seed}")
    assert {len(versions) for versions in shelf.held.values()} == {1}, f"seed {seed}"
    assert not PeerErrand.objects.exists()
    record_property(f"{len(expected):,} objects, kill -9 of the worker {rounds} times, seed", seed)
