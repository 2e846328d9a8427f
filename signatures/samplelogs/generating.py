"""Makes a sample log: plans it, settles the actors, and writes hour after hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from signatures.samplelogs.accounts import NO_TEMPLATE, Account, TemplateBook
from signatures.samplelogs.columns import Columns
from signatures.samplelogs.draws import drawn, key_of
from signatures.samplelogs.failovers import Failovers
from signatures.samplelogs.honest import settle
from signatures.samplelogs.operators import Campaign, moved_into, run_campaign
from signatures.samplelogs.planning import Plan, SampleOptions, make_plan
from signatures.samplelogs.rows import BLOCKED, CREATED, KEY_CREATED, REQUEST, UNBLOCKED, Rows, joined
from signatures.samplelogs.span import Span
from signatures.samplelogs.traffic import HonestTraffic
from signatures.samplelogs.units import MS_PER_HOUR, MS_PER_MINUTE
from signatures.samplelogs.windows import Aggregates, Windows
from signatures.samplelogs.writing import whole_file

_KEY_AFTER_MS: Final = 2 * MS_PER_MINUTE
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class SampleReport:
    """What was made. campaigns: events by name. left_out: campaigns that so few rows have no room for."""

    out: Path
    rows: int
    days: float
    accounts: int
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
    written: Counter[tuple[str, str]] = Counter()
    with whole_file(options.out) as writer:
        log = _Log(plan)
        for table in log.tables():
            writer.write(table)
            written.update(_labels(table))
            on_progress(written.total())
    return SampleReport(
        out=options.out,
        rows=written.total(),
        days=plan.span.days,
        accounts=len(log.accounts),
        campaigns=_by_name({campaign: count for (campaign, _like), count in written.items() if campaign}),
        lookalikes=_by_name({like: count for (_campaign, like), count in written.items() if like}),
        left_out=plan.left_out,
    )


def _by_name(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _labels(table: pa.Table) -> dict[tuple[str, str], int]:
    names = ["llmx.label.campaign", "llmx.label.lookalike"]
    counted = table.group_by(names).aggregate([([], "count_all")]).to_pylist()
    return {(row[names[0]], row[names[1]]): row["count_all"] for row in counted}


class _Log:
    """Everything that is decided before the first hour, and then the hours."""

    def __init__(self, plan: Plan) -> None:
        seed, self._span = plan.options.seed, plan.span
        book = TemplateBook()
        campaigns = [
            moved_into(run_campaign(each.name, each.number, each.size, book, seed, self._span), self._span)
            for each in plan.campaigns
        ]
        rows = plan.options.rows - sum(len(campaign.events) for campaign in campaigns)
        honest = settle(book, seed, self._span, rows)
        events = _account_events(honest, self._span, rows // 4)
        self._traffic = HonestTraffic(honest, seed, self._span, rows - len(events))
        self.accounts: list[Account] = honest + [account for each in campaigns for account in each.accounts]
        planted = [*events, *_campaign_events(campaigns, len(honest))]
        planted.sort()
        self._planted = _rows_of(planted, key_of(seed, "planted"))
        self._columns = Columns(self.accounts, book, seed, self._span)

    def tables(self) -> Iterator[pa.Table]:
        """The events of each hour, by time."""
        columns, failovers = self._columns, Failovers()
        windows = Windows(columns.quotas, columns.created, columns.families)
        for hour in range(self._span.hours):
            rows = joined([self._traffic.rows(hour), self._planted_in(hour)])
            rows = rows.take(np.lexsort((rows.event, rows.at, rows.account)))
            words = columns.template_words(rows)
            asked = np.flatnonzero(rows.event == REQUEST)
            requests = rows.take(asked)
            aggregates = windows.of_hour(
                hour, requests.account, requests.at, columns.family_of(requests), words[asked]
            )
            aggregates = _spread_over(aggregates, asked, len(rows))
            by_time = np.argsort(rows.at, kind="stable")
            rows, words = rows.take(by_time), words[by_time]
            aggregates = Aggregates(*(getattr(aggregates, each.name)[by_time] for each in fields(Aggregates)))
            if len(rows):
                yield columns.table(rows, words, aggregates, failovers.of_rows(rows, words))

    def _planted_in(self, hour: int) -> Rows:
        begin = self._span.start_ms + hour * MS_PER_HOUR
        first, last = np.searchsorted(self._planted.at, [begin, begin + MS_PER_HOUR])
        return self._planted.take(slice(int(first), int(last)))


def _spread_over(aggregates: Aggregates, asked: Any, count: int) -> Aggregates:
    """The same for all rows; those without requests get zeros, which no column shows."""
    spread = []
    for each in fields(Aggregates):
        values = getattr(aggregates, each.name)
        wide = np.zeros(count, dtype=values.dtype)
        wide[asked] = values
        spread.append(wide)
    return Aggregates(*spread)


_Planted = tuple[int, int, int, int, int, bool, bool]
"""at, account, event, template, model, is_loose, is_shut_out."""


def _account_events(accounts: Sequence[Account], span: Span, most: int) -> list[_Planted]:
    """What happens to honest accounts within the log; not more than `most`, the first accounts first."""
    events: list[_Planted] = []
    for number, account in enumerate(accounts):
        happened = [
            (account.created_ms, CREATED, NO_TEMPLATE),
            (account.created_ms + _KEY_AFTER_MS, KEY_CREATED, NO_TEMPLATE),
        ]
        for begin, end in account.blocks:
            happened += [(begin, BLOCKED, account.templates[0]), (end, UNBLOCKED, NO_TEMPLATE)]
        events += [
            (at, number, event, template, 0, False, False)
            for at, event, template in happened
            if span.start_ms <= at < span.end_ms
        ]
    return events[:most]


def _campaign_events(campaigns: Sequence[Campaign], first: int) -> Iterator[_Planted]:
    for campaign in campaigns:
        for event in campaign.events:
            number = first + event.account
            yield (
                event.at, number, event.event, event.template, event.model, event.is_loose, event.is_shut_out,
            )  # fmt: skip
        first += len(campaign.accounts)


def _rows_of(planted: Sequence[_Planted], key: int) -> Rows:
    table = np.array(planted, dtype=np.int64).reshape(-1, 7)
    return Rows(
        account=table[:, 1],
        at=table[:, 0],
        template=table[:, 3],
        word=drawn(key, np.arange(len(table))),
        model=table[:, 4],
        event=table[:, 2],
        is_loose=table[:, 5].astype(bool),
        is_shut_out=table[:, 6].astype(bool),
    )
