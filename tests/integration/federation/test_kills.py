"""kill -9 of the worker that pulls and of the web process that it pulls from, in the middle of a sync."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from exchange.celery import app
from exchange.models import PeerChannel, QuarantinedObject
from exchange.services.clock import now
from exchange.services.queue import WAKE_CHANNELS
from tests.integration.federation.crossing import publish_many, versions_of, wait_for_versions, wake
from tests.support.database import TestServices
from tests.support.labs import Community
from tests.support.other_node import OtherNode
from tests.support.receiver import wait_for
from tests.support.server import WebServer
from tests.support.worker import Worker

ROUNDS = [
    pytest.param(3, 2_400),
    pytest.param(20, 20_000, marks=[pytest.mark.faults, pytest.mark.timeout(3_600)]),
]
LONGEST_S = 1.5


@pytest.fixture
def worker(services: TestServices, tmp_path: Path) -> Iterator[Worker]:
    started = Worker(services, tmp_path / "worker.log")
    started.start()
    yield started
    started.stop()


@pytest.mark.parametrize(("rounds", "objects"), ROUNDS)
def test_a_sync_that_is_killed_again_and_again_ends_with_the_same_set(
    services: TestServices,
    exchange_server: tuple[str, Community],
    other: OtherNode,
    worker: Worker,
    rounds: int,
    objects: int,
    record_property: Callable[[str, object], None],
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    with other.at_work():
        expected = publish_many(other.dorado, objects)
    struck = Counter[str]()
    for _ in range(rounds):
        wake(services)
        time.sleep(chance.uniform(0.0, LONGEST_S))
        victims: list[Worker | WebServer] = [worker, other.server]
        victim = chance.choice(victims)
        victim.kill()
        victim.start()
        struck["worker" if victim is worker else "web process of the peer"] += 1
    wait_for_versions("dorado", expected, lambda: wake(services), 60 + objects / 100, seed)
    assert not QuarantinedObject.objects.exists()
    killed = ", ".join(f"the {what} {times} times" for what, times in sorted(struck.items()))
    record_property(f"{objects:,} objects, kill -9 of {killed}, seed", seed)


def test_what_is_published_there_is_here_long_before_the_interval_is_over(
    exchange_server: tuple[str, Community], other: OtherNode, worker: Worker, tmp_path: Path
) -> None:
    PeerChannel.objects.update(next_attempt_at=now() + timedelta(hours=1))
    there = Worker(other.services, tmp_path / "there.log")
    there.start()
    try:
        body = other.dorado.signed(other.dorado.indicator())
        answer = requests.post(
            f"{other.server.url}/api/v1/objects/",
            data=body,
            headers={"Authorization": f"Bearer {other.dorado.token}", "Content-Type": "application/json"},
            timeout=10,
        )
        assert answer.status_code == 201, answer.text
        # Nothing looks by itself here: no beat runs.
        wait_for(lambda: len(versions_of("dorado")) == 2, "the object")
    finally:
        there.stop()
    log = worker.log_path.read_text()
    assert "pull peer=harbour" in log
    assert "hint peer=home failure=none" in (tmp_path / "there.log").read_text()
    assert "cwt_" not in log


def test_beat_wakes_the_channels_every_few_seconds() -> None:
    entry = app.conf.beat_schedule["wake-channels"]
    assert entry["task"] == WAKE_CHANNELS
    assert entry["schedule"] <= 5
