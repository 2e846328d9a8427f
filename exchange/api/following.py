"""One event stream: what its reader may read, as it comes, in the format of Server-Sent Events (WHATWG HTML, 9.2).

The reader is authenticated and its rights are asked anew for each batch and at each beat; a stream whose reader may not
go on just ends, and who comes back is told why. Between batches it holds a thread and no database connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Final

from exchange.api.streams import WAKER, Waker
from exchange.http.entries import entry_bytes
from exchange.http.errors import DATABASE_AWAY
from exchange.http.stopping import STOPPING
from exchange.services import counters
from exchange.services.access import require_scope
from exchange.services.collections import find_named
from exchange.services.database import release_connection
from exchange.services.errors import ExchangeError
from exchange.services.principals import Principal
from exchange.services.query import PageRequest, cursor_at, read_on
from exchange.services.sequencer import last_number

DOOR: Final = "events"
LIFE_S: Final = 300.0
"""Then the client comes back and goes on: places change hands, and no thread is kept for ever."""

BEAT_S: Final = 3.0
"""A client that is gone is noticed when it is written to, a token that is revoked when its stream is at a beat."""

RETRY_MS: Final = 2_000
BATCH: Final = 100
MAX_BATCH_BYTES: Final = 1024 * 1024

_BEAT: Final = b":\n\n"
_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")
"""Line breaks of JSON stand between its tokens, where a blank says the same; in an event they would end the data."""

_log: Final = logging.getLogger("exchange.api")


@dataclass(frozen=True, slots=True)
class Question:
    """What a stream follows. authenticate: who asks, found out anew. request.cursor: where it goes on; "" is now,
    or after `added_after`."""

    authenticate: Callable[[], Principal]
    collection: str
    request: PageRequest


@dataclass(frozen=True, slots=True)
class Events:
    """Bytes ready to be sent, and where the stream stands after them."""

    sent: bytes
    cursor: str
    place: int
    more: bool


class Following:
    """Iterates over the bytes of a stream; gives its place back when it ends, or when the server calls `close`."""

    def __init__(
        self,
        question: Question,
        give_back: Callable[[], None],
        *,
        waker: Waker = WAKER,
        life_s: float = LIFE_S,
        beat_s: float = BEAT_S,
    ) -> None:
        self._question, self._give_back, self._waker = question, give_back, waker
        self._life_s, self._beat_s = life_s, beat_s
        self._events = self._follow()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._events)
        except BaseException:
            self._give_back()
            raise

    def close(self) -> None:
        """End the stream."""
        self._events.close()
        self._give_back()

    def _follow(self) -> Generator[bytes, None, None]:
        ends_at = time.monotonic() + self._life_s
        end = "broken"
        try:
            cursor = self._question.request.cursor
            yield _greeting(cursor)
            beats_at, place = 0.0, -1
            while time.monotonic() < ends_at and not STOPPING.is_set():
                found = read_events(self._question, cursor)
                cursor, place = found.cursor, found.place
                is_time = time.monotonic() >= beats_at
                if found.sent or is_time:
                    beats_at = time.monotonic() + self._beat_s
                    yield found.sent or _BEAT
                if not found.more:
                    self._wait(place, min(beats_at, ends_at))
            end = "life"
            # What nobody sent is behind it, so that the next stream does not look at it again.
            yield _place_line(cursor)
        except ExchangeError as error:
            end = "refused"
            _log.info("event stream ended: %s", error.code)
        except DATABASE_AWAY as error:
            _log.error("event stream without a database", exc_info=error)
        except GeneratorExit:
            end = "client"
            raise
        finally:
            counters.EVENT_STREAMS.labels(end).inc()

    def _wait(self, place: int, until: float) -> None:
        release_connection()
        self._waker.wait_beyond(place, timeout_s=max(until - time.monotonic(), 0.0))


def begin(question: Question) -> Question:
    """The question, with a cursor where it begins now: who leaves before the first event can come back to that.

    Raises:
        ExchangeError: the reader may not follow this, or its cursor is not good any more.
    """
    principal = question.authenticate()
    require_scope(principal, "read")
    collection = find_named(principal, question.collection)
    request = question.request
    if not request.cursor and request.added_after is None:
        request = replace(request, cursor=cursor_at(principal, collection, request, last_number()))
    # Reads nothing, but refuses what the first batch would refuse: as long as the answer can be a problem.
    read_on(principal=principal, collection=collection, request=request, until=0, door=DOOR)
    return replace(question, request=request)


def read_events(question: Question, cursor: str) -> Events:
    """The next batch, with the rights of this moment.

    Raises:
        ExchangeError: the reader may not go on, or its collections have changed since the cursor was made.
    """
    principal = question.authenticate()
    require_scope(principal, "read")
    collection = find_named(principal, question.collection)
    request = replace(question.request, cursor=cursor, limit=BATCH, max_bytes=MAX_BATCH_BYTES)
    batch = read_on(principal=principal, collection=collection, request=request, until=None, door=DOOR)
    sent = b"".join(
        _event(cursor_at(principal, collection, request, entry.seq), entry_bytes(entry)) for entry in batch.entries
    )
    return Events(sent, cursor_at(principal, collection, request, batch.place), batch.place, batch.more)


def _greeting(cursor: str) -> bytes:
    return b"retry: %d\n" % RETRY_MS + (_place_line(cursor) if cursor else b"\n")


def _place_line(cursor: str) -> bytes:
    """An id alone: a client keeps it and has no event."""
    return b"id: " + cursor.encode() + b"\n\n"


def _event(cursor: str, data: bytes) -> bytes:
    return b"id: " + cursor.encode() + b"\nevent: object\ndata: " + data.translate(_ONE_LINE) + b"\n\n"
