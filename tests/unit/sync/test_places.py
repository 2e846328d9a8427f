"""Where a pull goes on, for every way in which peers answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.timestamps import format_taxii
from exchange.sync.peers import RemotePage
from exchange.sync.pulling.places import (
    END_OF_TIME,
    MOST,
    NoProgressError,
    Place,
    Step,
    after_page,
    just_before,
    latest,
    smaller,
    without_cursor,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def date(tick: int) -> str:
    return format_taxii(START + timedelta(seconds=tick))


def page(last: int | None = None, *, more: bool = False, cursor: str = "", first: int | None = None) -> RemotePage:
    dates = ("", "") if last is None else (date(last if first is None else first), date(last))
    return RemotePage((b"{}",), more, cursor, *dates)


def step(asked: Place, found: RemotePage, *, last_date: str = "", over_by: str = date(0)) -> Step:
    return after_page(asked, found, last_date=last_date, over_by=over_by)


def test_a_cursor_goes_on_with_the_same_filter() -> None:
    asked = Place(date(1), "one")
    assert step(asked, page(5, more=True, cursor="two")) == Step(Place(date(1), "two"), more=True)


def test_a_cursor_that_leads_to_itself_is_no_way_on() -> None:
    with pytest.raises(NoProgressError):
        step(Place(date(1), "one"), page(5, more=True, cursor="one"))


def test_without_next_the_page_after_begins_just_before_the_end_of_this_one() -> None:
    assert step(Place(date(1)), page(5, more=True, first=2)) == Step(Place(just_before(date(5))), more=True)


def test_many_objects_of_one_moment_are_asked_for_together() -> None:
    assert step(Place(), page(5, more=True, first=5)) == Step(Place(just_before(date(5)), limit=2_000), more=True)
    asked = Place(just_before(date(5)), limit=1_000)
    assert step(asked, page(5, more=True, first=5)) == Step(Place(asked.added_after, limit=2_000), more=True)
    with pytest.raises(NoProgressError):
        step(Place(asked.added_after, limit=MOST), page(5, more=True, first=5))


def test_more_without_next_and_dates_is_no_way_on() -> None:
    with pytest.raises(NoProgressError):
        step(Place(), page(more=True))


def test_the_last_moment_of_a_feed_is_asked_again_until_it_is_over() -> None:
    first = step(Place(), page(5), over_by=date(3))
    assert first == Step(Place(date(3)), more=False), "from there on others may still appear"
    assert step(first.place, page(5), last_date=date(5), over_by=date(3)) == first
    assert step(first.place, page(5), last_date=date(5), over_by=date(5)) == Step(Place(date(5)), more=False)
    assert step(Place(date(4)), page(6), last_date=date(5), over_by=date(3)) == Step(Place(date(3)), more=False)


def test_an_empty_page_after_a_cursor_keeps_what_the_pages_before_reached() -> None:
    asked = Place(date(1), "one")
    assert step(asked, page(), last_date=date(5), over_by=date(9)) == Step(Place(date(5)), more=False)


def test_an_exchange_gives_no_date_twice() -> None:
    assert step(Place(), page(5), over_by=END_OF_TIME) == Step(Place(date(5)), more=False)


def test_an_empty_page_moves_nothing_and_ends_the_cursor() -> None:
    assert step(Place(date(1), "one"), page()) == Step(Place(date(1)), more=False)
    assert step(Place(date(1)), page(), last_date=date(5), over_by=date(9)) == Step(Place(date(1)), more=False)


def test_a_peer_whose_dates_go_back_does_not_take_the_place_back() -> None:
    assert step(Place(date(9)), page(5), last_date=date(9), over_by=date(9)) == Step(Place(date(9)), more=False)


def test_the_first_moment_of_all_has_none_before_it() -> None:
    assert just_before("0001-01-01T00:00:00Z") == "0001-01-01T00:00:00.000000Z"


def test_a_lost_cursor_begins_before_the_last_object_or_where_the_cursor_began() -> None:
    assert without_cursor(Place(date(1), "one"), date(5)) == Place(just_before(date(5)))
    assert without_cursor(Place(date(1), "one"), "") == Place(date(1))


def test_smaller_pages_end_at_one() -> None:
    assert smaller(Place(limit=3)) == Place(limit=1)
    assert smaller(Place(limit=1)) is None


def test_dates_are_compared_as_times() -> None:
    assert latest("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z") == "2026-01-01T00:00:00.5Z"
    assert latest("", "2026-01-01T00:00:00Z") == "2026-01-01T00:00:00Z"


@dataclass
class Server:
    """A peer in memory: `objects` are pairs of date and number, by date."""

    objects: list[tuple[int, int]]
    gives_next: bool
    is_inclusive: bool

    def page(self, asked: Place) -> tuple[RemotePage, list[int]]:
        after = asked.added_after
        dated = [(date(tick), number) for tick, number in self.objects]
        found = [each for each in dated if each[0] > after or (self.is_inclusive and each[0] == after)]
        start = int(asked.next or 0)
        shown = found[start : start + asked.limit]
        more = start + len(shown) < len(found)
        cursor = str(start + len(shown)) if more and self.gives_next else ""
        dates = (shown[0][0], shown[-1][0]) if shown else ("", "")
        return RemotePage(tuple(b"{}" for _ in shown), more, cursor, *dates), [number for _, number in shown]


@given(
    batches=st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 3), max_size=12)), min_size=1, max_size=4),
    limit=st.integers(1, 5),
    gives_next=st.booleans(),
    is_inclusive=st.booleans(),
)
def test_every_object_comes_whatever_the_peer_does_with_dates_and_cursors(
    batches: list[tuple[bool, list[int]]], limit: int, gives_next: bool, is_inclusive: bool
) -> None:
    server = Server([], gives_next, is_inclusive)
    asked, last_date, came, over = Place(limit=limit), "", set[int](), -1
    for is_long_after, batch in batches:
        # Whatever order they appear in, their dates are later than what is over.
        over = max([over, *(tick for tick, _ in server.objects)]) if is_long_after else over
        known = len(server.objects)
        server.objects += [(over + 1 + tick, known + place) for place, tick in enumerate(batch)]
        server.objects.sort()
        for _ in range(200):
            found, shown = server.page(asked)
            came |= set(shown)
            on = after_page(asked, found, last_date=last_date, over_by=date(over))
            asked, last_date = on.place, latest(found.last, last_date) if found.last else last_date
            if not on.more:
                break
        else:
            pytest.fail("a visit does not end")
        asked = Place(asked.added_after, limit=limit)
        assert came == set(range(len(server.objects)))
