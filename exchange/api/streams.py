"""The places for event streams in this process: each stream keeps a thread of the web server for as long as it lasts.

So there are few, a lab has some of them at most, and all of them wait on one look at the sequencer (docs/adr/0006).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import DatabaseError

from exchange.http.errors import TooManyStreamsError
from exchange.http.stopping import STOPPING
from exchange.services import counters
from exchange.services.database import release_connection
from exchange.services.errors import NotReadyError
from exchange.services.sequencer import last_number

MAX_PER_LAB: Final = 2
"""In one process. Of a lab and not of a token: a lab makes as many tokens as it likes."""

LOOK_EVERY_S: Final = 0.5

_log: Final = logging.getLogger("exchange.api")


class Places:
    """Counts the streams of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_lab: Counter[int] = Counter()

    def take(self, lab_id: int) -> Callable[[], None]:
        """Take a place for a lab; answers what gives it back, once however often it is called.

        Raises:
            TooManyStreamsError: the lab has as many as it may. NotReadyError: the process has.
        """
        with self._lock:
            if self._by_lab[lab_id] >= MAX_PER_LAB:
                counters.EVENT_STREAMS.labels("lab-full").inc()
                raise TooManyStreamsError(f"a lab follows by {MAX_PER_LAB} streams of a process at once")
            if self._by_lab.total() >= settings.EVENT_STREAMS:
                counters.EVENT_STREAMS.labels("process-full").inc()
                raise NotReadyError("no room for another stream; ask for pages, or try again", code="too-many-streams")
            self._by_lab[lab_id] += 1
        returned = threading.Event()

        def give_back() -> None:
            with self._lock:
                if not returned.is_set():
                    returned.set()
                    self._by_lab[lab_id] -= 1

        return give_back


class Waker:
    """One look at the sequencer every `look_every_s` for all that wait in this process, and none while nobody does."""

    def __init__(self, look: Callable[[], int] = last_number, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._look, self._look_every_s = look, look_every_s
        self._changed = threading.Condition()
        self._waiting = 0
        self._last = -1
        self._is_looking = False

    def wait_beyond(self, number: int, *, timeout_s: float) -> bool:
        """Wait until the sequence has passed `number`; False if it has not after `timeout_s`, or the process stops."""
        with self._changed:
            self._waiting += 1
            try:
                if not self._is_looking:
                    self._is_looking = True
                    threading.Thread(target=self._run, name="sequencer", daemon=True).start()
                self._changed.wait_for(lambda: self._last > number or STOPPING.is_set(), timeout_s)
                return self._last > number
            finally:
                self._waiting -= 1

    def _run(self) -> None:
        try:
            while self._is_wanted():
                self._look_once()
                time.sleep(self._look_every_s)
        finally:
            release_connection()

    def _is_wanted(self) -> bool:
        with self._changed:
            self._is_looking = self._waiting > 0
            return self._is_looking

    def _look_once(self) -> None:
        if STOPPING.is_set():
            with self._changed:
                self._changed.notify_all()
            return
        try:
            last = self._look()
        except DatabaseError:
            # Streams find out by themselves at their next beat; this looks again.
            _log.warning("event streams cannot look at the sequencer", exc_info=True)
            release_connection()
            return
        with self._changed:
            self._last = last
            self._changed.notify_all()


PLACES: Final = Places()
WAKER: Final = Waker()
