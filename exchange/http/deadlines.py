"""Reads from a connection with a deadline, which WSGI's input does not have: a slow client waits, and nobody with it.

The read goes on in a thread of its own until the client is done or gone; how many may wait like this is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from exchange.http.errors import SlowBodyError
from exchange.services.errors import NotReadyError

T = TypeVar("T")


class Readers:
    """The reads of one kind in this process; kinds do not take room from each other.

    At most `at_once` reads run, those that were given up among them; at most `awaited` keep a request waiting.
    """

    def __init__(self, *, at_once: int, awaited: int) -> None:
        self._running = threading.BoundedSemaphore(at_once)
        self._awaited = threading.BoundedSemaphore(awaited)

    def read_within(self, read: Callable[[], T], *, timeout_s: float) -> T:
        """What `read` answers, and what it raises.

        Raises:
            SlowBodyError: nothing within `timeout_s`. NotReadyError: too many slow clients already.
        """
        if not self._awaited.acquire(blocking=False):
            raise _no_room()
        try:
            return self._read(read, timeout_s)
        finally:
            self._awaited.release()

    def _read(self, read: Callable[[], T], timeout_s: float) -> T:
        if not self._running.acquire(blocking=False):
            raise _no_room()
        result: Future[T] = Future()
        threading.Thread(target=self._run, args=(read, result), name="body", daemon=True).start()
        try:
            return result.result(timeout_s)
        except TimeoutError:
            if result.done():
                raise
            raise SlowBodyError("the body did not arrive in time") from None

    def _run(self, read: Callable[[], T], result: Future[T]) -> None:
        try:
            result.set_result(read())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
            result.set_exception(error)
        finally:
            self._running.release()


def _no_room() -> NotReadyError:
    return NotReadyError("too many bodies are on their way; try again", code="too-many-bodies")
