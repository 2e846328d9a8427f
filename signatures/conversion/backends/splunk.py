"""Splunk SPL: pySigma's backend for searches, `streamstats` for sliding windows.

That backend puts `*` for `?`, knows no window but fixed ones, and drops the log source; what SPL has no exact form for
is refused by the capability table. A search ignores case, and `NOT` takes events without the field.
"""

from typing import Any, ClassVar

from sigma.backends.splunk import SplunkBackend
from sigma.conditions import ConditionNOT, ConditionOR
from sigma.conversion.state import ConversionState
from sigma.correlations import SigmaCorrelationType
from sigma.types import SigmaNumber, SigmaString

from signatures.conversion.backends.exact import Comparison, ExactBackend, regex_text, typed_reference, typed_regex
from signatures.conversion.constructs import Construct
from signatures.conversion.errors import Refusal, RefusedError
from signatures.conversion.options import Options
from signatures.conversion.plans import Plan, Source, presence_logic
from signatures.conversion.values import pattern_of

_AGGREGATES = {
    SigmaCorrelationType.EVENT_COUNT: "count",
    SigmaCorrelationType.VALUE_COUNT: "dc(v)",
    SigmaCorrelationType.VALUE_SUM: "sum(v)",
    SigmaCorrelationType.VALUE_AVG: "avg(v)",
}


class SplunkExactBackend(ExactBackend, SplunkBackend):
    """A search, and commands after it for what a search cannot say."""

    and_token: ClassVar[str] = "AND"

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self._commands: list[str] = []

    def escape_and_quote_field(self, field: str) -> str:
        """In double quotes if it has more than letters, digits, dots and underscores."""
        return str(super().escape_and_quote_field(self.options.column(field)))

    def text(self, field: str, value: SigmaString, *, is_cased: bool) -> str:
        """A search term; the only wildcard is `*`."""
        return f"{field}={_quoted(pattern_of(value, str, '*', '*'))}"

    def negation(self, expression: str) -> str:
        """Also true where the field is missing."""
        return f"NOT ({expression})"

    def convert_condition_field_eq_val_num(self, cond: Comparison, state: ConversionState) -> str:
        """A number."""
        assert isinstance(cond.value, SigmaNumber)
        return f"{self.escape_and_quote_field(cond.field)}={cond.value}"

    def convert_condition_field_eq_val_re(self, cond: Comparison, state: ConversionState) -> str:
        """The command `regex`, which holds for the whole search: no alternative, no negation."""
        pattern, flags = regex_text(typed_regex(cond))
        field = self.escape_and_quote_field(cond.field)
        return self._command(
            cond, Construct.REGEX, f"regex {field}={_quoted(f'(?{flags}){pattern}' if flags else pattern)}"
        )

    def convert_condition_field_eq_field(self, cond: Comparison, state: ConversionState) -> str:
        """The command `where`, which holds for the whole search: no alternative, no negation."""
        columns = self.options.column(cond.field), self.options.column(typed_reference(cond).field)
        return self._command(cond, Construct.FIELDREF, "where '{}'='{}'".format(*columns))

    def _command(self, cond: Comparison, construct: Construct, command: str) -> str:
        if cond.parent_condition_chain_contains(ConditionOR) or cond.parent_condition_chain_contains(ConditionNOT):
            raise RefusedError(Refusal(construct, cond.field, "SPL has it as a command, not under `or` and `not`"))
        self._commands.append(command)
        # What stands for it in the search: the field is there.
        return f"{self.escape_and_quote_field(cond.field)}=*"

    def convert_rule(self, rule: Any, output_format: str | None = None, callback: Any = None) -> list[str]:
        """The conversion result is the predicate, then the commands."""
        self._commands = []
        queries = super().convert_rule(rule, output_format, callback)
        if self._commands and len(rule.detection.parsed_condition) > 1:
            raise RefusedError(Refusal(Construct.REGEX, str(rule.title), "not in one of several conditions"))
        rule.set_conversion_result([rule.get_conversion_result()[0], *self._commands])
        return ["\n| ".join([queries[0], *self._commands])] if queries else []

    def events(self, predicate: str) -> str:
        """A search of one index."""
        return f"search index={self.options.table} ({predicate})"

    # Correlations.

    def correlate(self, plan: Plan) -> str:
        """One row for each group and window."""
        groups = [f"k{position}" for position in range(len(plan.keys))]
        lines = [*self._matches(plan), *(f"where isnotnull({group})" for group in groups)]
        by = f" by {' '.join(groups)}" if groups else ""
        if plan.kind is SigmaCorrelationType.TEMPORAL_ORDERED:
            lines += _ordered(plan, by)
        else:
            lines += _windows(plan, by)
        named = [f'"{key}"' for key in plan.keys]
        renamed = ", ".join(f"{group} AS {name}" for group, name in zip(groups, named, strict=True))
        lines += [
            f"eval window_start=_time-{plan.span_s}, window_end=_time",
            *([f"rename {renamed}"] if renamed else []),
            f"table {' '.join([*named, 'window_start', 'window_end', 'value'])}",
        ]
        return "\n| ".join(lines)

    def _matches(self, plan: Plan) -> list[str]:
        """The events, earliest first; of one time the later rules first, so that an order is strict."""
        if plan.is_temporal:
            searches = [
                " | ".join(
                    ["[", self.events(source.predicate), *_commands(source), self._columns(source, position), "]"]
                )
                for position, source in enumerate(plan.sources)
            ]
            tidied = [search.replace("[ | ", "[ ").replace(" | ]", " ]") for search in searches]
            return ["| multisearch\n    " + "\n    ".join(tidied), "sort 0 _time -rule"]
        commands = [command for source in plan.sources for command in _commands(source)]
        if commands and len(plan.sources) > 1:
            reason = "SPL has `re` and `fieldref` as commands, not in one of several rules"
            raise RefusedError(Refusal(Construct.SEVERAL_RULES, "correlation", reason))
        # An event that several rules match counts once.
        search = self.events(" OR ".join(f"({source.predicate})" for source in plan.sources))
        return [search, *commands, self._columns(plan.sources[0], 0), "sort 0 _time"]

    def _columns(self, source: Source, position: int) -> str:
        columns = [f"k{number}='{self.options.column(name)}'" for number, name in enumerate(source.keys)]
        if source.value is not None:
            columns.append(f"v='{self.options.column(source.value)}'")
        return "eval " + ", ".join([*columns, f"rule={position}"])


def _commands(source: Source) -> list[str]:
    return list(source.rule.get_conversion_result()[1:])


def _windows(plan: Plan, by: str) -> list[str]:
    """Of the events of one time, the last has seen the whole window."""
    window = f"streamstats time_window={plan.span_s}s"
    at_once = f"by _time{by.removeprefix(' by')}"
    if not plan.is_temporal:
        return [
            f"{window} {_AGGREGATES[plan.kind]} AS value{by}",
            f"stats last(value) AS value {at_once}",
            f"where value{plan.operator.replace('<>', '!=')}{plan.threshold}",
        ]
    positions = range(len(plan.sources))
    condition = f"value{plan.operator}{plan.threshold}"
    if plan.logic is not None:
        condition = presence_logic(plan.logic, plan, [f"p{position}=1" for position in positions], "AND", "OR")
    return [
        f"{window} {' '.join(f'max(eval(if(rule={position},1,0))) AS p{position}' for position in positions)}{by}",
        f"stats {' '.join(f'last(p{position}) AS p{position}' for position in positions)} {at_once}",
        f"eval value={'+'.join(f'p{position}' for position in positions)}",
        f"where {condition}",
    ]


def _ordered(plan: Plan, by: str) -> list[str]:
    """Each step carries the latest start from which the rules so far followed one another."""
    lines, start = [], "_time"
    for position in range(len(plan.sources) - 1):
        lines += [
            f"eval c{position}=if(rule={position},{start},null())",
            f"streamstats current=f max(c{position}) AS s{position}{by}",
        ]
        start = f"s{position}"
    last = len(plan.sources) - 1
    return [
        *lines,
        f"where rule={last} AND {start}>=_time-{plan.span_s}",
        f"stats count by _time{by.removeprefix(' by')}",
        f"eval value={last + 1}",
    ]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
