"""Finds the hits of one correlation in the rows of a batch, step by step in tables of the engine.

Before windows are looked at one by one, whole groups and times are ruled out: a window of a timespan lies in two
neighbouring spans of the clock, and if it holds n events one of the two holds at least n / 2. So only spans that hold
that much, and their neighbours, are sorted; the result is the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from signatures.backtest.engine import Engine
from signatures.backtest.staging import Staged
from signatures.duckdb_backend import streams, windows
from signatures.duckdb_backend.plans import TEMPORAL, Below, Leaf, Measure, Plan
from signatures.duckdb_backend.windows import keys, same_keys

_COUNTED: Final = frozenset({Measure.EVENTS, Measure.VALUES, Measure.SUM})
_UPWARD: Final = frozenset({">=", ">"})
# What a sum of rounded numbers may lack.
_SLACK: Final = 0.999_999


class Finder:
    """Finds hits for the signatures of one batch; what several correlations need is counted once."""

    def __init__(self, engine: Engine, staged: Staged) -> None:
        self._engine = engine
        self._staged = staged
        self._numbers: Iterator[int] = itertools.count()
        self._spans: dict[tuple[str, int], str] = {}
        self._made: list[str] = []
        self._fired: dict[int, str] = {}

    def find(self, plan: Plan, doing: str) -> str:
        """The table of a correlation's hits. Raises: BacktestError, RefusedError."""
        return self._table(windows.hits(len(plan.group_by), self._firings(plan, doing)), doing)

    def _firings(self, plan: Plan, doing: str) -> str:
        if id(plan) in self._fired:
            return self._fired[id(plan)]
        inner = {
            id(reference.target): self._firings(reference.target, doing)
            for reference in plan.references
            if isinstance(reference.target, Plan)
        }
        select = streams.events(plan, self._staged, lambda each: inner[id(each)])
        events = self._table(f"SELECT * FROM ({select}) e {self._restriction(plan, select, doing)}", doing)
        if (
            plan.measure in TEMPORAL
            and plan.expression is None
            and (plan.sign, plan.threshold)
            == (
                ">=",
                len(plan.references),
            )
        ):
            events = self._table(_complete_groups(plan, events), doing)
        self._fired[id(plan)] = self._table(windows.firings(plan, events), doing)
        self._engine.run(f"DROP TABLE {events}", doing)
        return self._fired[id(plan)]

    def forget(self) -> None:
        """Drop the tables that no later signature needs."""
        for name in self._made:
            self._engine.run(f"DROP TABLE IF EXISTS {name}", "tidying")
        self._made.clear()
        self._fired.clear()

    def forget_shared(self) -> None:
        """Drop what was counted for several signatures of the batch."""
        for name in self._spans.values():
            self._engine.run(f"DROP TABLE {name}", "tidying")
        self._spans.clear()

    def table(self, select: str, doing: str) -> str:
        """Keep the rows of a query until `forget`."""
        return self._table(select, doing)

    def _table(self, select: str, doing: str, *, is_shared: bool = False) -> str:
        name = f"step{next(self._numbers)}"
        self._engine.run(f"CREATE TEMP TABLE {name} AS {select}", doing)
        if not is_shared:
            self._made.append(name)
        return name

    def _restriction(self, plan: Plan, select: str, doing: str) -> str:
        """A join that keeps the events near which a window can satisfy the condition; "" if all have to be kept."""
        is_flat = all(isinstance(reference.target, Leaf) for reference in plan.references)
        if plan.measure not in _COUNTED or plan.sign not in _UPWARD or plan.threshold < 2 or not is_flat:
            return ""
        count, span = len(plan.group_by), plan.timespan_us
        if plan.measure is Measure.SUM:
            spans = self._table(_spans(count, span, select, "sum(greatest(v, 0))"), doing)
        else:
            # Without what is measured, so that correlations on the same groups share the count; a bound all the same.
            leaves = [Below(below.leaf, below.keys, below.keys) for below in plan.leaves]
            spans = self._shared_spans(count, span, streams.matched(leaves, self._staged, [""] * len(leaves)), doing)
        half = f"n * 2 >= {plan.threshold} * {_SLACK if plan.measure is Measure.SUM else 1}"
        near = self._table(
            f"SELECT DISTINCT {keys(count)}, span + step AS span FROM {spans}, (VALUES (-1), (0), (1)) AS s(step) "
            f"WHERE {half}",
            doing,
        )
        return f"SEMI JOIN {near} n ON {same_keys(count, 'e', 'n')} AND e.t // {span} = n.span"

    def _shared_spans(self, count: int, span: int, select: str, doing: str) -> str:
        if (select, span) not in self._spans:
            self._spans[select, span] = self._table(_spans(count, span, select, "count(*)"), doing, is_shared=True)
        return self._spans[select, span]


def _spans(count: int, span: int, select: str, measured: str) -> str:
    group = keys(count)
    return f"SELECT {group}, t // {span} AS span, {measured} AS n FROM ({select}) GROUP BY {group}, t // {span}"


def _complete_groups(plan: Plan, events: str) -> str:
    """The events of groups in which every rule occurs at all."""
    count = len(plan.group_by)
    complete = (
        f"SELECT {keys(count)} FROM {events} GROUP BY {keys(count)} HAVING count(DISTINCT r) = {len(plan.references)}"
    )
    return f"SELECT e.* FROM {events} e SEMI JOIN ({complete}) n ON {same_keys(count, 'e', 'n')}"
