"""Correlations in Kusto: an event is joined with those of its own and the previous bucket of time, then cut to size.

The usual time-window join: buckets are as long as the span, so that two of them hold every window, and each pair of
events meets once.
"""

from sigma.correlations import SigmaCorrelationRule, SigmaCorrelationType

from signatures.conversion.backends.typed import TypedBackend
from signatures.conversion.plans import Plan, Source, plan_of, presence_logic

_OPERATORS = {"=": "==", "<>": "!="}


class _Statements(list[str]):
    """`let` statements in their order; known: the answer of each rule."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[int, str] = {}


class KustoCorrelations(TypedBackend):
    """`let` statements: `e` the events, `s` the steps of an order, `c` what each correlation answers."""

    def quoted_table(self) -> str:
        """The table."""
        name = self.options.table
        return name if name.isidentifier() else f"['{name}']"

    def correlate(self, plan: Plan) -> str:
        """One row for each group and window."""
        statements = _Statements()
        result = self._compile(plan, statements)
        renamed = "".join(f"['{key}'] = k{position}, " for position, key in enumerate(plan.keys))
        statements.append(
            f"{result}\n| project {renamed}window_start = ts - {plan.span_s}s, window_end = ts, value\n"
            "| order by window_end asc"
        )
        return ";\n".join(statements)

    def _compile(self, plan: Plan, statements: _Statements) -> str:
        keys = [f"k{position}" for position in range(len(plan.keys))]
        selects = self._events(plan, keys, statements)
        number = len(statements)
        union = selects[0] if len(selects) == 1 else "union\n    " + ",\n    ".join(f"({each})" for each in selects)
        statements.append(f"let e{number} = {union}")
        if plan.kind is SigmaCorrelationType.TEMPORAL_ORDERED:
            lines = _ordered(plan, keys, number, statements)
        else:
            lines = _windows(plan, keys, number)
        statements.append(f"let c{number} = " + "\n    | ".join(lines))
        return f"c{number}"

    def _events(self, plan: Plan, keys: list[str], statements: _Statements) -> list[str]:
        simple = [source for source in plan.sources if not isinstance(source.rule, SigmaCorrelationRule)]
        if plan.is_temporal or len(simple) < len(plan.sources):
            return [self._source(source, keys, place, statements) for place, source in enumerate(plan.sources)]
        # An event that several rules match counts once.
        predicate = " or ".join(f"({source.predicate})" for source in simple)
        return [self._select(simple[0], keys, 0, predicate)]

    def _source(self, source: Source, keys: list[str], position: int, statements: _Statements) -> str:
        if not isinstance(source.rule, SigmaCorrelationRule):
            return self._select(source, keys, position, source.predicate)
        inner = plan_of(source.rule)
        if id(source.rule) not in statements.known:
            # Once for each rule: correlations that share what they refer to would double it at every level.
            statements.known[id(source.rule)] = self._compile(inner, statements)
        result = statements.known[id(source.rule)]
        carried = {name: f"k{place}" for place, name in enumerate(inner.keys)}
        columns = [f"{key} = {carried[name]}" for name, key in zip(source.keys, keys, strict=True)]
        if source.value is not None:
            columns.append(f"v = {carried[source.value]}")
        return f"{result} | project {', '.join(['ts', *columns, f'rule = {position}'])}"

    def _select(self, source: Source, keys: list[str], position: int, predicate: str) -> str:
        columns = [f"{key} = {self.escape_and_quote_field(name)}" for name, key in zip(source.keys, keys, strict=True)]
        if source.value is not None:
            columns.append(f"v = {self.escape_and_quote_field(source.value)}")
        time = f"ts = ['{self.options.timestamp}']"
        present = "".join(f" | where isnotempty({key})" for key in ["ts", *keys])
        chosen = ", ".join([time, *columns, f"rule = {position}"])
        return f"{self.quoted_table()} | where {predicate} | project {chosen}{present}"


def _windows(plan: Plan, keys: list[str], number: int) -> list[str]:
    has_value = plan.sources[0].value is not None
    brought = ", ".join(["bucket", *keys, "at = ts", "rule", *(["v"] if has_value else [])])
    by = ", ".join(["ts", *keys])
    lines = [
        f"e{number}",
        f"distinct {by}",
        f"extend bucket = bin(ts, {plan.span_s}s)",
        f"join kind=inner (e{number} | mv-expand bucket = {_buckets('ts', plan)} to typeof(datetime) "
        f"| project {brought}) on {', '.join(['bucket', *keys])}",
        f"where at between ((ts - {plan.span_s}s) .. ts)",
    ]
    if plan.is_temporal:
        flags = [f"p{position} = toint(countif(rule == {position}) > 0)" for position in range(len(plan.sources))]
        total = " + ".join(f"p{position}" for position in range(len(plan.sources)))
        lines += [f"summarize {', '.join(flags)} by {by}", f"extend value = {total}"]
    else:
        aggregate = {
            SigmaCorrelationType.EVENT_COUNT: "count()",
            SigmaCorrelationType.VALUE_COUNT: "count_distinct(v)",
            SigmaCorrelationType.VALUE_SUM: "sum(v)",
            SigmaCorrelationType.VALUE_AVG: "avg(v)",
        }[plan.kind]
        lines += [*(["where isnotempty(v)"] if has_value else []), f"summarize value = {aggregate} by {by}"]
    return [*lines, f"where {_condition(plan)}"]


def _ordered(plan: Plan, keys: list[str], number: int, statements: _Statements) -> list[str]:
    """Each step keeps the latest start from which the rules so far followed one another, strictly later."""
    groups = ", ".join(["ts", *keys])
    on = ", ".join(["bucket", *keys])
    begun = f"e{number} | where rule == 0 | project {groups}, begun = ts"
    for position in range(1, len(plan.sources)):
        statements.append(f"let s{number}_{position - 1} = {begun}")
        begun = "\n    | ".join(
            [
                f"e{number}",
                f"where rule == {position}",
                f"distinct {groups}",
                f"extend bucket = bin(ts, {plan.span_s}s)",
                f"join kind=inner (s{number}_{position - 1} "
                f"| mv-expand bucket = {_buckets('begun', plan)} to typeof(datetime) "
                f"| project {', '.join(['bucket', *keys, 'at = ts', 'begun'])}) on {on}",
                f"where at < ts and begun >= ts - {plan.span_s}s",
                f"summarize begun = max(begun) by {groups}",
            ]
        )
    return [begun, f"project {groups}, value = {len(plan.sources)}"]


def _buckets(time: str, plan: Plan) -> str:
    start = f"bin({time}, {plan.span_s}s)"
    return f"pack_array({start}, {start} + {plan.span_s}s)"


def _condition(plan: Plan) -> str:
    if plan.logic is not None:
        present = [f"p{position} == 1" for position in range(len(plan.sources))]
        return presence_logic(plan.logic, plan, present, "and", "or")
    return f"value {_OPERATORS.get(plan.operator, plan.operator)} {plan.threshold}"
