"""Tells this process's long answers that it is asked to stop: the web server waits for them, and says nothing.

Signals keep the handlers that the server gives them. The interpreter also writes each signal's number to a pipe
(signal.set_wakeup_fd), and a thread reads that.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Final

_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})

STOPPING: Final = threading.Event()
"""Set once, when the process has been asked to stop."""


def watch_signals() -> None:
    """Begin to watch; once for a process, in its main thread. Elsewhere nothing, and answers end by their time."""
    if threading.current_thread() is not threading.main_thread():
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), name="signals", daemon=True).start()


def _watch(reader: int) -> None:
    while numbers := os.read(reader, 64):
        if _SIGNALS & set(numbers):
            STOPPING.set()
            return
