"""One stream of Server-Sent Events (HTML Living Standard section 9.2): bytes out, rights asked anew for each batch.

A stream holds a thread of the web process, so they are few and none lasts long; a client comes back by itself and goes
on after the event that it saw last. Knows no HTTP beyond the form of events.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from exchange.api.problems import encoded, problem_of
from exchange.http.entries import entry_bytes
from exchange.services.collections import CollectionView, find_collection
from exchange.services.errors import ExchangeError, NotReadyError
from exchange.services.principals import Principal
from exchange.services.query import PageRequest
from exchange.services.query.feed import cursor_at, read_batch
from exchange.services.sequence_watch import SequenceWatch, read_last_seq

DOOR: Final = "events"

LIFE_S: Final = 300.0
"""Then the client is asked to come back."""

HEARTBEAT_S: Final = 15.0
"""Proxies and mobile networks drop what is silent for a minute; and a client that has gone is noticed by it."""

RETRY_MS: Final = 1_000

BATCH: Final = 100

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


class Slot:
    """The place of one stream. `is_over` once it was given to another."""

    def __init__(self, lab_id: int | None) -> None:
        self.lab_id = lab_id
        self.is_over = False


class StreamSlots:
    """Streams of this process: a number in all, and some of them for one lab.

    A lab that has its number gets a place for its oldest stream. That one is mostly dead already: a client that lost
    its connection comes back long before anybody notices.
    """

    def __init__(self, *, most: int, most_of_lab: int) -> None:
        self._most, self._most_of_lab = most, most_of_lab
        self._lock = threading.Lock()
        self._slots: list[Slot] = []

    def take(self, lab_id: int | None) -> Slot:
        """Raises: NotReadyError: all are taken, and none by this lab."""
        with self._lock:
            own = [slot for slot in self._slots if slot.lab_id == lab_id]
            if own and (len(own) >= self._most_of_lab or len(self._slots) >= self._most):
                own[0].is_over = True
                self._slots.remove(own[0])
            elif len(self._slots) >= self._most:
                raise NotReadyError("all event streams are taken; come back, or follow by pages", code="streams-taken")
            slot = Slot(lab_id)
            self._slots.append(slot)
            return slot

    def release(self, slot: Slot) -> None:
        """The stream has ended, however it did. May be said twice."""
        with self._lock:
            if slot in self._slots:
                self._slots.remove(slot)


@dataclass(frozen=True, slots=True)
class Following:
    """What a stream follows: `authenticate` tells who asks, each time anew."""

    authenticate: Callable[[], Principal]
    collection: str
    request: PageRequest

    def look(self) -> tuple[Principal, CollectionView]:
        """Raises: ExchangeError: the reader may not any more."""
        principal = self.authenticate()
        return principal, find_collection(principal, self.collection)


def first_cursor(following: Following, last_event_id: str) -> str:
    """Where the stream begins: after the event that the client saw last, else at `added_after`, else now.

    Raises:
        ExchangeError: not signed in, not allowed, no such collection, or a cursor that leads nowhere any more.
    """
    principal, collection = following.look()
    request = replace(following.request, cursor=last_event_id)
    seq = 0 if request.added_after is not None else read_last_seq()
    begin = cursor_at(seq, principal=principal, collection=collection, request=request, door=DOOR)
    return last_event_id or begin


class EventStream:
    """The bytes of a stream. `close` is called when it ends, however it does."""

    def __init__(self, following: Following, cursor: str, watch: SequenceWatch, slots: StreamSlots, slot: Slot) -> None:
        self._following, self._watch, self._slots, self._slot = following, watch, slots, slot
        self._cursor = cursor
        self._pieces = self._run()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Give the slot back."""
        self._slots.release(self._slot)

    def _run(self) -> Iterator[bytes]:
        until = time.monotonic() + LIFE_S
        # Without data: a client keeps the id, so one that was cut off before the first event misses nothing either.
        yield b"retry: %d\nid: %s\n\n" % (RETRY_MS, self._cursor.encode())
        try:
            while time.monotonic() < until and not self._slot.is_over:
                yield from self._batches()
        except ExchangeError as error:
            yield event(b"problem", self._cursor, encoded(problem_of(error)))

    def _batches(self) -> Iterator[bytes]:
        """What is there, then a wait for what comes."""
        seen = read_last_seq()
        more = True
        while more:
            principal, collection = self._following.look()
            request = replace(self._following.request, cursor=self._cursor)
            batch = read_batch(principal=principal, collection=collection, request=request, door=DOOR)
            more = batch.more
            for cursor, entry in batch.entries:
                self._cursor = cursor
                yield event(b"object", cursor, entry_bytes(entry))
        if not self._watch.wait_beyond(seen, HEARTBEAT_S, is_over=lambda: self._slot.is_over):
            # Rights are looked at with each heartbeat too: who lost them learns it, and holds no thread.
            self._following.look()
            yield b":\n\n"


def event(name: bytes, cursor: str, data: bytes) -> bytes:
    """One event. Line ends between the members of an object become those of the protocol; none stands in a string."""
    lines = b"\n".join([b"data: " + line for line in _LINE_END.split(data)])
    return b"event: %s\nid: %s\n%s\n\n" % (name, cursor.encode(), lines)
