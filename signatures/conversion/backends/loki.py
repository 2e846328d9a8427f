"""Loki LogQL: pySigma's backend, which moves `not` down, with comparisons and windows of ours.

That backend takes `\\*` for a wildcard, drops the rest of a long list, counts a missing value as a value, and lets a
line through whose field is no number. Labels have underscores for dots. Loki knows no missing label but an empty one.
A metric query answers for the window that ends when it is evaluated.
"""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any, ClassVar

from sigma.backends.loki import LogQLBackend
from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionItem
from sigma.conversion.state import ConversionState
from sigma.correlations import SigmaCorrelationType
from sigma.shared import sanitize_label_key
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExpansion,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
)

from signatures.conversion.backends.elastic import quoted
from signatures.conversion.backends.exact import Comparison, ExactBackend, regex_text, typed_regex
from signatures.conversion.constructs import Construct
from signatures.conversion.errors import Refusal, RefusedError
from signatures.conversion.options import Options
from signatures.conversion.plans import Plan, Source
from signatures.conversion.values import cidr_regex, has_wildcard, pattern_of, regex_of
from signatures.vocabulary import VOCABULARY, FieldType

_OPERATORS = {
    CompareOperators.LT: ("<", ">="),
    CompareOperators.LTE: ("<=", ">"),
    CompareOperators.GT: (">", "<="),
    CompareOperators.GTE: (">=", "<"),
}
_METRIC_OPERATORS = {"=": "==", "<>": "!="}


class LokiExactBackend(ExactBackend, LogQLBackend):
    """Lines are JSON, in the stream whose label `job` is the table."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.case_sensitive = True  # Case is ours to see to, in the regular expressions.

    def escape_and_quote_field(self, field_name: str) -> str:
        """As Loki names the labels that its parser makes."""
        return str(sanitize_label_key(self.options.column(field_name)))

    def negation(self, expression: str) -> str:
        """LogQL has no `not`; `prepared` leaves none."""
        raise NotImplementedError("a negation was left in the condition")

    def prepared(self, condition: Any) -> Any:
        """Make texts regular expressions, then let pySigma's backend move `not` down."""
        for leaf in _leaves(condition):
            leaf.value = _exact(leaf.value)
        return self.update_parsed_conditions(condition)

    def convert_condition_field_eq_val_str(self, cond: Comparison, state: ConversionState) -> Any:
        """Nothing of the kind is left by `prepared`."""
        raise NotImplementedError("a text was left that is no regular expression")

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Comparison, state: ConversionState) -> str:
        """A label as it is."""
        assert isinstance(cond.value, SigmaCasedString)
        text = pattern_of(cond.value, str, "", "")
        return f"{self.escape_and_quote_field(cond.field)}{'!=' if _is_negated(cond) else '='}{_quoted(text)}"

    def convert_condition_field_eq_val_re(self, cond: Comparison, state: ConversionState) -> str:
        """A regular expression in LogQL covers the whole label; one of a rule is found anywhere in it."""
        pattern, flags = regex_text(typed_regex(cond))
        is_whole = getattr(typed_regex(cond), "is_whole", False)
        whole = pattern if is_whole else f"(?s:.*)(?{flags}:{pattern})(?s:.*)"
        prefix = f"(?{flags})" if is_whole and flags else ""
        operator = "!~" if _is_negated(cond) else "=~"
        return f"{self.escape_and_quote_field(cond.field)}{operator}{_quoted(prefix + whole)}"

    def convert_condition_field_eq_expansion(self, cond: Comparison, state: ConversionState) -> str:
        """One value that a modifier made many of: all of them where it is negated."""
        return f"({LogQLBackend.convert_condition_field_eq_expansion(self, cond, state)})"

    def convert_condition_field_eq_val_num(self, cond: Comparison, state: ConversionState) -> str:
        """A number."""
        assert isinstance(cond.value, SigmaNumber)
        return self._numeric(cond, "==", "!=", str(cond.value))

    def convert_condition_field_compare_op_val(self, cond: Comparison, state: ConversionState) -> str:
        """A number."""
        assert isinstance(cond.value, SigmaCompareExpression)
        return self._numeric(cond, *_OPERATORS[cond.value.op], str(cond.value.number))

    def _numeric(self, cond: Comparison, operator: str, opposite: str, number: str) -> str:
        known = VOCABULARY.fields.get(cond.field)
        if known is None or known.type not in (FieldType.INTEGER, FieldType.NUMBER):
            reason = f"{cond.field} is no number in the vocabulary, and Loki drops a line where it is none"
            construct = Construct.NUMBER if isinstance(cond.value, SigmaNumber) else Construct.COMPARISON
            raise RefusedError(Refusal(construct, cond.field, reason))
        label = self.escape_and_quote_field(cond.field)
        # A missing label fulfils no comparison, so its opposite neither.
        return f'({label}{opposite}{number} or {label}="")' if _is_negated(cond) else f"{label}{operator}{number}"

    def events(self, predicate: str) -> str:
        """The lines themselves, without those that could not be read."""
        return f'{{job="{self.options.table}"}} | json | {predicate} | __error__=""'

    # Correlations.

    def correlate(self, plan: Plan) -> str:
        """A metric for each group whose window, which ends when it is evaluated, fulfils the condition."""
        by = f"by ({', '.join(map(sanitize_label_key, plan.keys))})"
        span = f"[{plan.span_s}s]"
        if plan.is_temporal:
            counts = [f"sum {by} (count_over_time({self._lines([source], plan)} {span}))" for source in plan.sources]
            return "\n  and\n".join(counts)
        lines = self._lines(list(plan.sources), plan)
        operator = _METRIC_OPERATORS.get(plan.operator, plan.operator)
        value = plan.sources[0].value
        if value is None:
            return f"sum {by} (count_over_time({lines} {span})) {operator} {plan.threshold}"
        label = self.escape_and_quote_field(value)
        if plan.kind is SigmaCorrelationType.VALUE_COUNT:
            each = f'sum {by[:-1]}, {label}) (count_over_time({lines} | {label}!="" {span}))'
            return f"count {by} ({each}) {operator} {plan.threshold}"
        unwrapped = f'{lines} | unwrap {label} | __error__="" {span}'
        if plan.kind is SigmaCorrelationType.VALUE_SUM:
            return f"sum {by} (sum_over_time({unwrapped})) {operator} {plan.threshold}"
        return f"avg_over_time({unwrapped}) {by} {operator} {plan.threshold}"

    def _lines(self, sources: list[Source], plan: Plan) -> str:
        """The matching lines that are in a group, with the labels called as the groups are."""
        predicate = sources[0].predicate
        if len(sources) > 1:
            # An event that several rules match counts once.
            predicate = " or ".join(f"({source.predicate})" for source in sources)
        named = [
            (sanitize_label_key(key), self.escape_and_quote_field(name))
            for key, name in zip(plan.keys, sources[0].keys, strict=True)
        ]
        renamed = ", ".join(f"{key}={name}" for key, name in named if key != name)
        formatted = f" | label_format {renamed}" if renamed else ""
        return self.events(predicate) + formatted + "".join(f' | {key}!=""' for key, _name in named)


class _WholeRegex(SigmaRegularExpression):
    """A regular expression that was made from a text: it covers the whole value."""

    is_whole: ClassVar[bool] = True


def _exact(value: Any) -> Any:
    if isinstance(value, SigmaExpansion):
        return SigmaExpansion([_exact(inner) for inner in value.values])
    if isinstance(value, SigmaBool):
        return SigmaCasedString(str(value.boolean).lower())
    if isinstance(value, SigmaCIDRExpression):
        assert isinstance(value.network, IPv4Network)
        return _WholeRegex(f"^{cidr_regex(value.network)}$")
    if isinstance(value, SigmaCasedString) and not has_wildcard(value):
        return value
    if isinstance(value, SigmaString):
        flags = "(?s)" if isinstance(value, SigmaCasedString) else "(?is)"
        return _WholeRegex(flags + regex_of(value))
    return value


def _leaves(condition: Any) -> Iterator[ConditionFieldEqualsValueExpression]:
    if isinstance(condition, ConditionItem):
        for argument in condition.args:
            yield from _leaves(argument)
    elif isinstance(condition, ConditionFieldEqualsValueExpression):
        yield condition


def _is_negated(cond: Comparison) -> bool:
    return bool(getattr(cond, "negated", False))


def _quoted(text: str) -> str:
    return quoted(text) if "`" in text else f"`{text}`"
