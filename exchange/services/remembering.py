"""Remembers, in this process, what rights are made of: token rows, collections, audiences.

Inside `one_request` the database is asked once whether any of it has changed since; if so, everything is forgotten. So
a change acts at the next request, as docs/sharing.md says, and most requests ask one question instead of three.
Outside, nothing is remembered: tasks and commands live longer than a request. Nor in a transaction, which may see what
it has changed itself and then not commit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar, cast

from django.db import connection

from exchange.services.changes import LIFE, Mark, read_access_mark

T = TypeVar("T")

MAX_REMEMBERED: Final = 10_000
"""Answers of some kilobyte each: tokens, and what each reader sees of each root."""


class Memory:
    """What was read while `mark` was the mark of who may see what."""

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
        self.until = time.monotonic() + LIFE.total_seconds()
        self.answers: dict[Hashable, Any] = {}


class _Request:
    """One request: the memory that it may use, once it has asked."""

    def __init__(self) -> None:
        self.memory: Memory | None = None


_request: ContextVar[_Request | None] = ContextVar("request", default=None)
_lock: Final = threading.Lock()
_newest: Memory | None = None


@contextmanager
def one_request() -> Iterator[None]:
    """The time of one request, and no longer."""
    token = _request.set(_Request())
    try:
        yield
    finally:
        _request.reset(token)


def recall(key: Hashable, read: Callable[[], T]) -> T:
    """What `read` answered under this key while rights were what they are now, or what it answers."""
    request = _request.get()
    if request is None or connection.in_atomic_block:
        return read()
    if request.memory is None:
        request.memory = _memory_of(read_access_mark())
    answers = request.memory.answers
    if key in answers:
        return cast("T", answers[key])
    # Read after the mark: what it answers is as new as the mark or newer, and then the next request has another mark.
    answer = read()
    if len(answers) >= MAX_REMEMBERED:
        answers.clear()
    answers[key] = answer
    return answer


def _memory_of(mark: Mark) -> Memory:
    global _newest
    with _lock:
        if _newest is None or _newest.mark != mark or time.monotonic() > _newest.until:
            _newest = Memory(mark)
        return _newest
