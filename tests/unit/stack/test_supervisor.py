"""Parts that live and end together."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from exchange.stack import ManagedProcess, StackError, Supervisor, supervisor

ENV = {"PATH": os.environ["PATH"]}
SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]


class Recorded:
    """A part that writes down what is done to it."""

    def __init__(self, name: str, log: list[str], *, restart: bool = False, fails: int = 0, dies: bool = False) -> None:
        self.name, self.log, self.restart, self.fails = name, log, restart, fails
        self.alive, self.dies = False, dies

    def start(self) -> None:
        self.log.append(f"start {self.name}")
        if self.fails:
            self.fails -= 1
            raise StackError(f"{self.name} cannot be started")
        self.alive = not self.dies

    def is_alive(self) -> bool:
        return self.alive

    def stop(self) -> None:
        self.log.append(f"stop {self.name}")
        self.alive = False


def start_all(house: Supervisor, parts: list[Recorded]) -> None:
    for part in parts:
        house.start(part)


def test_parts_stop_in_reverse_order() -> None:
    log: list[str] = []
    with Supervisor(log.append) as house:
        for name in ("stack", "web", "worker"):
            house.start(Recorded(name, log))
    assert log == ["start stack", "start web", "start worker", "stop worker", "stop web", "stop stack"]


def test_part_that_cannot_start_ends_the_others_and_the_error_comes_through() -> None:
    log: list[str] = []
    parts = [Recorded("stack", log), Recorded("web", log, fails=1)]
    with pytest.raises(StackError, match="web cannot be started"), Supervisor(log.append) as house:
        start_all(house, parts)
    assert log == ["start stack", "start web", "stop web", "stop stack"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_the_waiting_and_stops_all(tmp_path: Path, number: signal.Signals) -> None:
    part = ManagedProcess("sleep", SLEEP, ENV, tmp_path / "x.log")
    before = signal.getsignal(number)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), number))
    with Supervisor(lambda _line: None) as house:
        house.start(part)
        timer.start()
        house.wait()
        assert part.is_alive()
    timer.join()
    assert not part.is_alive()
    assert signal.getsignal(number) == before


def test_a_second_signal_disturbs_nothing_even_before_the_stopping_begins() -> None:
    log: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    with Supervisor(log.append) as house:
        house.start(Recorded("stack", log))
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            log.append("on the way out")
    assert log == ["start stack", "on the way out", "stop stack"]
    assert signal.getsignal(signal.SIGTERM) == before


def test_signal_during_the_start_stops_what_had_started() -> None:
    log: list[str] = []
    with Supervisor(log.append) as house:
        house.start(Recorded("stack", log))
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        raise AssertionError("went on after the signal")
    assert log == ["start stack", "stop stack"]


def test_dead_part_is_started_again_with_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_BACKOFF_S", 0.05)
    log: list[str] = []
    part = Recorded("web", log, restart=True)
    with Supervisor(log.append) as house:
        house.start(part)
        part.alive = False
        part.fails = 2
        deadline = time.monotonic() + 5
        while not part.alive and time.monotonic() < deadline:
            house.look()
            time.sleep(0.01)
    assert log == [
        "start web",
        "web has stopped by itself; starting it again in 0.1 s",
        "start web",
        "web cannot be started",
        "web has stopped by itself; starting it again in 0.1 s",
        "start web",
        "web cannot be started",
        "web has stopped by itself; starting it again in 0.2 s",
        "start web",
        "stop web",
    ]


def test_killed_process_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_BACKOFF_S", 0.05)
    part = ManagedProcess("sleep", SLEEP, ENV, tmp_path / "x.log", restart=True)
    with Supervisor(lambda _line: None) as house:
        house.start(part)
        first = part.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while part.pid in (first, None) and time.monotonic() < deadline:
            house.look()
            time.sleep(0.02)
        assert part.is_alive()
        assert part.pid != first


def test_dead_part_without_restart_ends_the_waiting() -> None:
    log: list[str] = []
    part = Recorded("beat", log, dies=True)
    with Supervisor(log.append) as house:
        house.start(part)
        with pytest.raises(StackError, match=r"^beat has stopped by itself$"):
            house.wait()
    assert log == ["start beat", "stop beat"]
