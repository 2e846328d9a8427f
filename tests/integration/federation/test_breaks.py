"""What breaks between and below exchanges in the middle of a sync: connections, the database, the broker.

Nothing is lost, nothing is there twice, and it goes on without anybody's help.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from exchange.models import PeerChannel, QuarantinedObject
from exchange.services.checking import check_exchange
from exchange.services.node import init_node
from exchange.services.peers import update_peer
from exchange.services.peers.claims import claim_channels
from exchange.services.principals import OPERATOR
from exchange.stack import Stack
from exchange.sync.pulling.pull import pull
from tests.integration.federation.crossing import (
    Versions,
    publish_many,
    sync_in_foreground,
    versions_of,
    wait_for_versions,
    wake,
)
from tests.integration.sync.conftest import QUICK
from tests.support.cutting_proxy import cutting_proxy
from tests.support.database import TestServices, close_connections
from tests.support.labs import Community
from tests.support.other_node import OtherNode, add_way, admit_known, register, working_on
from tests.support.worker import Worker

CUTS = [pytest.param(12, 300), pytest.param(200, 20_000, marks=[pytest.mark.faults, pytest.mark.timeout(3_600)])]
KILLS = [pytest.param(3, 1_600), pytest.param(20, 20_000, marks=[pytest.mark.faults, pytest.mark.timeout(3_600)])]
PAGE = 20
LATEST_CUT_BYTES = 12_000
"""In the headers of the first page, in its body, or in a page after it."""
LONGEST_S = 1.5


@pytest.mark.parametrize(("cuts", "objects"), CUTS)
def test_connections_that_are_cut_anywhere_lose_nothing(
    community: Community,
    other: OtherNode,
    cuts: int,
    objects: int,
    record_property: Callable[[str, object], None],
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    with other.at_work():
        expected = publish_many(other.dorado, objects)
    channel = PeerChannel.objects.get(remote_collection="signatures")
    with cutting_proxy(other.server.port) as proxy:
        update_peer(actor=OPERATOR, slug="harbour", url=f"http://localhost:{proxy.port}/exchange/")
        proxy.cuts = [chance.randrange(LATEST_CUT_BYTES) for _ in range(cuts)]
        failures, more = 0, True
        while more and failures <= cuts:
            run = pull(claim_channels([channel.pk])[0], limits=QUICK, page_limit=PAGE)
            more, failures = run.more or bool(run.failure), failures + bool(run.failure)
            assert run.failure in ("", "broken-off", "unreachable"), f"seed {seed}"
        proxy.cuts.clear()
        assert sync_in_foreground() == {None}
    assert proxy.cut > cuts / 3, f"seed {seed}: hardly anything was cut"
    assert versions_of("dorado") == expected, f"seed {seed}"
    assert not QuarantinedObject.objects.exists()
    record_property(f"{objects:,} objects, {proxy.cut} connections cut, seed", seed)


@dataclass(frozen=True, slots=True)
class Mortal:
    """An exchange that pulls from the first one, with a stack and a worker of its own."""

    stack: Stack
    services: TestServices
    worker: Worker

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster."""
        pid_file = self.stack.data_dir / "postgres" / "postmaster.pid"
        os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGKILL)

    def kill_broker(self) -> None:
        """kill -9 of Valkey."""
        with Redis.from_url(self.services.broker_url) as client:
            os.kill(client.info("server")["process_id"], signal.SIGKILL)

    def revive(self) -> None:
        """What was killed starts again, on the same port, with what it had."""
        self.stack.start()
        close_connections()


@pytest.fixture
def mortal(services: TestServices, exchange_server: tuple[str, Community]) -> Iterator[Mortal]:
    """At work is the first exchange, as ever."""
    url, community = exchange_server
    assert community.node.root_key is not None
    # Not pytest's folder: as root, PostgreSQL runs as a user who must be able to enter it.
    folder = Path(tempfile.mkdtemp(prefix="commonwatch-"))
    try:
        with Stack(folder / "data", durable=True, shared_buffers_mb=64) as stack:
            own = TestServices.of(stack)
            with working_on(own, home=services):
                node = init_node(name="harbour", title="Harbour")
            assert node.root_key is not None
            token = register("harbour", node.root_key.kid)
            with working_on(own, home=services):
                register("home", community.node.root_key.kid)
                for lab in community.labs:
                    admit_known(lab.lab.slug, lab.keys.root.kid)
                add_way("home", url, token)
            worker = Worker(own, folder / "worker.log")
            worker.start()
            yield Mortal(stack, own, worker)
            worker.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(("rounds", "objects"), KILLS)
def test_a_sync_outlives_its_database_and_its_broker(
    services: TestServices,
    community: Community,
    mortal: Mortal,
    rounds: int,
    objects: int,
    record_property: Callable[[str, object], None],
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    expected: Versions = publish_many(community.aurora, objects)
    kills: list[Callable[[], None]] = [mortal.kill_postgres, mortal.kill_broker]
    with working_on(mortal.services, home=services):
        for kill in kills * rounds:
            wake(mortal.services)
            time.sleep(chance.uniform(0.0, LONGEST_S))
            kill()
            mortal.revive()
        wait_for_versions("aurora", expected, lambda: wake(mortal.services), 60 + objects / 100, seed)
        assert mortal.worker.process is not None
        assert mortal.worker.process.poll() is None, "the worker itself went on"
        assert not QuarantinedObject.objects.exists()
        assert not check_exchange().faults
    killed = f"kill -9 of PostgreSQL and of the broker {rounds} times each"
    record_property(f"{objects:,} objects, {killed}, check_exchange green, seed", seed)
