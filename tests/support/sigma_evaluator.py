"""What Sigma rules and correlations mean, evaluated row by row in Python: slow, plain, and written apart from the SQL.

A row maps fields to values; a field that is missing or None is absent. `t` is the time in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.correlations import (
    CorrelationConditionAND,
    SigmaCorrelationRule,
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
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

Row = Mapping[str, Any]
_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: re.IGNORECASE,
    SigmaRegularExpressionFlag.MULTILINE: re.MULTILINE,
    SigmaRegularExpressionFlag.DOTALL: re.DOTALL,
}


def matches(rule: SigmaRule, row: Row, texts: Sequence[str] = ()) -> bool:
    """Whether a row matches a rule; texts: the fields in which keywords are looked for."""
    return any(_holds(condition.parsed, row, texts) for condition in rule.detection.parsed_condition)


def _holds(node: Any, row: Row, texts: Sequence[str]) -> bool:
    if isinstance(node, ConditionNOT):
        return not _holds(node.args[0], row, texts)
    if isinstance(node, ConditionAND):
        return all(_holds(each, row, texts) for each in node.args)
    if isinstance(node, ConditionOR):
        return any(_holds(each, row, texts) for each in node.args)
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return _equals(row.get(node.field), node.value, row)
    return any(_contains(row.get(field), node.value) for field in texts)


def _equals(found: Any, value: Any, row: Row) -> bool:
    if isinstance(value, SigmaExpansion):
        return any(_equals(found, each, row) for each in value.values)
    if isinstance(value, SigmaNull):
        return found is None
    if isinstance(value, SigmaExists):
        return (found is not None) == value.exists
    if found is None:
        return False
    if isinstance(value, SigmaFieldReference):
        return _equals_field(found, row.get(value.field), value)
    return _equals_literal(found, value)


def _equals_literal(found: Any, value: Any) -> bool:
    if isinstance(value, SigmaTimestampPart):
        return _part(found, value) == value.number
    if isinstance(value, SigmaCompareExpression):
        number = _part(found, value.number) if isinstance(value.number, SigmaTimestampPart) else found
        number = _number(number)
        return number is not None and _compares(number, value.op, value.number.number)
    if isinstance(value, SigmaBool):
        return found is value.boolean
    if isinstance(value, SigmaNumber):
        return bool(_number(found) == value.number)
    if isinstance(value, SigmaCIDRExpression):
        return _is_in(found, value)
    if isinstance(value, SigmaRegularExpression):
        return _finds(found, value)
    if isinstance(value, SigmaString):
        return _like(found, value)
    raise AssertionError(f"no meaning for {value!r}")


def _compares(found: Any, operator: CompareOperators, number: Any) -> bool:
    results = {
        CompareOperators.LT: found < number,
        CompareOperators.LTE: found <= number,
        CompareOperators.GT: found > number,
        CompareOperators.GTE: found >= number,
    }
    return bool(results[operator])


def _number(found: Any) -> Any:
    """A number, or the number that a text is."""
    if not isinstance(found, str):
        return found
    return float(found) if re.fullmatch(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", found, re.ASCII) else None


def _part(found: datetime, value: SigmaTimestampPart) -> int:
    name = value.timestamp_part.name.lower()
    moment = found.astimezone(UTC)
    return moment.isocalendar().week if name == "week" else int(getattr(moment, name))


def _is_in(found: str, value: SigmaCIDRExpression) -> bool:
    try:
        address = ip_address(found)
    except ValueError:
        return False
    return "%" not in found and address in ip_network(value.cidr)


def _finds(found: str, value: SigmaRegularExpression) -> bool:
    flags = re.ASCII if not found.isascii() else re.NOFLAG
    for flag in value.flags:
        flags |= _FLAGS[flag]
    return re.search(str(value.regexp), found, flags) is not None


def _like(found: str, value: SigmaString) -> bool:
    return _like_parts(found, value.s, cased=isinstance(value, SigmaCasedString))


def _like_parts(found: str, parts: Sequence[Any], *, cased: bool) -> bool:
    pattern = "".join(
        re.escape(part if cased else lower(part))
        if isinstance(part, str)
        else (".*" if part is SpecialChars.WILDCARD_MULTI else ".")
        for part in parts
    )
    return re.fullmatch(pattern, found if cased else lower(found), re.DOTALL) is not None


def lower(text: str) -> str:
    """Each character in lower case by itself, if that is one character."""
    return "".join("i" if each == "\u0130" else each.lower() for each in text)


def _contains(found: Any, value: Any) -> bool:
    if not isinstance(found, str):
        return False
    if isinstance(value, SigmaRegularExpression):
        return _finds(found, value)
    any_text = SpecialChars.WILDCARD_MULTI
    return _like_parts(found, [any_text, *value.s, any_text], cased=isinstance(value, SigmaCasedString))


def _equals_field(found: Any, other: Any, value: SigmaFieldReference) -> bool:
    if other is None:
        return False
    if not isinstance(found, str):
        return bool(found == other)
    if value.starts_with and value.ends_with:
        return other in found
    if value.starts_with:
        return found.startswith(other)
    return found.endswith(other) if value.ends_with else found == other


@dataclass(frozen=True, slots=True)
class Hit:
    """A hit of a correlation: values of its group, first and last event in seconds, number of events."""

    group: tuple[str, ...]
    start: int
    end: int
    events: int


@dataclass(frozen=True, slots=True)
class _Event:
    t: int
    rule: int
    value: Any
    row: int | None


Groups = dict[tuple[str, ...], list[_Event]]


def hits(correlation: SigmaCorrelationRule, rows: Sequence[Row]) -> list[Hit]:
    """The hits of a correlation, sorted."""
    behind = _rows_behind(correlation, rows)
    found = []
    for group, spans in _merged(correlation, rows).items():
        for since, until in spans:
            times = [t for t, _row in behind.get(group, ()) if since <= t <= until]
            found.append(Hit(group, min(times), max(times), len(times)))
    return sorted(found, key=lambda hit: (hit.group, hit.start))


def _merged(correlation: SigmaCorrelationRule, rows: Sequence[Row]) -> dict[tuple[str, ...], list[tuple[int, int]]]:
    """Begin and end of each hit: windows that meet are one."""
    merged: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for group, moments in _firings(correlation, rows).items():
        spans = merged.setdefault(group, [])
        for t, since in sorted(moments.items()):
            if spans and since <= spans[-1][1]:
                spans[-1] = (min(spans[-1][0], since), t)
            else:
                spans.append((since, t))
    return merged


def _firings(correlation: SigmaCorrelationRule, rows: Sequence[Row]) -> dict[tuple[str, ...], dict[int, int]]:
    """For each group the moments that fire, each with the begin of its window."""
    span = correlation.timespan.seconds
    fired: dict[tuple[str, ...], dict[int, int]] = {}
    for group, events in _groups(correlation, rows).items():
        for t in sorted({event.t for event in events}):
            window = [event for event in events if t - span <= event.t <= t]
            since = _since(correlation, window, t, events)
            if since is not None:
                fired.setdefault(group, {})[t] = since
    return fired


def _since(correlation: SigmaCorrelationRule, window: Sequence[_Event], t: int, events: Sequence[_Event]) -> int | None:
    kind, condition = correlation.type.name.lower(), correlation.condition
    begin = t - correlation.timespan.seconds
    count = len(correlation.rules or ())
    if kind == "temporal_ordered":
        if not any(event.t == t and event.rule == count - 1 for event in events):
            return None
        latest = _latest_begin(events, count - 1, t)
        return latest if latest is not None and t - latest <= correlation.timespan.seconds else None
    if kind == "temporal":
        present = {event.rule for event in window}
        if isinstance(condition, SigmaExtendedCorrelationCondition):
            names = [reference.reference for reference in correlation.rules or ()]
            return begin if _says(condition.parsed, {names[place] for place in present}) else None
        return begin if _compare(len(present), condition) else None
    values = [event.value for event in window if event.value is not None]
    measures: dict[str, Callable[[], Any]] = {
        "event_count": lambda: len(window),
        "value_count": lambda: len(set(values)),
        "value_sum": lambda: sum(values) if values else None,
        "value_avg": lambda: sum(values) / len(values) if values else None,
    }
    measured = measures[kind]()
    return begin if measured is not None and _compare(measured, condition) else None


def _latest_begin(events: Sequence[_Event], rule: int, t: int) -> int | None:
    """The latest begin of a chain of events, one of each rule, strictly one after the other, that ends at t."""
    if rule == 0:
        return t if any(event.rule == 0 and event.t == t for event in events) else None
    begins = [
        begin
        for event in events
        if event.rule == rule - 1 and event.t < t
        for begin in [_latest_begin(events, rule - 1, event.t)]
        if begin is not None
    ]
    return max(begins, default=None)


def _compare(number: Any, condition: Any) -> bool:
    operators = {
        "LT": number < condition.count,
        "LTE": number <= condition.count,
        "GT": number > condition.count,
        "GTE": number >= condition.count,
        "EQ": number == condition.count,
        "NEQ": number != condition.count,
    }
    return bool(operators[condition.op.name])


def _says(node: Any, present: set[str]) -> bool:
    if isinstance(node, SigmaRuleReference):
        return node.reference in present
    parts = [_says(each, present) for each in node.args]
    return all(parts) if isinstance(node, CorrelationConditionAND) else any(parts)


def _groups(correlation: SigmaCorrelationRule, rows: Sequence[Row]) -> Groups:
    groups: Groups = {}
    seen: set[tuple[Any, ...]] = set()
    is_temporal = correlation.type.name.startswith("TEMPORAL")
    for place, reference in enumerate(correlation.rules or ()):
        for group, event in _events(correlation, reference, place, rows):
            mark = (group, event.row, place if is_temporal else None)
            if event.row is None or mark not in seen:
                seen.add(mark)
                groups.setdefault(group, []).append(event)
    return groups


def _events(
    correlation: SigmaCorrelationRule, reference: Any, place: int, rows: Sequence[Row]
) -> Iterator[tuple[tuple[str, ...], _Event]]:
    fields = _fields(correlation, reference)
    measured = getattr(correlation.condition, "fieldref", None)
    if isinstance(reference.rule, SigmaRule):
        for number, row in enumerate(rows):
            if matches(reference.rule, row):
                group = tuple(row.get(field) for field in fields)
                value = row.get(measured) if measured else None
                if None not in group:
                    yield tuple(str(each) for each in group), _Event(row["t"], place, value, number)
        return
    inner = reference.rule
    places = [inner.group_by.index(field) for field in fields]
    value_place = inner.group_by.index(measured) if measured else None
    moments = ((group, t) for group, times in _firings(inner, rows).items() for t in times)
    for group, t in moments:
        value = group[value_place] if value_place is not None else None
        yield tuple(group[each] for each in places), _Event(t, place, value, None)


def _fields(correlation: SigmaCorrelationRule, reference: Any) -> list[str]:
    fields = []
    for field in correlation.group_by or ():
        alias = correlation.aliases.aliases.get(field)
        mapping = {each.reference: name for each, name in alias.mapping.items()} if alias else {}
        fields.append(mapping.get(reference.reference, field))
    return fields


def _rows_behind(correlation: SigmaCorrelationRule, rows: Sequence[Row]) -> dict[tuple[str, ...], set[tuple[int, int]]]:
    """(t, number) of the rows that the rules below match, by the correlation's groups."""
    behind: dict[tuple[str, ...], set[tuple[int, int]]] = {}
    for reference in correlation.rules or ():
        fields = _fields(correlation, reference)
        if isinstance(reference.rule, SigmaRule):
            for number, row in enumerate(rows):
                group = tuple(row.get(field) for field in fields)
                if None not in group and matches(reference.rule, row):
                    behind.setdefault(tuple(map(str, group)), set()).add((row["t"], number))
            continue
        places = [list(reference.rule.group_by or ()).index(field) for field in fields]
        for group, members in _rows_behind(reference.rule, rows).items():
            behind.setdefault(tuple(group[each] for each in places), set()).update(members)
    return behind
