"""The thread that wakes workers: at once, not too often, and not for ever."""

from __future__ import annotations

import threading
import time

from exchange.services.heralding import Herald

WAIT_S = 5.0


class Calls:
    """Counts calls, and tells of each."""

    def __init__(self) -> None:
        self.count = 0
        self.changed = threading.Condition()

    def __call__(self) -> None:
        with self.changed:
            self.count += 1
            self.changed.notify_all()

    def reach(self, count: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.count >= count, WAIT_S)


def heralds() -> int:
    return sum(thread.name == "herald" for thread in threading.enumerate())


def test_what_is_stored_during_a_pause_is_in_one_further_call() -> None:
    calls = Calls()
    herald = Herald(calls, pause_s=0.2, linger_s=0.1)
    herald.call_soon()
    assert calls.reach(1)
    for _ in range(50):
        herald.call_soon()
    assert calls.reach(2)
    time.sleep(0.5)
    assert calls.count == 2


def test_the_thread_ends_when_nothing_comes_and_another_takes_its_place() -> None:
    calls = Calls()
    herald = Herald(calls, pause_s=0.0, linger_s=0.05)
    for round_ in range(1, 4):
        herald.call_soon()
        assert calls.reach(round_)
        assert heralds() <= 1
        until = time.monotonic() + WAIT_S
        while heralds() and time.monotonic() < until:
            time.sleep(0.01)
        assert heralds() == 0


def test_nothing_is_lost_between_many_threads_and_the_end_of_the_herald() -> None:
    calls = Calls()
    herald = Herald(calls, pause_s=0.0, linger_s=0.0)
    for number in range(1, 200):
        before = calls.count
        herald.call_soon()
        assert calls.reach(before + 1), number
