"""Correlations as SELECTs over relations of events, step by step: events, moments that fire, hits.

Every relation has key columns g0, g1, … and times in microseconds of UTC.
- events: g…, t, and v (the measured value) or r (place of the rule in the list)
- firings: g…, t, since, value. The correlation fires at t, the time of an event, if the window from t - timespan to t,
  both included, satisfies the condition; `since` is where it begins, in order at the first event of the order, and
  `value` what was measured. With gt and gte it fires if and only if any window of that length satisfies the condition.
- hits: g…, hit, since, until. Firings of one group whose windows meet are one hit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sigma.correlations import CorrelationConditionAND, CorrelationConditionOR, SigmaRuleReference

from signatures.duckdb_backend import literals
from signatures.duckdb_backend.plans import Measure, Plan
from signatures.duckdb_backend.refusals import RefusedError


def keys(count: int, prefix: str = "") -> str:
    """The key columns, for a select list or a clause."""
    return ", ".join(f"{prefix}g{place}" for place in range(count))


def same_keys(count: int, one: str, other: str) -> str:
    """The condition that two relations' keys are equal."""
    return " AND ".join(f"{one}.g{place} = {other}.g{place}" for place in range(count))


def firings(plan: Plan, events: str) -> str:
    """The moments at which a correlation fires."""
    match plan.measure:
        case Measure.IN_ORDER:
            return _in_order(plan, events)
        case Measure.TOGETHER:
            return _together(plan, events)
        case Measure.VALUES:
            return _distinct(plan, events)
    value, fires = {
        Measure.EVENTS: ("count(*) OVER w", "count(*) OVER w {sign} {threshold}"),
        Measure.SUM: ("sum(v) OVER w", "sum(v) OVER w {sign} {threshold}"),
        # Compared without a division, so that whole numbers stay exact.
        Measure.AVERAGE: (
            "sum(v) OVER w / count(v) OVER w",
            "count(v) OVER w > 0 AND sum(v) OVER w {sign} {threshold} * count(v) OVER w",
        ),
    }[plan.measure]
    group = keys(len(plan.group_by))
    condition = fires.format(sign=plan.sign, threshold=literals.number(plan.threshold))
    inner = (
        f"SELECT {group}, t, {value} AS value, {condition} AS fires FROM {events} "
        f"WINDOW w AS (PARTITION BY {group} ORDER BY t RANGE BETWEEN {plan.timespan_us} PRECEDING AND CURRENT ROW)"
    )
    return _moments(plan, inner, "fires")


def _distinct(plan: Plan, events: str) -> str:
    """Distinct values: each is in the window from an occurrence on, until no occurrence is left in it.

    A value counts from one that none came before within the timespan, until just after a timespan from one that none
    follows.
    """
    group, span = keys(len(plan.group_by)), plan.timespan_us
    value = f"(PARTITION BY {group}, v ORDER BY t)"
    neighbours = f"SELECT {group}, t, v, lag(t) OVER {value} AS before, lead(t) OVER {value} AS after FROM {events}"
    begins = f"CASE WHEN v IS NULL OR t - before <= {span} THEN 0 ELSE 1 END"
    steps = (
        f"SELECT {group}, t, {begins} AS step, TRUE AS is_event FROM n UNION ALL "
        f"SELECT {group}, t + {span + 1}, -1, FALSE FROM n "
        f"WHERE v IS NOT NULL AND (after IS NULL OR after - t > {span})"
    )
    counted = (
        f"SELECT {group}, t, is_event, "
        f"sum(step) OVER (PARTITION BY {group} ORDER BY t RANGE UNBOUNDED PRECEDING) AS value FROM s"
    )
    inner = f"WITH n AS ({neighbours}), s AS ({steps}) {counted}"
    return _moments(plan, inner, f"is_event AND value {plan.sign} {literals.number(plan.threshold)}")


def _together(plan: Plan, events: str) -> str:
    group = keys(len(plan.group_by))
    places = range(len(plan.references))
    latest = ", ".join(f"max(t) FILTER (WHERE r = {place}) OVER w AS t{place}" for place in places)
    inner = (
        f"SELECT {group}, t, {latest} FROM {events} "
        f"WINDOW w AS (PARTITION BY {group} ORDER BY t RANGE UNBOUNDED PRECEDING)"
    )
    present = [f"coalesce(t{place} >= t - {plan.timespan_us}, FALSE)" for place in places]
    number = " + ".join(f"CAST({each} AS INTEGER)" for each in present)
    condition = f"{number} {plan.sign} {literals.number(plan.threshold)}"
    if plan.expression is not None:
        present_by_name = dict(zip((each.name for each in plan.references), present, strict=True))
        condition = _expression(plan.expression.parsed, present_by_name)
    return _moments(plan, inner, condition, number)


def _expression(node: Any, present: Mapping[str, str]) -> str:
    match node:
        case SigmaRuleReference() if node.reference in present:
            return present[node.reference]
        case CorrelationConditionAND() | CorrelationConditionOR():
            operator = " AND " if isinstance(node, CorrelationConditionAND) else " OR "
            return "(" + operator.join(_expression(each, present) for each in node.args) + ")"
    raise RefusedError("an expression as condition", "it names a rule that is not in the list")


def _in_order(plan: Plan, events: str) -> str:
    """For each event the latest begin of a chain of events, one of each rule, that are one after the other."""
    group = keys(len(plan.group_by))
    before = f"OVER (PARTITION BY {group} ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    select = f"SELECT {group}, t, r, CASE WHEN r = 0 THEN t END AS begin FROM {events}"
    for place in range(1, len(plan.references)):
        begin = f"CASE WHEN r = {place} THEN max(begin) FILTER (WHERE r = {place - 1}) {before} ELSE begin END"
        select = f"SELECT {group}, t, r, {begin} AS begin FROM ({select})"
    last = len(plan.references) - 1
    return (
        f"SELECT {group}, t, max(begin) AS since, {last + 1} AS value FROM ({select}) "
        f"WHERE r = {last} AND t - begin <= {plan.timespan_us} GROUP BY {group}, t"
    )


def _moments(plan: Plan, inner: str, condition: str, value: str = "value") -> str:
    group = keys(len(plan.group_by))
    since = f"t - {plan.timespan_us}"
    return f"SELECT DISTINCT {group}, t, {since} AS since, {value} AS value FROM ({inner}) WHERE {condition}"


def hits(count: int, fired: str) -> str:
    """Firings whose windows meet, as one hit each; `until` is the last moment that fires."""
    group = keys(count)
    order = f"(PARTITION BY {group} ORDER BY t)"
    breaks = f"SELECT {group}, t, since, coalesce(since > lag(t) OVER {order}, TRUE) AS is_first FROM {fired}"
    runs = f"SELECT *, sum(CAST(is_first AS INTEGER)) OVER {order} AS hit FROM ({breaks})"
    bounds = "min(since) AS since, max(t) AS until"
    return f"SELECT {group}, hit, {bounds} FROM ({runs}) GROUP BY {group}, hit"


def behind(count: int, found: str, events: str, columns: str) -> str:
    """The events behind each hit: key columns, hit, and the named columns of the events. Hits of a group never meet."""
    return (
        f"SELECT {keys(count, 'e.')}, h.hit, {columns} FROM {events} e ASOF JOIN {found} h "
        f"ON {same_keys(count, 'e', 'h')} AND e.t >= h.since WHERE e.t <= h.until"
    )
