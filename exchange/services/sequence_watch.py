"""Wakes those who wait for something new, with one look at the sequencer for all that wait in this process.

A look is one row by its key, and nobody looks while nobody waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, connection

from exchange.services.database import execute

INTERVAL_S: Final = 0.5
AWAY_INTERVAL_S: Final = 5.0
"""While the database does not answer."""

IDLE_LOOKS: Final = 20
"""Looks without anybody waiting before the thread ends: streams come back for the next wait within milliseconds."""

_log: Final = logging.getLogger(__name__)


def read_last_seq() -> int:
    """The newest number of the sequence; everything up to it is there for its readers."""
    found: int = execute("SELECT last_seq FROM sequencer WHERE id = 1", {}).fetchall()[0][0]
    return found


class SequenceWatch:
    """One thread at most, which looks while somebody waits. The lock is held for moments, never while looking."""

    def __init__(self, read: Callable[[], int] = read_last_seq, *, interval_s: float = INTERVAL_S) -> None:
        self._read, self._interval_s = read, interval_s
        self._changed = threading.Condition()
        self._waiting = 0
        self._seen = 0
        self._looks = False

    def wait_beyond(self, seq: int, timeout_s: float, *, is_over: Callable[[], bool] = lambda: False) -> bool:
        """Wait until the sequence is beyond `seq`, for `timeout_s` at most, or until `is_over`; tells whether it is."""
        with self._changed:
            self._waiting += 1
            try:
                if not self._looks:
                    self._looks = True
                    threading.Thread(target=self._look, name="sequence-watch", daemon=True).start()
                self._changed.wait_for(lambda: self._seen > seq or is_over(), timeout_s)
                return self._seen > seq
            finally:
                self._waiting -= 1

    def wake(self) -> None:
        """Let everybody who waits ask whether their wait is over."""
        with self._changed:
            self._changed.notify_all()

    def _look(self) -> None:
        idle = 0
        while idle < IDLE_LOOKS:
            pause_s = self._look_once()
            time.sleep(pause_s)
            with self._changed:
                idle = 0 if self._waiting else idle + 1
                if idle == IDLE_LOOKS:
                    self._looks = False
        connection.close()

    def _look_once(self) -> float:
        """Seconds until the next look."""
        try:
            seen = self._read()
        except DatabaseError as error:
            _log.warning("the sequence cannot be watched: %s", type(error).__name__)
            connection.close()
            return AWAY_INTERVAL_S
        with self._changed:
            if seen != self._seen:
                self._seen = seen
                self._changed.notify_all()
        return self._interval_s
