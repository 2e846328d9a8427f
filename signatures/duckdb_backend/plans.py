"""A correlation as a tree: which rules, grouped by which of their fields, over how long, under which condition.

Everything that a query cannot honour is refused here, so that what writes the query need not ask again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sigma.correlations import (
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

    keys: the field for each group-by. needed: every field without which an event takes no part.
    """

    leaf: Leaf
    keys: tuple[str, ...]
    needed: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A correlation.

    group_by: names of the groups' fields, as its hits have them. sign, threshold: the condition on the measure.
    expression: an extended condition of a temporal correlation, else None.
    """

    title: str
    measure: Measure
    references: tuple[Reference, ...]
    group_by: tuple[str, ...]
    timespan_us: int
    sign: str
    threshold: int
    expression: SigmaExtendedCorrelationCondition | None

    def leaves(self) -> Iterator[Below]:
        """Every rule on single events below, as this correlation sees its events."""
        for reference in self.references:
            target = reference.target
            if isinstance(target, Leaf):
                value = () if reference.value is None else (reference.value,)
                yield Below(target, reference.keys, (*reference.keys, *value))
                continue
            places = [target.group_by.index(key) for key in reference.keys]
            for below in target.leaves():
                yield Below(below.leaf, tuple(below.keys[place] for place in places), below.needed)


def plan_of(rule: SigmaCorrelationRule) -> Plan:
    """The plan of a correlation whose references are resolved.

    Raises: RefusedError naming the construct and the rule.
    """
    try:
        return _plan(rule)
    except RefusedError as error:
        raise error.of_rule(rule.title) from None


def _plan(rule: SigmaCorrelationRule) -> Plan:
    try:
        measure = Measure(rule.type.name.lower())
    except ValueError:
        raise RefusedError(f"the correlation type {rule.type.name.lower()}", "it is not computed exactly") from None
    if not rule.group_by:
        raise RefusedError("a correlation without group-by", "its hits would be about nobody")
    sign, threshold, value, expression = _condition(rule, measure)
    references = tuple(_reference(rule, each, value) for each in rule.rules or ())
    return Plan(
        title=rule.title,
        measure=measure,
        references=references,
        group_by=tuple(rule.group_by),
        timespan_us=rule.timespan.seconds * MICROSECONDS,
        sign=sign,
        threshold=threshold,
        expression=expression,
    )


def _condition(
    rule: SigmaCorrelationRule, measure: Measure
) -> tuple[str, int, str | None, SigmaExtendedCorrelationCondition | None]:
    condition, count = rule.condition, len(rule.rules or ())
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        if measure is Measure.IN_ORDER:
            raise RefusedError("temporal_ordered with an expression as condition", "an expression has no order")
        return ">=", count, None, condition
    if not isinstance(condition, SigmaCorrelationCondition):
        raise RefusedError("a correlation without condition", "there is nothing to compare")
    sign = _SIGNS[condition.op]
    if measure is Measure.IN_ORDER and (sign, condition.count) != (">=", count):
        raise RefusedError("temporal_ordered with a count as condition", "which rules then count in order is open")
    value = condition.fieldref
    if isinstance(value, list):
        raise RefusedError("a list as the field of a condition", "it is not said how values of several fields combine")
    return sign, condition.count, value, None


def _reference(rule: SigmaCorrelationRule, reference: Any, value: str | None) -> Reference:
    target = reference.rule
    if isinstance(target, SigmaRule):
        keys = tuple(_key(rule, field, target) for field in rule.group_by or ())
        return Reference(reference.reference, Leaf(target), keys, value)
    inner = plan_of(target)
    keys = tuple(_key(rule, field, target) for field in rule.group_by or ())
    for key in [*keys, *([value] if value is not None else [])]:
        if key not in inner.group_by:
            raise RefusedError(
                "a field of a correlation's hit",
                f"hits of {target.title!a:.60} have its own group-by alone",
                key,
            )
    return Reference(reference.reference, inner, keys, value)


def _key(rule: SigmaCorrelationRule, field: str, target: SigmaRule | SigmaCorrelationRule) -> str:
    alias = rule.aliases.aliases.get(field)
    if alias is None:
        return field
    called = {target.name, str(target.id).lower()}
    for reference, name in alias.mapping.items():
        # pySigma resolves these references in some versions only.
        if reference.reference in called or reference.reference.lower() in called:
            return str(name)
    raise RefusedError("an alias", f"it names no field of the rule {target.title!a:.60}", field)
