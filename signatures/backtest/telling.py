"""Tells what stands behind the hits of a signature: events, accounts, entities, days, and campaigns of the labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from signatures.backtest.engine import Engine
from signatures.backtest.finding import Finder
from signatures.backtest.results import (
    MAX_ACCOUNTS,
    MAX_ENTITIES,
    MAX_WINDOWS,
    Campaign,
    Entity,
    Judgement,
    Outcome,
    Window,
)
from signatures.backtest.signatures import Signature
from signatures.backtest.staging import ACCOUNT_FIELD, Staged
from signatures.duckdb_backend import streams, windows
from signatures.duckdb_backend.columns import Kind
from signatures.duckdb_backend.plans import Leaf, Plan
from signatures.duckdb_backend.windows import keys

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Labels:
    """The label column's campaigns: events and accounts of each. field: "" if nobody asked."""

    field: str
    campaigns: Mapping[str, tuple[int, int]]


def account_and_label(staged: Staged, label: str) -> str:
    """The select list of an event's account `a` and campaign `l`."""
    listed = []
    for name, field in (("a", ACCOUNT_FIELD), ("l", label)):
        column = staged.column(field)
        sql = "NULL" if column is None else column.sql
        text = sql if column is not None and column.kind is Kind.TEXT else f"CAST({sql} AS VARCHAR)"
        listed.append(f"nullif({text}, '') AS {name}")
    return ", ".join(listed)


def tell(engine: Engine, finder: Finder, staged: Staged, signature: Signature, labels: Labels, doing: str) -> Outcome:
    """Test one signature of a batch. Raises: BacktestError, RefusedError."""
    test = signature.test
    extra = account_and_label(staged, labels.field)
    if isinstance(test, Plan):
        count, fields = len(test.group_by), list(test.group_by)
        found = finder.find(test, doing)
        rows = streams.behind(test, staged, extra)
        groups = f"SELECT DISTINCT {keys(count)} FROM {found}"
        near = f"(SELECT m.* FROM ({rows}) m SEMI JOIN ({groups}) n ON {windows.same_keys(count, 'm', 'n')})"
        behind = finder.table(windows.behind(count, found, near, "e.t, e.a, e.l"), doing)
    elif isinstance(test, Leaf):
        # Each event is a hit of its own, and its account is the entity.
        count, fields = 1, [ACCOUNT_FIELD]
        select = f"SELECT t, rowid AS hit, {extra} FROM {staged.relation} WHERE {staged.predicate(test.rule)}"
        behind = finder.table(f"SELECT coalesce(a, '') AS g0, * FROM ({select})", doing)
    else:
        return Outcome(signature)
    hits = finder.table(_hits(behind, count, is_single=isinstance(test, Leaf)), doing)
    return _Teller(engine, behind, hits, fields, labels).outcome(signature)


def _hits(behind: str, count: int, *, is_single: bool) -> str:
    """A row for each hit: keys, hit, first and last time, events, labelled events, accounts."""
    if is_single:
        measured = "t AS s, t AS e, 1 AS n, CAST(l IS NOT NULL AS INTEGER) AS nl, CAST(a IS NOT NULL AS INTEGER) AS na"
        return f"SELECT g0, hit, {measured} FROM {behind}"
    measured = "min(t) AS s, max(t) AS e, count(*) AS n, count(l) AS nl, count(DISTINCT a) AS na"
    return f"SELECT {keys(count)}, hit, {measured} FROM {behind} GROUP BY {keys(count)}, hit"


class _Teller:
    """Reads the answers from the tables of events behind hits and of hits."""

    def __init__(self, engine: Engine, behind: str, hits: str, fields: list[str], labels: Labels) -> None:
        self._engine = engine
        self._behind = behind
        self._hits = hits
        self._fields = fields
        self._keys = keys(len(fields))
        self._labels = labels

    def outcome(self, signature: Signature) -> Outcome:
        count, events = self._engine.row(f"SELECT count(*), coalesce(sum(n), 0) FROM {self._hits}")
        (entities,) = self._engine.row(f"SELECT count(*) FROM (SELECT DISTINCT {self._keys} FROM {self._hits})")
        (accounts,) = self._engine.row(f"SELECT count(DISTINCT a) FROM {self._behind}")
        return Outcome(
            signature=signature,
            hits=int(count),
            events=int(events),
            entity_count=int(entities),
            account_count=int(accounts),
            entities=self._entities(),
            windows=self._windows(),
            days=self._days(),
            judgement=self._judgement(int(count), int(events)) if self._labels.field else None,
        )

    def _named(self, values: tuple[Any, ...]) -> dict[str, str]:
        return dict(zip(self._fields, values, strict=False))

    def _entities(self) -> list[Entity]:
        rows = self._engine.rows(
            f"SELECT {self._keys}, count(*), sum(n) AS events, min(s), max(e) FROM {self._hits} "
            f"GROUP BY {self._keys} ORDER BY events DESC, {self._keys} LIMIT {MAX_ENTITIES}"
        )
        return [Entity(self._named(row), int(row[-4]), int(row[-3]), moment(row[-2]), moment(row[-1])) for row in rows]

    def _windows(self) -> list[Window]:
        top = f"SELECT * FROM {self._hits} ORDER BY n DESC, s, {self._keys}, hit LIMIT {MAX_WINDOWS}"
        places = len(self._fields)
        accounts: dict[tuple[Any, ...], list[str]] = {}
        equal = windows.same_keys(places, "b", "p")
        for row in self._engine.rows(
            f"SELECT {keys(places, 'b.')}, b.hit, b.a FROM {self._behind} b SEMI JOIN ({top}) p ON {equal} "
            f"AND b.hit = p.hit WHERE b.a IS NOT NULL GROUP BY {keys(places, 'b.')}, b.hit, b.a "
            f"QUALIFY row_number() OVER (PARTITION BY {keys(places, 'b.')}, b.hit ORDER BY b.a) <= {MAX_ACCOUNTS}"
        ):
            accounts.setdefault(row[:-1], []).append(str(row[-1]))
        return [
            Window(
                fields=self._named(row),
                start=moment(row[places + 1]),
                end=moment(row[places + 2]),
                events=int(row[places + 3]),
                account_count=int(row[places + 5]),
                accounts=sorted(accounts.get(row[: places + 1], [])),
                events_labelled=int(row[places + 4]) if self._labels.field else None,
            )
            for row in self._engine.rows(top)
        ]

    def _days(self) -> dict[date, int]:
        rows = self._engine.rows(f"SELECT s // {_DAY_US}, count(*) FROM {self._hits} GROUP BY ALL ORDER BY ALL")
        return {(_EPOCH + timedelta(days=int(day))).date(): int(count) for day, count in rows}

    def _judgement(self, hits: int, events: int) -> Judgement:
        is_true = "nl * 2 > n"
        true_hits, true_events = self._engine.row(
            f"SELECT count(*) FILTER (WHERE {is_true}), coalesce(sum(nl), 0) FROM {self._hits}"
        )
        equal = windows.same_keys(len(self._fields), "b", "p")
        rows = self._engine.rows(
            f"SELECT b.l, count(*), count(DISTINCT b.a) FROM {self._behind} b SEMI JOIN "
            f"(SELECT * FROM {self._hits} WHERE {is_true}) p ON {equal} AND b.hit = p.hit "
            f"WHERE b.l IS NOT NULL GROUP BY b.l"
        )
        found = {str(row[0]): (int(row[1]), int(row[2])) for row in rows}
        campaigns = [
            Campaign(name, events, found.get(name, (0, 0))[0], accounts, found.get(name, (0, 0))[1])
            for name, (events, accounts) in sorted(self._labels.campaigns.items())
        ]
        return Judgement(
            hits=hits,
            hits_true=int(true_hits),
            events=events,
            events_true=int(true_events),
            events_labelled=sum(events for events, _accounts in self._labels.campaigns.values()),
            campaigns=campaigns,
        )


def moment(microseconds: int) -> datetime:
    """A time of the engine."""
    return _EPOCH + timedelta(microseconds=int(microseconds))
