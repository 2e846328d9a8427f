"""Pages kept in this process for whoever asks the same and reads the same.

A page is a function of the entries in its span, of the reader's audiences and of the question. Audiences and question
are its key; whether the span is as it was is asked of the database with each answer (services/changes.py). So a kept
page is never a right: who may read what is decided anew each time, and a change acts at the next request.

A page is kept when it is asked for a second time, so that one long pull does not push out what many ask for.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from exchange.services.changes import LIFE, Mark, Span
from exchange.stix.markings import Tlp

MAX_BYTES: Final = 128 * 1024 * 1024
"""Of bodies, in each web process: more than the hundred pages of a hundred thousand objects, so that the labs that pull
such a collection one after the other find it here."""

MAX_ASKED: Final = 4_096
"""Questions that were asked once are remembered by their digest of 16 bytes."""

LIFE_S: Final = LIFE.total_seconds()

Question = TypeVar("Question")
Key = tuple[Question, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A whole page: its bodies side by side, and what is needed to answer it again.

    places: `seqs` as tags are made of them (cursors.pack_places).
    """

    joined: bytes
    seqs: Sequence[int]
    places: bytes
    first: datetime
    last: datetime
    label: Tlp
    span: Span
    mark: Mark


class PageShelf(Generic[Question]):
    """Least recently used pages go first. Safe for threads; holds its lock for no longer than a look-up takes."""

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        life_s: float = LIFE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes, self._life_s, self._clock = max_bytes, life_s, clock
        self._lock = threading.Lock()
        self._pages: OrderedDict[Key[Question], tuple[float, KeptPage]] = OrderedDict()
        self._asked: OrderedDict[Question, None] = OrderedDict()
        self._bytes = 0

    def was_asked(self, question: Question) -> bool:
        """Whether a whole page was the answer to this question before, whoever asked."""
        with self._lock:
            return question in self._asked

    def note_asked(self, question: Question) -> None:
        """Remember a question whose answer is a whole page."""
        with self._lock:
            self._asked[question] = None
            self._asked.move_to_end(question)
            if len(self._asked) > MAX_ASKED:
                self._asked.popitem(last=False)

    def find(self, question: Question, readable: Sequence[int]) -> KeptPage | None:
        """The page for readers of these audiences, if it is here and not too old."""
        key = (question, tuple(readable))
        with self._lock:
            found = self._pages.get(key)
            if found is None:
                return None
            if self._clock() - found[0] > self._life_s:
                self._remove(key)
                return None
            self._pages.move_to_end(key)
            return found[1]

    def keep(self, question: Question, readable: Sequence[int], page: KeptPage) -> None:
        """Keep a page; others go where there is no room, and one that is larger than the shelf is not kept."""
        key = (question, tuple(readable))
        with self._lock:
            self._remove(key)
            if len(page.joined) > self._max_bytes:
                return
            self._pages[key] = (self._clock(), page)
            self._bytes += len(page.joined)
            while self._bytes > self._max_bytes:
                self._remove(next(iter(self._pages)))

    def drop(self, question: Question, readable: Sequence[int]) -> None:
        """Take a page away that is out of date."""
        with self._lock:
            self._remove((question, tuple(readable)))

    def _remove(self, key: Key[Question]) -> None:
        removed = self._pages.pop(key, None)
        if removed is not None:
            self._bytes -= len(removed[1].joined)
