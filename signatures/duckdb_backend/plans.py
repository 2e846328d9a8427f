"""A correlation as a tree: which rules, grouped by which of their fields, over how long, under which condition.

Everything that a query cannot honour is refused here, so that what writes the query need not ask again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sigma.correlations import (
    CorrelationConditionItem,
    CorrelationConditionNOT,
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaExtendedCorrelationCondition,
)
from sigma.rule import SigmaRule

from signatures.duckdb_backend.refusals import RefusedError

MICROSECONDS: Final = 1_000_000


class Measure(StrEnum):
    """What a correlation looks at in its window."""

    EVENTS = "event_count"
    VALUES = "value_count"
    SUM = "value_sum"
    AVERAGE = "value_avg"
    TOGETHER = "temporal"
    IN_ORDER = "temporal_ordered"


TEMPORAL: Final = frozenset({Measure.TOGETHER, Measure.IN_ORDER})
# What is zero where there are no events: a window that nobody looks at would satisfy other conditions.
COUNTS: Final = frozenset({Measure.EVENTS, Measure.VALUES, Measure.TOGETHER})
_SIGNS: Final[Mapping[SigmaCorrelationConditionOperator, str]] = {
    SigmaCorrelationConditionOperator.LT: "<",
    SigmaCorrelationConditionOperator.LTE: "<=",
    SigmaCorrelationConditionOperator.GT: ">",
    SigmaCorrelationConditionOperator.GTE: ">=",
    SigmaCorrelationConditionOperator.EQ: "=",
    SigmaCorrelationConditionOperator.NEQ: "<>",
}


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A rule on single events. eq: each rule is itself."""

    rule: SigmaRule


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A rule of a correlation. keys: the field of it for each group-by. value: the field that is measured, or None.

    name: as the correlation calls it.
    """

    name: str
    target: Leaf | Plan
    keys: tuple[str, ...]
    value: str | None


@dataclass(frozen=True, slots=True)
class Below:
    """A rule on single events below a correlation.

    keys: the field for each group-by. needed: every field without which an event takes no part, those of inner groups
    included.
    """

    leaf: Leaf
    keys: tuple[str, ...]
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A correlation.

    group_by: names of the groups' fields, as its hits have them. sign, threshold: the condition on the measure.
    expression: an extended condition of a temporal correlation, else None.
    leaves: every rule on single events below, as this correlation sees its events. measured: every field that is
    measured here or below.
    """

    title: str
    measure: Measure
    references: tuple[Reference, ...]
    group_by: tuple[str, ...]
    timespan_us: int
    sign: str
    threshold: int
    expression: SigmaExtendedCorrelationCondition | None
    leaves: tuple[Below, ...]
    measured: tuple[str, ...]


def plan_of(rule: SigmaCorrelationRule) -> Plan:
    """The plan of a correlation whose references are resolved.

    Raises: RefusedError naming the construct and the rule.
    """
    return _plan_of(rule, {})


# What is known of a rule, by its identity: correlations that share what they refer to would double it at every level.
_Known = dict[int, Leaf | Plan]


def _plan_of(rule: SigmaCorrelationRule, known: _Known) -> Plan:
    try:
        return _plan(rule, known)
    except RefusedError as error:
        raise error.of_rule(rule.title) from None


def _plan(rule: SigmaCorrelationRule, known: _Known) -> Plan:
    try:
        measure = Measure(rule.type.name.lower())
    except ValueError:
        raise RefusedError(f"the correlation type {rule.type.name.lower()}", "it is not computed exactly") from None
    if not rule.group_by:
        raise RefusedError("a correlation without group-by", "its hits would be about nobody")
    sign, threshold, value, expression = _condition(rule, measure)
    references = tuple(_reference(rule, each, value, known) for each in rule.rules or ())
    return Plan(
        title=rule.title,
        measure=measure,
        references=references,
        group_by=tuple(rule.group_by),
        timespan_us=rule.timespan.seconds * MICROSECONDS,
        sign=sign,
        threshold=threshold,
        expression=expression,
        leaves=tuple(dict.fromkeys(below for reference in references for below in _below(reference))),
        measured=tuple(dict.fromkeys(field for reference in references for field in _measured(reference))),
    )


def _below(reference: Reference) -> Iterator[Below]:
    target = reference.target
    if isinstance(target, Leaf):
        yield Below(target, reference.keys, reference.keys)
        return
    places = [target.group_by.index(key) for key in reference.keys]
    for below in target.leaves:
        yield Below(below.leaf, tuple(below.keys[place] for place in places), below.needed)


def _measured(reference: Reference) -> tuple[str, ...]:
    if isinstance(reference.target, Plan):
        return reference.target.measured
    return () if reference.value is None else (reference.value,)


def _condition(
    rule: SigmaCorrelationRule, measure: Measure
) -> tuple[str, int, str | None, SigmaExtendedCorrelationCondition | None]:
    condition, count = rule.condition, len(rule.rules or ())
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        if measure is Measure.IN_ORDER:
            raise RefusedError("temporal_ordered with an expression as condition", "an expression has no order")
        if _negates(condition.parsed):
            raise RefusedError("not in a temporal condition", "what has not happened leaves nothing to find")
        return ">=", count, None, condition
    if not isinstance(condition, SigmaCorrelationCondition):
        raise RefusedError("a correlation without condition", "there is nothing to compare")
    sign = _SIGNS[condition.op]
    if measure is Measure.IN_ORDER and (sign, condition.count) != (">=", count):
        raise RefusedError("temporal_ordered with a count as condition", "which rules then count in order is open")
    if measure in COUNTS and sign not in {">=", ">"}:
        raise RefusedError("a count with lt, lte, eq or neq", "a group without events leaves nothing to count")
    value = condition.fieldref
    if isinstance(value, list):
        raise RefusedError("a list as the field of a condition", "it is not said how values of several fields combine")
    return sign, condition.count, value, None


def _negates(node: Any) -> bool:
    if isinstance(node, CorrelationConditionNOT):
        return True
    return isinstance(node, CorrelationConditionItem) and any(map(_negates, node.args))


def _reference(rule: SigmaCorrelationRule, reference: Any, value: str | None, known: _Known) -> Reference:
    rule_below = reference.rule
    keys = tuple(_field(rule, field, rule_below) for field in rule.group_by or ())
    measured = None if value is None else _field(rule, value, rule_below)
    if id(rule_below) not in known:
        is_leaf = isinstance(rule_below, SigmaRule)
        known[id(rule_below)] = Leaf(rule_below) if is_leaf else _plan_of(rule_below, known)
    target = known[id(rule_below)]
    for key in [*keys, *([measured] if measured is not None else [])]:
        if isinstance(target, Plan) and key not in target.group_by:
            raise RefusedError(
                "a field of a correlation's hit",
                f"hits of {target.title!a:.60} have its own group-by alone",
                key,
            )
    return Reference(reference.reference, target, keys, measured)


def _field(rule: SigmaCorrelationRule, field: str, target: SigmaRule | SigmaCorrelationRule) -> str:
    """What a field of a correlation is called in a rule of it; an inner correlation may have the alias itself."""
    alias = rule.aliases.aliases.get(field)
    if alias is None:
        return field
    called = {target.name, str(target.id).lower()}
    for reference, name in alias.mapping.items():
        # pySigma resolves these references in some versions only.
        if reference.reference in called or reference.reference.lower() in called:
            return str(name)
    if isinstance(target, SigmaCorrelationRule):
        return field
    raise RefusedError("an alias", f"it names no field of the rule {target.title!a:.60}", field)
