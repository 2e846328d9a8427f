"""Makes a sample log: plans it, puts the actors together, and writes hour after hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from signatures.samplelogs.accounts import Account
from signatures.samplelogs.assembly import Assembly
from signatures.samplelogs.columns import Columns
from signatures.samplelogs.draws import Integers, Numbers, Words
from signatures.samplelogs.failovers import Failovers
from signatures.samplelogs.planning import SampleOptions, make_plan
from signatures.samplelogs.rows import REQUEST, Rows, joined
from signatures.samplelogs.windows import Aggregates, Windows
from signatures.samplelogs.writing import whole_file

_TABLE_ROWS: Final = 1 << 15
"""Hours are gathered until there are so many rows: columns of a few rows cost as much as of thousands."""
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class SampleReport:
    """What was made. campaigns, lookalikes: events by name. left_out: campaigns that so few rows have no room for.

    start: aware. size: of most campaigns, 1 is natural; 0 without campaigns.
    """

    out: Path
    rows: int
    start: datetime
    days: float
    accounts: int
    size: float
    campaigns: Mapping[str, int]
    lookalikes: Mapping[str, int]
    left_out: tuple[str, ...]

    @property
    def benign(self) -> int:
        """Events of honest accounts."""
        return self.rows - sum(self.campaigns.values())


def write_sample_log(options: SampleOptions, on_progress: Progress = lambda _rows: None) -> SampleReport:
    """Write a log and say what is in it. on_progress: gets how many rows are written, now and then.

    The same options give the same rows, with every supported Python; JSON lines and CSV the same bytes.

    Raises: WrongOptionError, CannotWriteError.
    """
    plan = make_plan(options)
    with whole_file(options.out) as writer:
        assembly = Assembly(plan)
        by_account = np.zeros(len(assembly.accounts), dtype=np.int64)
        for table, rows in _tables(assembly, options.seed):
            writer.write(table)
            by_account += np.bincount(rows.account, minlength=len(by_account))
            on_progress(int(by_account.sum()))
    return SampleReport(
        out=options.out,
        rows=int(by_account.sum()),
        start=options.start,
        days=plan.span.days,
        accounts=len(assembly.accounts),
        size=assembly.size,
        campaigns=_counted(assembly.accounts, by_account, lambda account: account.campaign),
        lookalikes=_counted(assembly.accounts, by_account, lambda account: account.lookalike),
        left_out=plan.left_out,
    )


def _counted(accounts: Sequence[Account], events: Integers, name_of: Callable[[Account], str]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for account, count in zip(accounts, events, strict=True):
        counts[name_of(account)] += int(count)
    return {name: count for name, count in sorted(counts.items()) if name and count}


@dataclass(frozen=True, slots=True)
class _Hour:
    """An hour's events by time, with what is computed of them."""

    rows: Rows
    words: Words
    aggregates: Aggregates
    failovers: Numbers


def _tables(assembly: Assembly, seed: int) -> Iterator[tuple[pa.Table, Rows]]:
    columns = Columns(assembly.accounts, assembly.book, seed, assembly.span)
    waiting: list[_Hour] = []
    for hour in _hours(assembly, columns):
        waiting.append(hour)
        if sum(len(each.rows) for each in waiting) >= _TABLE_ROWS:
            yield _table(columns, waiting)
            waiting = []
    if waiting:
        yield _table(columns, waiting)


def _table(columns: Columns, hours: Sequence[_Hour]) -> tuple[pa.Table, Rows]:
    rows = joined([hour.rows for hour in hours])
    parts = [hour.aggregates for hour in hours]
    aggregates = Aggregates(
        *(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Aggregates))
    )
    words = np.concatenate([hour.words for hour in hours])
    return columns.table(rows, words, aggregates, np.concatenate([hour.failovers for hour in hours])), rows


def _hours(assembly: Assembly, columns: Columns) -> Iterator[_Hour]:
    windows, failovers = Windows(columns.quotas, columns.created, columns.families), Failovers()
    for number in range(assembly.span.hours):
        rows = joined([assembly.traffic.rows(number), assembly.planted(number)])
        rows = rows.take(np.lexsort((rows.event, rows.at, rows.account)))
        words = columns.template_words(rows)
        asked = np.flatnonzero(rows.event == REQUEST)
        requests = rows.take(asked)
        known = windows.of_hour(number, requests.account, requests.at, columns.family_of(requests), words[asked])
        by_time = np.argsort(rows.at, kind="stable")
        aggregates = Aggregates(
            *(_wide(getattr(known, each.name), asked, len(rows))[by_time] for each in fields(Aggregates))
        )
        rows, words = rows.take(by_time), words[by_time]
        yield _Hour(rows, words, aggregates, failovers.of_rows(rows, words))


def _wide(values: npt.NDArray[Any], asked: Integers, count: int) -> npt.NDArray[Any]:
    """The values at their places among all rows, and zeros, which no column shows, at the others."""
    wide: npt.NDArray[Any] = np.zeros(count, dtype=values.dtype)
    wide[asked] = values
    return wide
