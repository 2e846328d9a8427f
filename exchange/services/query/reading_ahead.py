"""Reads the next page of whoever follows `next`, while the reader is busy with the page that it has just got.

What was read ahead is a kept page that nobody has seen: it is answered as those are, if what it follows from is
unchanged, with its row in the delivery log (bodies.py). One page at a time is read ahead in a process, and the next
one not before that was asked for or its time is over. So whoever stops following costs one page.

Off until the web process turns it on: elsewhere nobody follows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDoneError
from dataclasses import dataclass
from typing import Final, Generic

from django.db import close_old_connections

from exchange.services.database import release_connection
from exchange.services.query.kept_pages import KeptPage, Question

LIFE_S: Final = 5.0
"""How long a page waits for its reader. One that takes longer over a page gains nothing from a quick next one."""

WAIT_S: Final = 2.0
"""How long a request waits for its page while it is being read; after that it reads for itself."""

Read = Callable[[], KeptPage | None]
"""Reads a page; None if it is not whole, or no longer for this reader."""

_log: Final = logging.getLogger(__name__)


class ReadAhead(Generic[Question]):
    """The page that is being read ahead, if there is one. Safe for threads."""

    def __init__(self, *, life_s: float = LIFE_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._life_s, self._clock = life_s, clock
        self._lock = threading.Lock()
        self._reader: ThreadPoolExecutor | None = None
        self._page: _Page[Question] | None = None

    def turn_on(self) -> None:
        """Begin to read ahead, in a thread with a database connection of its own."""
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead")

    def turn_off(self) -> None:
        """End it, and wait for what is being read."""
        reader, self._reader, self._page = self._reader, None, None
        if reader is not None:
            reader.submit(release_connection)
            reader.shutdown()

    def has(self, question: Question) -> bool:
        """Whether this page is being read ahead, or was."""
        with self._lock:
            page = self._page
            return page is not None and page.question == question and self._clock() < page.until

    def offer(self, question: Question, readable: Sequence[int], read: Read) -> bool:
        """Have the page for a reader of these audiences read, unless another one waits; tells whether it will be."""
        with self._lock:
            if self._reader is None or (self._page is not None and self._clock() < self._page.until):
                return False
            if self._page is not None:
                self._page.future.cancel()
            future = self._reader.submit(_safely, read)
            self._page = _Page(question, tuple(readable), self._clock() + self._life_s, future)
            return True

    def take(self, question: Question, readable: Sequence[int]) -> KeptPage | None:
        """The page for a reader of these audiences, if it was read ahead; it is nobody else's afterwards."""
        with self._lock:
            page = self._page
            # An old page is nobody's: the marks that it would be held against are kept for a time only.
            if page is None or self._clock() >= page.until:
                return None
            if (page.question, page.readable) != (question, tuple(readable)):
                return None
            self._page = None
        if page.future.cancel():
            return None
        try:
            return page.future.result(WAIT_S)
        except NotDoneError:
            return None


@dataclass(frozen=True, slots=True)
class _Page(Generic[Question]):
    question: Question
    readable: tuple[int, ...]
    until: float
    future: Future[KeptPage | None]


def _safely(read: Read) -> KeptPage | None:
    """What cannot be read ahead is left to the request, which tells its reader what is wrong."""
    close_old_connections()
    try:
        return read()
    except Exception:  # noqa: BLE001 - whatever it is, the request reads for itself
        _log.warning("a page could not be read ahead", exc_info=True)
        release_connection()
        return None
