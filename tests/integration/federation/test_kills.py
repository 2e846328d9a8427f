"""kill -9 of the worker that pulls and of the web process that it pulls from, in the middle of a sync."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.celery import app
from exchange.models import QuarantinedObject
from exchange.sync.pulling.tasks import WAKE
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
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    with other.at_work():
        expected = publish_many(other.dorado, objects)
    for _ in range(rounds):
        wake(services)
        time.sleep(chance.uniform(0.0, LONGEST_S))
        victims: list[Worker | WebServer] = [worker, other.server]
        victim = chance.choice(victims)
        victim.kill()
        victim.start()
    wait_for_versions("dorado", expected, lambda: wake(services), 60 + objects / 100, seed)
    assert not QuarantinedObject.objects.exists()


def test_what_is_published_there_is_read_here_within_seconds(
    services: TestServices, exchange_server: tuple[str, Community], other: OtherNode, worker: Worker
) -> None:
    with other.at_work():
        body = other.dorado.signed(other.dorado.indicator())
        assert other.dorado.publish(body)[0].error is None
    wake(services)
    wait_for(lambda: len(versions_of("dorado")) == 2, "the object")
    log = worker.log_path.read_text()
    assert "pull peer=harbour" in log
    assert "cwt_" not in log


def test_beat_wakes_the_channels_every_few_seconds() -> None:
    entry = app.conf.beat_schedule["wake-channels"]
    assert entry["task"] == WAKE
    assert entry["schedule"] <= 5
