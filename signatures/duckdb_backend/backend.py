"""The backend in the shape that pySigma's have: a collection in, a query for each rule that is to be output.

A query stands alone: it names one relation of logs and needs no function of ours. Set the session's time zone to UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from signatures.duckdb_backend import literals, streams, windows
from signatures.duckdb_backend.columns import Column, Columns, NamedColumns
from signatures.duckdb_backend.encodings import check_encodings
from signatures.duckdb_backend.plans import Plan, plan_of
from signatures.duckdb_backend.predicates import Predicates, any_condition, both
from signatures.duckdb_backend.refusals import RefusedError

CATEGORY_FIELD: Final = "llmx.event.category"


def predicate_of(rule: SigmaRule, columns: Columns, *, category_field: str | None = CATEGORY_FIELD) -> str:
    """The condition that a row matches a rule: its conditions, and the category of its log source.

    Raises: RefusedError that names the rule.
    """
    try:
        check_encodings(rule.detection)
        predicates = Predicates(columns)
        condition = any_condition(predicates.condition(each.parsed) for each in rule.detection.parsed_condition)
        category = rule.logsource.category
        if category_field is None or category is None:
            return condition
        column = columns.column(category_field)
        return condition if column is None else both(f"{column.sql} = {literals.text(category)}", condition)
    except RefusedError as error:
        raise error.of_rule(rule.title) from None


class DuckDbBackend:
    """Converts a collection into queries.

    table: the relation of logs. time_field: when an event happened. text_fields: what keywords are searched in.
    category_field: the column that a log source's category selects by, None for no such condition.
    merges: whether a correlation answers with hits, windows that meet being one, or with every window.
    """

    name: ClassVar[str] = "DuckDB SQL"
    formats: ClassVar[dict[str, str]] = {"default": "one query for each rule and correlation"}
    requires_pipeline: ClassVar[bool] = False
    correlation_methods: ClassVar[dict[str, str]] = {"default": "sliding windows, one hit for windows that touch"}
    default_correlation_method: ClassVar[str] = "default"

    def __init__(
        self,
        processing_pipeline: ProcessingPipeline | None = None,
        collect_errors: bool = False,
        *,
        table: str = "logs",
        time_field: str = "timestamp",
        text_fields: Sequence[str] | None = None,
        category_field: str | None = CATEGORY_FIELD,
        merges: bool = True,
    ) -> None:
        self.processing_pipeline = processing_pipeline
        self.collect_errors = collect_errors
        self._merges = merges
        self.errors: list[tuple[SigmaRule | SigmaCorrelationRule, SigmaError]] = []
        self._rows = _NamedRows(literals.qualified_name(table), NamedColumns(text_fields), time_field, category_field)

    def convert(
        self,
        rule_collection: SigmaCollection,
        output_format: str | None = None,
        correlation_method: str | None = None,
        callback: None = None,
    ) -> list[str]:
        """A query for each rule that is to be output, in the collection's order.

        Raises: RefusedError for the first that cannot be expressed, unless errors are collected.
        """
        if (output_format or "default", correlation_method or "default") != ("default", "default") or callback:
            raise ValueError("this backend has the default format and method alone, and no callback")
        rule_collection.resolve_rule_references()
        for rule in rule_collection.rules:
            if self.processing_pipeline is not None:
                self.processing_pipeline.apply(rule)
        queries = []
        for rule in rule_collection.rules:
            try:
                query = self._query(rule)
            except SigmaError as error:
                if not self.collect_errors:
                    raise
                self.errors.append((rule, error))
                continue
            if rule._output:
                queries.append(query)
        return queries

    def _query(self, rule: SigmaRule | SigmaCorrelationRule) -> str:
        if isinstance(rule, SigmaRule):
            return f"SELECT * FROM {self._rows.relation} WHERE {self._rows.predicate(rule)}"
        return correlation_query(plan_of(rule), self._rows, merges=self._merges)


def correlation_query(plan: Plan, rows: streams.Rows, *, merges: bool = True) -> str:
    """One query for a correlation.

    merges: group-by fields, `start`, `end` and `events` of each hit; else group-by fields, `window_start`, `window_end`
    and `value` of each window.
    Raises: RefusedError that names the rule.
    """
    steps: list[tuple[str, str]] = []
    try:
        fired = _write_steps(plan, rows, steps, {})
        answer = _hits_of(plan, rows, fired, steps) if merges else _windows_of(plan, fired)
    except RefusedError as error:
        raise error.of_rule(plan.title) from None
    written = ",\n".join(f"{name} AS ({select})" for name, select in steps)
    return f"WITH {written}\n{answer}"


def _windows_of(plan: Plan, fired: str) -> str:
    bounds = f'make_timestamp(t - {plan.timespan_us}) AS "window_start", make_timestamp(t) AS "window_end"'
    return f"SELECT {_named_keys(plan)}, {bounds}, value FROM {fired} ORDER BY t, {windows.keys(len(plan.group_by))}"


def _hits_of(plan: Plan, rows: streams.Rows, fired: str, steps: list[tuple[str, str]]) -> str:
    count = len(plan.group_by)
    steps.append(("h", windows.hits(count, fired)))
    steps.append(("b", streams.behind(plan, rows)))
    steps.append(("c", windows.behind(count, "h", "b", "e.t")))
    bounds = 'make_timestamp(min(t)) AS "start", make_timestamp(max(t)) AS "end"'
    return f"SELECT {_named_keys(plan)}, {bounds}, count(*) AS events FROM c GROUP BY {windows.keys(count)}, hit"


def _named_keys(plan: Plan) -> str:
    return ", ".join(f"g{place} AS {literals.name(field)}" for place, field in enumerate(plan.group_by))


def _write_steps(plan: Plan, rows: streams.Rows, steps: list[tuple[str, str]], known: dict[int, str]) -> str:
    """Append the named steps of a correlation, those of correlations below it first; the name of its firings."""
    if id(plan) not in known:
        for inner in _inner_plans(plan):
            _write_steps(inner, rows, steps, known)
        number = len(steps)
        events, fired = f"e{number}", f"f{number}"
        steps.append((events, streams.events(plan, rows, lambda inner: known[id(inner)])))
        steps.append((fired, windows.firings(plan, events)))
        known[id(plan)] = fired
    return known[id(plan)]


def _inner_plans(plan: Plan) -> list[Plan]:
    return [reference.target for reference in plan.references if isinstance(reference.target, Plan)]


class _NamedRows:
    """A relation that was not looked at."""

    def __init__(self, relation: str, columns: NamedColumns, time_field: str, category_field: str | None) -> None:
        self.relation = relation
        self._columns = columns
        self._category_field = category_field
        self.time = f"epoch_us({literals.name(time_field)})"

    def column(self, field: str) -> Column:
        return self._columns.column(field)

    def predicate(self, rule: SigmaRule) -> str:
        return predicate_of(rule, self._columns, category_field=self._category_field)
