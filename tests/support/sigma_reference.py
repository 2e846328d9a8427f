"""What Sigma means, evaluated event by event and slowly: the oracle that converted queries are held against.

Written from the specification (2.1.0) and the reading of it in docs/conversion.md, over pySigma's parsed conditions but
none of its backends. Events are maps from the vocabulary's names to None, text, bool, int or float, with an aware
`timestamp`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from sigma.collection import SigmaCollection
from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.correlations import (
    CorrelationConditionAND,
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaCorrelationType,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.rule import SigmaRule
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SpecialChars,
)

Event = Mapping[str, Any]
# (values of the group-by fields, end of the window, value)
Window = tuple[tuple[Any, ...], datetime, float]
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COMPARISONS: Mapping[Any, Callable[[float, float], bool]] = {
    CompareOperators.LT: lambda a, b: a < b,
    CompareOperators.LTE: lambda a, b: a <= b,
    CompareOperators.GT: lambda a, b: a > b,
    CompareOperators.GTE: lambda a, b: a >= b,
}
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "LT": lambda a, b: a < b,
    "LTE": lambda a, b: a <= b,
    "GT": lambda a, b: a > b,
    "GTE": lambda a, b: a >= b,
    "EQ": lambda a, b: a == b,
    "NEQ": lambda a, b: a != b,
}


def matching_events(rule: SigmaRule, events: Sequence[Event]) -> list[Event]:
    """The events that a rule matches."""
    conditions = [condition.parsed for condition in rule.detection.parsed_condition]
    return [
        event
        for event in events
        if event.get("llmx.event.category") == rule.logsource.category
        and any(_holds(condition, event) for condition in conditions)
    ]


def windows(text: str, title: str, events: Sequence[Event]) -> set[Window]:
    """What the correlation of that title answers."""
    collection = SigmaCollection.from_yaml(text)
    collection.resolve_rule_references()
    found = next(rule for rule in collection.rules if rule.title == title)
    assert isinstance(found, SigmaCorrelationRule)
    return _windows(found, events)


# Single events.


def _holds(node: Any, event: Event) -> bool:
    if isinstance(node, ConditionNOT):
        return not _holds(node.args[0], event)
    if isinstance(node, ConditionAND):
        return all(_holds(child, event) for child in node.args)
    if isinstance(node, ConditionOR):
        return any(_holds(child, event) for child in node.args)
    return _is_like(event.get(node.field), node.value, event)


def _is_like(found: Any, wanted: Any, event: Event) -> bool:
    if isinstance(wanted, SigmaExpansion):
        return any(_is_like(found, each, event) for each in wanted.values)
    if isinstance(wanted, SigmaNull):
        return found is None
    if isinstance(wanted, SigmaExists):
        return (found is not None) == wanted.exists
    if found is None:
        return False
    if isinstance(wanted, SigmaFieldReference):
        other = event.get(wanted.field)
        return other is not None and _text(found) == _text(other)
    if isinstance(wanted, SigmaBool):
        return _text(found).lower() == str(wanted.boolean).lower()
    if isinstance(wanted, SigmaNumber):
        number = _number(found)
        return number is not None and number == wanted.number
    if isinstance(wanted, SigmaCompareExpression):
        number = _number(found)
        return number is not None and _COMPARISONS[wanted.op](number, wanted.number.number)
    return _is_text_like(_text(found), wanted)


def _is_text_like(found: str, wanted: Any) -> bool:
    if isinstance(wanted, SigmaCIDRExpression):
        try:
            return ip_address(found) in wanted.network
        except ValueError:
            return False
    if isinstance(wanted, SigmaRegularExpression):
        flags = re.ASCII
        for flag in wanted.flags:
            flags |= re.RegexFlag[flag.name]
        return re.search(str(wanted.regexp), found, flags) is not None
    assert isinstance(wanted, SigmaString)
    fold: Callable[[str], str] = (lambda text: text) if isinstance(wanted, SigmaCasedString) else str.lower
    pattern = "".join(
        re.escape(fold(part)) if isinstance(part, str) else ".*" if part is SpecialChars.WILDCARD_MULTI else "."
        for part in wanted.s
    )
    return re.fullmatch(pattern, fold(found), re.DOTALL) is not None


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    return float(value) if _NUMBER.fullmatch(value.strip()) else None


# Windows.


def _windows(rule: SigmaCorrelationRule, events: Sequence[Event]) -> set[Window]:
    # (number of the rule, time, group, value, identity of the event)
    hits: list[tuple[int, datetime, tuple[Any, ...], Any, Any]] = []
    for position, reference in enumerate(_rules(rule)):
        hits += [(position, *hit) for hit in _hits(rule, reference, events)]
    found = set()
    span = timedelta(seconds=rule.timespan.seconds)
    for _position, end, group, _value, _identity in hits:
        inside = [hit for hit in hits if hit[2] == group and end - span <= hit[1] <= end]
        value = _value_of(rule, inside, end, span)
        if value is not None:
            found.add((group, end, value))
    return found


def _rules(rule: SigmaCorrelationRule) -> list[SigmaRuleReference]:
    return rule.rules or []


def _hits(rule: SigmaCorrelationRule, reference: SigmaRuleReference, events: Sequence[Event]) -> list[Any]:
    names = {
        alias.alias: field
        for alias in rule.aliases
        for mapped, field in alias.mapping.items()
        if mapped.reference in (reference.reference, reference.rule.name, str(reference.rule.id))
    }
    fields = [names.get(name, name) for name in rule.group_by or ()]
    counted = str(getattr(rule.condition, "fieldref", None))
    counted = names.get(counted, counted)
    if isinstance(reference.rule, SigmaCorrelationRule):
        inner_names = list(reference.rule.group_by or ())
        rows: list[tuple[Any, Event]] = [
            ((reference.reference, group, end), {"timestamp": end, **dict(zip(inner_names, group, strict=True))})
            for group, end, _value in _windows(reference.rule, events)
        ]
    else:
        rows = [(id(event), event) for event in matching_events(reference.rule, events)]
    return [
        (event["timestamp"], tuple(event[field] for field in fields), event.get(counted), identity)
        for identity, event in rows
        if all(event.get(field) is not None for field in fields)
    ]


def _value_of(rule: SigmaCorrelationRule, inside: list[Any], end: datetime, span: timedelta) -> float | None:
    kind = rule.type
    if kind is SigmaCorrelationType.TEMPORAL_ORDERED:
        return len(_rules(rule)) if _is_sequence(inside, len(_rules(rule)), end, span) else None
    values = [hit[3] for hit in inside if hit[3] is not None]
    if kind is SigmaCorrelationType.TEMPORAL:
        present = {hit[0] for hit in inside}
        if isinstance(rule.condition, SigmaExtendedCorrelationCondition):
            return len(present) if _is_true(rule.condition.parsed, rule, present) else None
        value: float = len(present)
    elif kind is SigmaCorrelationType.EVENT_COUNT:
        value = len({hit[4] for hit in inside})
    elif kind is SigmaCorrelationType.VALUE_COUNT:
        value = len(set(values))
    else:
        numbers = [number for each in values if (number := _number(each)) is not None]
        if not numbers:
            return None
        value = sum(numbers) if kind is SigmaCorrelationType.VALUE_SUM else sum(numbers) / len(numbers)
    assert isinstance(rule.condition, SigmaCorrelationCondition)
    return value if _OPERATORS[rule.condition.op.name](value, rule.condition.count) else None


def _is_true(node: Any, rule: SigmaCorrelationRule, present: set[int]) -> bool:
    if isinstance(node, SigmaRuleReference):
        names = [(each.rule.name, str(each.rule.id)) for each in _rules(rule)]
        return next(i for i, known in enumerate(names) if node.reference in known) in present
    joined = all if isinstance(node, CorrelationConditionAND) else any
    return joined(_is_true(child, rule, present) for child in node.args)


def _is_sequence(inside: list[Any], length: int, end: datetime, span: timedelta) -> bool:
    """Whether the last rule matched at `end` after all others in their order, each later than the one before."""
    if not any(hit[0] == length - 1 and hit[1] == end for hit in inside):
        return False

    def follows(position: int, after: datetime) -> bool:
        if position == length - 1:
            return after < end
        return any(hit[0] == position and hit[1] > after and follows(position + 1, hit[1]) for hit in inside)

    starts = [hit[1] for hit in inside if hit[0] == 0 and end - hit[1] <= span]
    return any(follows(1, start) for start in starts)
