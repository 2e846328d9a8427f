"""Where a pull goes on: what the next page is asked with, after the page that came (TAXII 2.1 sections 3.4 and 3.5).

Nothing may be skipped, whatever the peer does with `next`, with `added_after` and with its dates; to take an object
twice costs nothing, because it is known by its digest. So wherever a peer leaves a doubt, the next page begins a little
before the end of this one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from exchange.services.errors import ExchangeError
from exchange.stix.timestamps import format_taxii, ordering_key, parse_timestamp
from exchange.sync.peers import RemotePage

PAGE_LIMIT: Final = 1_000
MOST: Final = 8_000
"""Objects asked for at once where a peer without `next` has that many of one moment; `Limits` takes a few more."""

END_OF_TIME: Final = "9999-12-31T23:59:59.999999Z"

_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
"""The finest difference that TAXII's six digits tell."""


class NoProgressError(ExchangeError):
    """The peer says that there is more, and gives no way to it."""

    default_code = "no-progress"


@dataclass(frozen=True, slots=True)
class Place:
    """What a page is asked with: `added_after` and `next` as the peer said them, and how many objects."""

    added_after: str = ""
    next: str = ""
    limit: int = PAGE_LIMIT


@dataclass(frozen=True, slots=True)
class Step:
    """What the page after this one is asked with, and whether that is now."""

    place: Place
    more: bool


def after_page(asked: Place, page: RemotePage, *, last_date: str, over_by: str) -> Step:
    """The step after a page.

    last_date: the latest date that came from this collection before. over_by: when this walk over the pages began, the
    peer had shown everything that it dates up to this; of an exchange, which gives no date twice, the end of all time.

    Raises:
        NoProgressError: there is more, and this page leads nowhere.
    """
    if page.more and page.next:
        if page.next == asked.next:
            raise NoProgressError("the peer's cursor leads to the page that it came with")
        return Step(replace(asked, next=page.next), more=True)
    if page.more:
        return Step(_by_date(asked, page), more=True)
    # After a cursor the last page may be empty; what came with the others was the end.
    last = latest(page.last, last_date) if page.last or asked.next else ""
    if not last:
        return Step(replace(asked, next=""), more=False)
    # Where dates are coarse or clocks differ, others may still appear at the last date and before it.
    is_over = ordering_key(last) <= ordering_key(over_by)
    reached = last if is_over else min(just_before(last), over_by, key=ordering_key)
    return Step(Place(reached, limit=asked.limit), more=False)


def without_cursor(place: Place, last_date: str) -> Place:
    """Where to go on when the peer knows its own cursor no more: before the last object that came."""
    return replace(place, next="", added_after=just_before(last_date) if last_date else place.added_after)


def smaller(place: Place) -> Place | None:
    """The same place with half as many objects; None if it is one already."""
    return replace(place, limit=place.limit // 2) if place.limit > 1 else None


def latest(one: str, other: str) -> str:
    """The later of two timestamps, as it was written; "" is before all."""
    return max(one, other, key=lambda text: ordering_key(text) if text else "")


def just_before(date: str) -> str:
    """The moment before a timestamp, for `added_after` to include it; the first moment of all has none."""
    moment = parse_timestamp(date)
    return format_taxii(max(moment, _FIRST + _TICK) - _TICK)


def _by_date(asked: Place, page: RemotePage) -> Place:
    """A peer without `next`: on from the last date, which others may share that stand on the next page."""
    if not page.last:
        raise NoProgressError("the peer says that there is more, with neither next nor dates")
    before = just_before(page.last)
    is_later = not asked.added_after or ordering_key(before) > ordering_key(asked.added_after)
    on = replace(asked, added_after=before) if is_later else asked
    if is_later and page.first != page.last:
        return on
    # All of one moment: the next page would be this one again.
    if asked.limit >= MOST:
        raise NoProgressError(f"the peer has more than {MOST:,} objects of one moment and no next")
    return replace(on, limit=min(asked.limit * 2, MOST))
