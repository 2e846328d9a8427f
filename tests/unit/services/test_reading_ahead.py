"""What is read ahead: one page at a time, for one reader, and never in the way of a request."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from exchange.services.changes import Mark, Span
from exchange.services.cursors import pack_places
from exchange.services.errors import NotReadyError
from exchange.services.query.kept_pages import KeptPage
from exchange.services.query.reading_ahead import ReadAhead
from exchange.stix.markings import Tlp

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = KeptPage(b"x", (1,), pack_places((1,)), WHEN, WHEN, Tlp.GREEN, Span(0, 2), Mark(0, 0))


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ahead(clock: Clock) -> Iterator[ReadAhead[str]]:
    ahead: ReadAhead[str] = ReadAhead(life_s=10, clock=clock)
    ahead.turn_on()
    yield ahead
    ahead.turn_off()


def begin(ahead: ReadAhead[str], question: str, page: KeptPage | None = PAGE, readable: Sequence[int] = ()) -> bool:
    """Offer a page and wait until it is being read: one that nobody has begun is not worth waiting for."""
    begun = threading.Event()

    def read() -> KeptPage | None:
        begun.set()
        return page

    return ahead.offer(question, readable, read) and begun.wait(30)


def test_nothing_is_read_ahead_unless_it_is_turned_on() -> None:
    ahead: ReadAhead[str] = ReadAhead()
    assert not ahead.offer("one", [1], lambda: PAGE)
    assert not ahead.has("one")
    assert ahead.take("one", [1]) is None


def test_a_page_is_for_its_question_and_its_audiences_and_is_given_once(ahead: ReadAhead[str]) -> None:
    assert begin(ahead, "one", readable=[1, 2])
    assert ahead.has("one")
    assert ahead.take("other", [1, 2]) is None
    assert ahead.take("one", [1]) is None
    assert ahead.take("one", [1, 2]) is PAGE
    assert ahead.take("one", [1, 2]) is None
    assert not ahead.has("one")


def test_a_page_waits_for_its_reader_and_then_makes_room(ahead: ReadAhead[str], clock: Clock) -> None:
    assert begin(ahead, "one")
    clock.now = 9.9
    assert not begin(ahead, "two")
    clock.now = 10.0
    assert not ahead.has("one"), "marks that it would be held against are kept for a time only"
    assert ahead.take("one", []) is None
    assert begin(ahead, "two")
    assert ahead.take("one", []) is None
    assert ahead.take("two", []) is PAGE


def test_a_request_waits_for_the_page_that_is_being_read(ahead: ReadAhead[str]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def read() -> KeptPage:
        begun.set()
        go_on.wait(30)
        return PAGE

    ahead.offer("one", [], read)
    assert begun.wait(30)
    threading.Timer(0.05, go_on.set).start()
    assert ahead.take("one", []) is PAGE


def test_a_request_does_not_wait_for_a_page_behind_another(ahead: ReadAhead[str], clock: Clock) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def read() -> KeptPage:
        begun.set()
        go_on.wait(30)
        return PAGE

    ahead.offer("slow", [], read)
    assert begun.wait(30)
    clock.now = 10.0
    ahead.offer("next", [], lambda: PAGE)
    assert ahead.take("next", []) is None
    go_on.set()


def test_what_cannot_be_read_ahead_is_left_to_the_request(ahead: ReadAhead[str]) -> None:
    begun = threading.Event()

    def fail() -> KeptPage:
        begun.set()
        raise NotReadyError("no database")

    ahead.offer("one", [], fail)
    assert begun.wait(30)
    assert ahead.take("one", []) is None
    assert begin(ahead, "two", None)
    assert ahead.take("two", []) is None
    assert begin(ahead, "three")
    assert ahead.take("three", []) is PAGE
