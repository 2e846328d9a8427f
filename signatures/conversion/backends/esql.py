"""Elasticsearch ES|QL: pySigma's backend for conditions, aggregates over the window that ends now for correlations.

That backend compares as it stands though Sigma ignores case, loses events without a field under `not`, counts in fixed
buckets and by estimate, and gives an event to the first rule alone. ES|QL has no sliding windows, so a correlation
answers for one window, the one that ends when the query runs.
"""

from ipaddress import IPv4Network, IPv6Network
from typing import ClassVar

from sigma.backends.elasticsearch.elasticsearch_esql import ESQLBackend
from sigma.conversion.state import ConversionState
from sigma.correlations import SigmaCorrelationType
from sigma.types import SigmaString

from signatures.conversion.backends.elastic import like_literal, quoted
from signatures.conversion.backends.exact import Comparison, typed_cidr
from signatures.conversion.backends.typed import TypedBackend
from signatures.conversion.plans import Plan, presence_logic
from signatures.conversion.values import has_wildcard, pattern_of

_OPERATORS = {"=": "==", "<>": "!="}


class EsqlExactBackend(TypedBackend, ESQLBackend):
    """Fields are `keyword`, numbers and booleans as the vocabulary says."""

    text_function: ClassVar[str] = "TO_STRING"
    or_token: ClassVar[str] = "OR"
    and_token: ClassVar[str] = "AND"

    def escape_and_quote_field(self, field: str) -> str:
        """Dots stay; what has a hyphen or an @ in it stands in backticks."""
        return str(super().escape_and_quote_field(self.options.column(field)))

    def text(self, field: str, value: SigmaString, *, is_cased: bool) -> str:
        """Equality or `LIKE`, on lower case unless `cased`."""
        is_pattern = has_wildcard(value)
        text = pattern_of(value, like_literal, "*", "?") if is_pattern else pattern_of(value, str, "", "")
        operator = "LIKE" if is_pattern else "=="
        if is_cased:
            return f"{field} {operator} {quoted(text)}"
        return f"TO_LOWER({field}) {operator} {quoted(text.lower())}"

    def negation(self, expression: str) -> str:
        """NULL counts as false."""
        return f"NOT COALESCE({expression}, false)"

    def convert_condition_field_eq_val_cidr(self, cond: Comparison, state: ConversionState) -> str:
        """What is no address is in no network."""
        network = typed_cidr(cond).network
        assert isinstance(network, IPv4Network | IPv6Network)
        return f"CIDR_MATCH(TO_IP({self.escape_and_quote_field(cond.field)}), {quoted(str(network))})"

    def events(self, predicate: str) -> str:
        """The events themselves."""
        return f"FROM {self.options.table} METADATA _id, _index\n| WHERE {predicate}"

    # Correlations.

    def correlate(self, plan: Plan) -> str:
        """One row for each group whose window, which ends now, fulfils the condition."""
        time = f"`{self.options.timestamp}`" if "@" in self.options.timestamp else self.options.timestamp
        groups = [f"k{position}" for position in range(len(plan.keys))]
        anything = " OR ".join(f"({source.predicate})" for source in plan.sources)
        lines = [
            f"FROM {self.options.table}",
            f"WHERE {time} >= NOW() - {plan.span_s} seconds AND {time} <= NOW()",
            f"WHERE {anything}",
            *(self._temporal(plan, groups, time) if plan.is_temporal else self._aggregate(plan, groups)),
            f"RENAME {', '.join(f'{group} AS `{key}`' for group, key in zip(groups, plan.keys, strict=True))}",
            f"EVAL window_start = NOW() - {plan.span_s} seconds, window_end = NOW()",
        ]
        return "\n| ".join(lines)

    def _columns(self, names: tuple[str, ...]) -> list[str]:
        return [f"k{position} = {self.escape_and_quote_field(name)}" for position, name in enumerate(names)]

    def _aggregate(self, plan: Plan, groups: list[str]) -> list[str]:
        source, by = plan.sources[0], ", ".join(groups)
        columns = self._columns(source.keys)
        if source.value is not None:
            columns.append(f"v = {self.escape_and_quote_field(source.value)}")
        lines = [f"EVAL {', '.join(columns)}", _present(groups)]
        if plan.kind is SigmaCorrelationType.VALUE_COUNT:
            # Counted in two steps, because COUNT_DISTINCT is an estimate.
            lines += ["WHERE v IS NOT NULL", f"STATS n = COUNT(*) BY {by}, v"]
        function = {SigmaCorrelationType.VALUE_SUM: "SUM(v)", SigmaCorrelationType.VALUE_AVG: "AVG(v)"}
        lines.append(f"STATS value = {function.get(plan.kind, 'COUNT(*)')} BY {by}")
        return [*lines, f"WHERE {_condition(plan)}"]

    def _temporal(self, plan: Plan, groups: list[str], time: str) -> list[str]:
        columns, by = self._columns(plan.sources[0].keys), ", ".join(groups)
        if plan.kind is SigmaCorrelationType.TEMPORAL_ORDERED:
            times = [f"t{i} = CASE({source.predicate}, {time}, null)" for i, source in enumerate(plan.sources)]
            return [
                f"EVAL {', '.join(columns + times)}",
                _present(groups),
                f"STATS t0 = MIN(t0), t1 = MAX(t1) BY {by}",
                "WHERE t0 < t1",
                "EVAL value = 2",
                f"KEEP {by}, value",
            ]
        flags = [f"p{i} = CASE({source.predicate}, 1, 0)" for i, source in enumerate(plan.sources)]
        names = [f"p{i}" for i in range(len(plan.sources))]
        return [
            f"EVAL {', '.join(columns + flags)}",
            _present(groups),
            f"STATS {', '.join(f'{name} = MAX({name})' for name in names)} BY {by}",
            f"EVAL value = {' + '.join(names)}",
            f"WHERE {_condition(plan)}",
            f"KEEP {by}, value",
        ]


def _present(groups: list[str]) -> str:
    return "WHERE " + " AND ".join(f"{group} IS NOT NULL" for group in groups)


def _condition(plan: Plan) -> str:
    if plan.logic is not None:
        return presence_logic(plan.logic, plan, [f"p{i} == 1" for i in range(len(plan.sources))], "AND", "OR")
    return f"value {_OPERATORS.get(plan.operator, plan.operator)} {plan.threshold}"
