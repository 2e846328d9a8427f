"""A correlation, digested: what each backend writes its query from.

A window is sliding: it ends at an event and reaches back one time span, both ends included. Events without a value in a
group-by field are in no group. The answer is one row for each group and window whose condition holds.
"""

from dataclasses import dataclass
from typing import Any

from sigma.correlations import (
    CorrelationConditionAND,
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaCorrelationType,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.rule import SigmaRule

from exchange.stix.errors import shown
from signatures.conversion.constructs import Construct
from signatures.conversion.errors import Refusal, RefusedError


@dataclass(frozen=True, slots=True)
class Source:
    """One referenced rule. keys: its field for each group-by field. value: its field that is counted or summed."""

    rule: SigmaRule | SigmaCorrelationRule
    keys: tuple[str, ...]
    value: str | None

    @property
    def predicate(self) -> str:
        """The converted condition of a rule that is no correlation."""
        return str(self.rule.get_conversion_result()[0])


@dataclass(frozen=True, slots=True)
class Plan:
    """keys: names of the groups in the answer. operator, threshold: of the condition; logic: of a text condition."""

    kind: SigmaCorrelationType
    keys: tuple[str, ...]
    sources: tuple[Source, ...]
    span_s: int
    operator: str
    threshold: int
    logic: Any = None

    @property
    def is_temporal(self) -> bool:
        """Whether it asks which rules matched, not how much."""
        return self.kind in (SigmaCorrelationType.TEMPORAL, SigmaCorrelationType.TEMPORAL_ORDERED)


_OPERATORS = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "EQ": "=", "NEQ": "<>"}


def plan_of(rule: SigmaCorrelationRule, place: str = "correlation") -> Plan:
    """The plan of a resolved correlation.

    Raises: RefusedError for groups that an inner correlation or an alias does not give.
    """
    keys = tuple(rule.group_by or ())
    field = getattr(rule.condition, "fieldref", None)
    sources = tuple(_source(rule, reference, keys, field, place) for reference in rule.rules or ())
    plan = Plan(rule.type, keys, sources, rule.timespan.seconds, *_condition(rule.condition))
    if not plan.is_temporal and len({(source.keys, source.value) for source in sources}) > 1:
        reason = "one count over rules with different fields would count an event twice"
        raise RefusedError(Refusal(Construct.ALIASES, place, reason))
    return plan


def _condition(condition: Any) -> tuple[str, int, Any]:
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        return "", 0, condition.parsed
    assert isinstance(condition, SigmaCorrelationCondition)
    return _OPERATORS[condition.op.name], int(condition.count), None


def _source(
    rule: SigmaCorrelationRule, reference: SigmaRuleReference, keys: tuple[str, ...], field: Any, place: str
) -> Source:
    fields = {alias.alias: _aliased(alias, reference, place) for alias in rule.aliases if alias.alias in (*keys, field)}
    named = [fields.get(key, key) for key in keys]
    value = None if field is None else fields.get(field, field)
    if isinstance(reference.rule, SigmaCorrelationRule):
        carried = reference.rule.group_by or ()
        for name in (*named, *([value] if value is not None else [])):
            if name not in carried:
                reason = f"{shown(name)} is not in the group-by of {shown(reference.reference)}"
                raise RefusedError(Refusal(Construct.CHAINED_FIELD, place, reason))
    return Source(reference.rule, tuple(named), value)


def _aliased(alias: Any, reference: SigmaRuleReference, place: str) -> str:
    wanted = {reference.reference, reference.rule.name, str(reference.rule.id)}
    for mapped, field in alias.mapping.items():
        if mapped.reference in wanted:
            return str(field)
    if isinstance(reference.rule, SigmaCorrelationRule):
        return str(alias.alias)
    reason = f"{shown(alias.alias)} has no field for {shown(reference.reference)}"
    raise RefusedError(Refusal(Construct.ALIASES, place, reason))


def presence_logic(logic: Any, plan: Plan, present: list[str], conjunction: str, disjunction: str) -> str:
    """A text condition of a temporal correlation, with `present[i]` for the i-th rule. It holds no `not`."""
    if isinstance(logic, SigmaRuleReference):
        return present[_position(logic, plan)]
    joiner = conjunction if isinstance(logic, CorrelationConditionAND) else disjunction
    inner = [presence_logic(item, plan, present, conjunction, disjunction) for item in logic.args]
    return "(" + f" {joiner} ".join(inner) + ")"


def _position(reference: SigmaRuleReference, plan: Plan) -> int:
    for position, source in enumerate(plan.sources):
        if reference.reference in (source.rule.name, str(source.rule.id)):
            return position
    reason = f"{shown(reference.reference)} is not among the rules"
    raise RefusedError(Refusal(Construct.TEMPORAL_CONDITION, "correlation", reason))
