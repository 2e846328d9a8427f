"""Plans a log: how long it is, which campaigns are in it, how large they are.

More rows mean more days and more customers: 7 days at 100,000 rows, a month at 10 million. Campaigns get one event of
a hundred. At natural size, all of them need some four million rows; in smaller logs they are smaller too, and in the
smallest some are left out. In larger logs there are several of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from signatures.samplelogs.actors import ACTORS, CAMPAIGNS
from signatures.samplelogs.errors import WrongOptionError
from signatures.samplelogs.span import Span, make_span
from signatures.samplelogs.units import DAYS_PER_WEEK, HOURS_PER_DAY, MS_PER_SECOND
from signatures.samplelogs.writing import check_ending

MIN_ROWS: Final = 1_000
MAX_ROWS: Final = 1_000_000_000
MAX_SEED: Final = (1 << 63) - 1
MAX_DAYS: Final = 366
DEFAULT_START: Final = datetime.fromisoformat("2026-09-07T00:00:00+00:00")
"""A Monday, and always the same: a log is the same whenever it is made."""

BENIGN_PER_CAMPAIGN: Final = 100
_SMALLEST_CAMPAIGN: Final = 26
"""Requests below which nothing is left of what a campaign does."""
_ROWS_OF_A_WEEK: Final = 100_000
_GROWTH: Final = 0.316
"""Of the length of a log with its rows: a hundred times as many rows are 4.3 times as long, the rest more customers."""


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """What is asked for. days: None for a length that fits the rows. start: aware. campaigns: names, None for all."""

    rows: int
    seed: int
    out: Path
    days: int | None = None
    start: datetime = DEFAULT_START
    campaigns: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A campaign that will be made. number: of its name; size: 1 is natural."""

    name: str
    number: int
    size: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be made. left_out: campaigns that are too large for so few rows."""

    options: SampleOptions
    span: Span
    campaigns: tuple[Planned, ...]
    left_out: tuple[str, ...]


def make_plan(options: SampleOptions) -> Plan:
    """The plan of a log.

    Raises: WrongOptionError, naming the option.
    """
    check_ending(options.out)
    _check_number("--rows", options.rows, MIN_ROWS, MAX_ROWS)
    _check_number("--seed", options.seed, 0, MAX_SEED)
    if options.days is not None:
        _check_number("--days", options.days, 2, MAX_DAYS)
    unknown = sorted(set(options.campaigns or ()) - set(CAMPAIGNS))
    if unknown:
        raise WrongOptionError(f"--campaigns: {unknown[0][:48]!r} is none of {', '.join(CAMPAIGNS)}")
    wanted = [name for name in CAMPAIGNS if options.campaigns is None or name in options.campaigns]
    campaigns, left_out = _campaigns(wanted, options.rows // (BENIGN_PER_CAMPAIGN + 1))
    span = make_span(options.seed, _start_ms(options.start), _hours(options))
    return Plan(options, span, campaigns, left_out)


def _check_number(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise WrongOptionError(f"{name} is from {low:,} to {high:,}, not {value:,}")


def _start_ms(start: datetime) -> int:
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if hour != start:
        raise WrongOptionError("--start is a full hour")
    return int(hour.timestamp()) * MS_PER_SECOND


def _hours(options: SampleOptions) -> int:
    if options.days is not None:
        return options.days * HOURS_PER_DAY
    growth = float((options.rows / _ROWS_OF_A_WEEK) ** _GROWTH)
    return max(2, min(round(DAYS_PER_WEEK * growth), MAX_DAYS)) * HOURS_PER_DAY


def _campaigns(names: Sequence[str], budget: int) -> tuple[tuple[Planned, ...], tuple[str, ...]]:
    """As many of the names as have a meaning within so many requests, and the others."""
    fitting = list(names[: budget // _SMALLEST_CAMPAIGN])
    natural = sum(natural_requests(name) for name in fitting)
    if not natural:
        return (), tuple(names)
    times = max(1, round(budget / natural))
    size = budget / (times * natural)
    small = [name for name in fitting if natural_requests(name) * size < _SMALLEST_CAMPAIGN]
    # Who would be too small gets the least, the others share the rest.
    rest = natural - sum(natural_requests(name) for name in small)
    if rest:
        size = max(budget / times - _SMALLEST_CAMPAIGN * len(small), 0) / rest
    planned = tuple(
        Planned(name, number + 1, _SMALLEST_CAMPAIGN / natural_requests(name) if name in small else size)
        for number in range(times)
        for name in fitting
    )
    return planned, tuple(names[len(fitting) :])


def natural_requests(name: str) -> int:
    """Requests of a campaign at its natural size."""
    return int(ACTORS.behaviours[name.partition("-")[0]]["requests"])
