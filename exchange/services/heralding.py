"""Wakes workers when something was stored, so that webhooks and peers need not wait for beat's next round.

A thread of the process does it, after the commit and not more often than `PAUSE_S`: no request waits for the broker.
What it does not get to say is found by beat.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from django.db import transaction

from exchange.services.queue import LOOK_FOR_NEWS, WAKE_WEBHOOKS, send_task

PAUSE_S: Final = 0.5
"""Between two calls; what is stored meanwhile is in the second."""

LINGER_S: Final = 30.0
"""How long the thread waits for the next call before it ends."""


def call_workers() -> None:
    """Wake the workers that look for what is new."""
    send_task(LOOK_FOR_NEWS)
    send_task(WAKE_WEBHOOKS)


class Herald:
    """One for each process. It says nothing until it is turned on, as web processes and workers do."""

    def __init__(
        self, call: Callable[[], None] = call_workers, *, pause_s: float = PAUSE_S, linger_s: float = LINGER_S
    ) -> None:
        self._call, self._pause_s, self._linger_s = call, pause_s, linger_s
        self._changed = threading.Condition()
        self._is_on = self._is_wanted = self._is_running = False

    def turn_on(self) -> None:
        """Begin to call. After a fork: threads do not survive it."""
        self._is_on = True

    def announce(self) -> None:
        """Inside a transaction that stores something: call the workers once it has committed."""
        if self._is_on:
            transaction.on_commit(self.call_soon)

    def call_soon(self) -> None:
        """Have the workers called by the thread, which is started if there is none."""
        with self._changed:
            self._is_wanted = True
            if self._is_running:
                self._changed.notify()
            else:
                self._is_running = True
                threading.Thread(target=self._run, name="herald", daemon=True).start()

    def _run(self) -> None:
        while self._next():
            self._call()
            time.sleep(self._pause_s)

    def _next(self) -> bool:
        """Wait for something to say; False if nothing came for long, and the thread is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_wanted, self._linger_s)
            wanted, self._is_wanted = self._is_wanted, False
            self._is_running = wanted
            return wanted


HERALD: Final = Herald()
