"""Reads from a connection with a deadline, which WSGI's input does not have: a slow client waits, and nobody with it.

The read goes on in a thread of its own until the client is done or gone; how many may wait like this is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

from exchange.http.errors import SlowBodyError
from exchange.services.errors import NotReadyError

T = TypeVar("T")

MAX_READERS: Final = 64
"""In one process: eight times the threads of docker/Dockerfile, so that clients in time find room."""

_room: Final = threading.BoundedSemaphore(MAX_READERS)


def read_within(read: Callable[[], T], *, timeout_s: float) -> T:
    """What `read` answers, and what it raises.

    Raises:
        SlowBodyError: nothing within `timeout_s`. NotReadyError: too many slow clients already.
    """
    if not _room.acquire(blocking=False):
        raise NotReadyError("too many bodies are on their way; try again", code="too-many-bodies")
    result: Future[T] = Future()
    threading.Thread(target=_run, args=(read, result), name="body", daemon=True).start()
    try:
        return result.result(timeout_s)
    except TimeoutError:
        if result.done():
            raise
        raise SlowBodyError("the body did not arrive in time") from None


def _run(read: Callable[[], T], result: Future[T]) -> None:
    try:
        result.set_result(read())
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
        result.set_exception(error)
    finally:
        _room.release()
