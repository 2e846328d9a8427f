"""The relations of events that a correlation looks at, from rules on rows and from correlations below it.

An outer correlation sees an inner one as an event at each moment at which it fires, with the inner group-by fields.
Events without a value for every key take no part; one without what is measured ends a window, and adds nothing to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sigma.rule import SigmaRule

from signatures.duckdb_backend.columns import Column, Kind
from signatures.duckdb_backend.numbers import number_in_text
from signatures.duckdb_backend.plans import TEMPORAL, Below, Leaf, Measure, Plan
from signatures.duckdb_backend.refusals import RefusedError


class Rows(Protocol):
    """The log: a relation, when each row happened, what its columns are, which rows a rule matches."""

    @property
    def relation(self) -> str:
        """Name of the relation."""

    @property
    def time(self) -> str:
        """Expression for microseconds of UTC, NULL for a row without a time."""

    def column(self, field: str) -> Column | None:
        """The column of a field, None if no event has it."""

    def predicate(self, rule: SigmaRule) -> str:
        """The condition that a row matches a rule. Raises: RefusedError."""


def events(plan: Plan, rows: Rows, fired: Callable[[Plan], str]) -> str:
    """The events of a correlation: keys, t, and v or r as `windows` wants them. fired: firings of inner ones."""
    if plan.measure not in TEMPORAL and all(isinstance(each.target, Leaf) for each in plan.references):
        leaves = [Below(each.target, each.keys, each.keys) for each in plan.references if isinstance(each.target, Leaf)]
        return matched(leaves, rows, [_value(rows, each.value, plan) for each in plan.references])
    selects = []
    for place, reference in enumerate(plan.references):
        extra = f"{place} AS r" if plan.measure in TEMPORAL else ""
        if isinstance(reference.target, Leaf):
            below = Below(reference.target, reference.keys, reference.keys)
            selects.append(matched([below], rows, [extra or _value(rows, reference.value, plan)]))
        else:
            selects.append(_inner(plan, place, reference.target, fired(reference.target)))
    return " UNION ALL ".join(selects)


def behind(plan: Plan, rows: Rows, extra: str = "") -> str:
    """The rows below a correlation, whatever is between: what stands behind its hits."""
    leaves = list(plan.leaves)
    return matched(leaves, rows, [extra] * len(leaves))


def matched(leaves: Sequence[Below], rows: Rows, extras: Sequence[str]) -> str:
    """Rows that one of the rules matches, once for each entity. extras: a select list for each rule, "" for nothing."""
    predicates: dict[tuple[tuple[str, ...], tuple[str, ...], str], list[str]] = {}
    for below, extra in zip(leaves, extras, strict=True):
        columns = tuple(_key(rows, field) for field in below.keys)
        needed = tuple(dict.fromkeys([*(_key(rows, field) for field in below.needed), rows.time]))
        predicates.setdefault((columns, needed, extra), []).append(rows.predicate(below.leaf.rule))
    selects, earlier = [], list[tuple[tuple[str, ...], str]]()
    for (columns, needed, extra), alternatives in predicates.items():
        own = " AND ".join([*(f"{sql} IS NOT NULL" for sql in needed), f"({' OR '.join(dict.fromkeys(alternatives))})"])
        # In the same order everywhere, because UNION goes by it.
        listed = [f"{rows.time} AS t", *(f"{sql} AS g{place}" for place, sql in enumerate(columns))]
        listed += [extra] if extra else []
        # What an earlier select gave for the same entity already.
        others = [f" AND NOT coalesce({_equal(columns, keys)} AND {each}, FALSE)" for keys, each in earlier]
        selects.append(f"SELECT {', '.join(listed)} FROM {rows.relation} WHERE {own}{''.join(others)}")
        earlier.append((columns, own))
    return " UNION ALL ".join(selects)


def _equal(columns: Sequence[str], others: Sequence[str]) -> str:
    return " AND ".join(f"{one} = {other}" for one, other in zip(columns, others, strict=True))


def _inner(plan: Plan, place: int, inner: Plan, fired: str) -> str:
    reference = plan.references[place]
    listed = [f"g{inner.group_by.index(key)} AS g{number}" for number, key in enumerate(reference.keys)]
    if plan.measure in TEMPORAL:
        listed.append(f"{place} AS r")
    elif reference.value is not None:
        key = f"g{inner.group_by.index(reference.value)}"
        listed.append(f"{key if plan.measure is Measure.VALUES else number_in_text(key)} AS v")
    return f"SELECT t, {', '.join(listed)} FROM {fired}"


def _key(rows: Rows, field: str) -> str:
    """Keys are texts: what is shown of an entity, and equal if the values are."""
    column = rows.column(field)
    if column is None:
        return "CAST(NULL AS VARCHAR)"
    return column.sql if column.kind is Kind.TEXT else f"CAST({column.sql} AS VARCHAR)"


def _value(rows: Rows, field: str | None, plan: Plan) -> str:
    if field is None:
        return ""
    column = rows.column(field)
    if column is None:
        return "CAST(NULL AS DOUBLE) AS v"
    if plan.measure is Measure.VALUES or column.kind is Kind.INTEGER:
        return f"{column.sql} AS v"
    if column.kind is Kind.NUMBER:
        # NaN is no number, and one of it would make a sum NaN.
        return f"nullif({column.sql}, CAST('nan' AS DOUBLE)) AS v"
    if column.kind in {Kind.TEXT, Kind.UNKNOWN}:
        return f"{number_in_text(column.sql)} AS v"
    raise RefusedError(f"{plan.measure} of a field that is no number", f"it is of kind {column.kind}", field)
