"""One look for all that wait, and none while nobody does."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError

from exchange.services import sequence_watch
from exchange.services.sequence_watch import SequenceWatch


class Sequence:
    """A sequence that moves when it is told to."""

    def __init__(self) -> None:
        self.seq, self.looks = 1, 0
        self.fails = False

    def read(self) -> int:
        self.looks += 1
        if self.fails:
            self.fails = False
            raise OperationalError("gone")
        return self.seq


@pytest.fixture
def sequence() -> Sequence:
    return Sequence()


@pytest.fixture(autouse=True)
def _no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence_watch, "AWAY_INTERVAL_S", 0.01)

    class Nothing:
        def close(self) -> None:
            """There is no database in a unit test."""

    monkeypatch.setattr(sequence_watch, "connection", Nothing())


def test_what_is_there_already_is_seen_at_once(sequence: Sequence) -> None:
    assert SequenceWatch(sequence.read, interval_s=0.01).wait_beyond(0, 5)


def test_a_wait_ends_with_its_time(sequence: Sequence) -> None:
    assert not SequenceWatch(sequence.read, interval_s=0.01).wait_beyond(1, 0.05)


def test_everybody_who_waits_wakes(sequence: Sequence) -> None:
    watch = SequenceWatch(sequence.read, interval_s=0.01)
    woken: list[bool] = []
    waiters = [threading.Thread(target=lambda: woken.append(watch.wait_beyond(1, 10))) for _ in range(5)]
    for waiter in waiters:
        waiter.start()
    sequence.seq = 2
    for waiter in waiters:
        waiter.join(10)
    assert woken == [True] * 5


def test_a_database_that_is_away_is_looked_for_again(sequence: Sequence) -> None:
    sequence.fails = True
    assert SequenceWatch(sequence.read, interval_s=0.01).wait_beyond(0, 5)


def test_nobody_looks_while_nobody_waits(sequence: Sequence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence_watch, "IDLE_LOOKS", 3)
    watch = SequenceWatch(sequence.read, interval_s=0.01)
    watch.wait_beyond(0, 5)
    for thread in threading.enumerate():
        if thread.name == "sequence-watch":
            thread.join(10)
    looks = sequence.looks
    assert looks <= 5
    assert watch.wait_beyond(0, 5)
    sequence.seq = 2
    assert watch.wait_beyond(1, 5)
    assert sequence.looks > looks
