"""The shelf of pages: what it keeps, for how long, and what goes first."""

from __future__ import annotations

from datetime import UTC, datetime

from exchange.services.changes import Mark, Span
from exchange.services.cursors import pack_places
from exchange.services.query.kept_pages import MAX_ASKED, KeptPage, PageShelf
from exchange.stix.markings import Tlp

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def page(size: int = 10) -> KeptPage:
    return KeptPage(b"x" * size, (1,), pack_places((1,)), WHEN, WHEN, Tlp.GREEN, Span(0, 2), Mark(0, 0))


def test_a_page_is_found_by_its_question_and_its_audiences_alone() -> None:
    shelf: PageShelf[str] = PageShelf()
    shelf.keep("one", [1, 2], page())
    assert shelf.find("one", [1, 2]) == page()
    assert shelf.find("one", [1]) is None
    assert shelf.find("other", [1, 2]) is None


def test_the_least_recently_used_page_goes_first() -> None:
    shelf: PageShelf[str] = PageShelf(max_bytes=25)
    shelf.keep("one", [], page())
    shelf.keep("two", [], page())
    shelf.find("one", [])
    shelf.keep("three", [], page())
    assert [name for name in ("one", "two", "three") if shelf.find(name, [])] == ["one", "three"]


def test_a_page_larger_than_the_shelf_is_not_kept_and_pushes_nothing_out() -> None:
    shelf: PageShelf[str] = PageShelf(max_bytes=25)
    shelf.keep("one", [], page())
    shelf.keep("large", [], page(26))
    assert shelf.find("large", []) is None
    assert shelf.find("one", []) is not None


def test_keeping_a_page_again_counts_its_bytes_once() -> None:
    shelf: PageShelf[str] = PageShelf(max_bytes=25)
    for _ in range(5):
        shelf.keep("one", [], page())
    shelf.keep("two", [], page())
    assert shelf.find("one", []) is not None
    assert shelf.find("two", []) is not None


def test_a_page_ends_with_its_life_and_when_it_is_dropped() -> None:
    now = [0.0]
    shelf: PageShelf[str] = PageShelf(life_s=10, clock=lambda: now[0])
    shelf.keep("one", [], page())
    shelf.keep("two", [], page())
    shelf.drop("two", [])
    assert shelf.find("two", []) is None
    now[0] = 10.0
    assert shelf.find("one", []) is not None
    now[0] = 10.1
    assert shelf.find("one", []) is None


def test_questions_are_forgotten_in_their_order() -> None:
    shelf: PageShelf[int] = PageShelf()
    for number in range(MAX_ASKED + 1):
        shelf.note_asked(number)
    assert not shelf.was_asked(0)
    assert shelf.was_asked(1)
    assert shelf.was_asked(MAX_ASKED)
