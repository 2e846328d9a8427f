"""Keeps several parts running until a signal comes, and stops them in reverse order.

A part is a ``ManagedProcess`` or a ``Stack``. It knows no order of its own: parts start in the order they are given.
"""

import signal
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Protocol, Self

from exchange.stack.errors import StackError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WATCH_INTERVAL_S = 0.25
FIRST_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
# A part that lived this long starts anew with the first backoff.
STEADY_AFTER_S = 60.0


class StopRequested(BaseException):
    """SIGINT, SIGTERM or SIGHUP came: a request and no error, like KeyboardInterrupt."""


class Part(Protocol):
    """What can be supervised. ``restart``: start it again when it ends by itself."""

    @property
    def name(self) -> str: ...
    @property
    def restart(self) -> bool: ...
    def start(self) -> None: ...
    def is_alive(self) -> bool: ...
    def stop(self) -> None: ...


class _Kept:
    """A part with the record of its restarts."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.backoff_s = FIRST_BACKOFF_S
        self.started_at = time.monotonic()
        self.due_at: float | None = None

    def look(self, report: Callable[[str], None]) -> None:
        """Start the part again if it has ended and its time has come.

        Raises:
            StackError: it has ended and is not to be restarted.
        """
        now = time.monotonic()
        if self.due_at is None:
            if self.part.is_alive():
                return
            if not self.part.restart:
                raise StackError(f"{self.part.name} has stopped by itself")
            if now - self.started_at > STEADY_AFTER_S:
                self.backoff_s = FIRST_BACKOFF_S
            self.due_at = now + self.backoff_s
            report(f"{self.part.name} has stopped by itself; starting it again in {self.backoff_s:.1f} s")
            self.backoff_s = min(self.backoff_s * 2, MAX_BACKOFF_S)
        if now >= self.due_at:
            self.due_at = None
            self.started_at = now
            try:
                self.part.start()
            except StackError as error:
                report(str(error))


class Supervisor:
    """Parts that live and end together. Use it as a context in the main thread, so that signals end the block:

    ``with Supervisor(report) as supervisor: supervisor.start(part); ...; supervisor.wait()``
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._kept: list[_Kept] = []
        self._handlers: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}

    def start(self, part: Part) -> None:
        """Start a part and keep it.

        Raises:
            StackError: it cannot be started.
        """
        # Kept first: a part whose start is interrupted is stopped too.
        self._kept.append(_Kept(part))
        part.start()

    def look(self) -> None:
        """Restart the parts that have ended, as far as their time has come.

        Raises:
            StackError: a part has ended that is not to be restarted.
        """
        for kept in self._kept:
            kept.look(self._report)

    def wait(self) -> None:
        """Keep the parts running until a signal comes.

        Raises:
            StackError: a part has ended that is not to be restarted.
        """
        try:
            while True:
                self.look()
                time.sleep(WATCH_INTERVAL_S)
        except StopRequested:
            return

    def stop(self) -> None:
        """Stop all parts, the last first."""
        while self._kept:
            self._kept.pop().part.stop()

    def __enter__(self) -> Self:
        for number in STOP_SIGNALS:
            # nohup(1) asks to survive a hangup.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, _request_stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> bool:
        # A second Ctrl-C does not disturb the stopping, which has its own time limits.
        for number in self._handlers:
            signal.signal(number, signal.SIG_IGN)
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
        return kind is not None and issubclass(kind, StopRequested)


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    # The next one may come before the block has ended.
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is _request_stop:
            signal.signal(number, signal.SIG_IGN)
    raise StopRequested
