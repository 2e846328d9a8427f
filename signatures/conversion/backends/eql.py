"""Elasticsearch EQL: pySigma's backend for conditions, sequences for what has an order.

That backend forgets the time span of `temporal`, takes a run of one user for a count of users, and calls `by None` a
group. A sequence can say `temporal_ordered`, and that enough events came within a span; all else is refused.
"""

import re
from typing import Any, ClassVar

from sigma.backends.elasticsearch.elasticsearch_eql import EqlBackend
from sigma.conditions import ConditionNOT
from sigma.conversion.state import ConversionState
from sigma.correlations import SigmaCorrelationType
from sigma.types import SigmaCIDRExpression, SigmaExists, SigmaExpansion, SigmaNull, SigmaNumber, SigmaString

from signatures.conversion.backends.elastic import quoted
from signatures.conversion.backends.exact import Comparison, ExactBackend
from signatures.conversion.constructs import Construct
from signatures.conversion.errors import Refusal, RefusedError
from signatures.conversion.plans import Plan
from signatures.conversion.values import pattern_of

# Elasticsearch, EQL syntax reference, "with runs".
_MAX_RUNS = 100
_PLAIN_NAME = re.compile(r"[A-Za-z_@][\w.@]*", re.ASCII)


class EqlExactBackend(ExactBackend, EqlBackend):
    """The index is no part of the language: it stands in the address of the search."""

    def escape_and_quote_field(self, field: str) -> str:
        """Dots stay; what has a hyphen in it stands in backticks."""
        column = self.options.column(field)
        return column if _PLAIN_NAME.fullmatch(column) else f"`{column}`"

    def text(self, field: str, value: SigmaString, *, is_cased: bool) -> str:
        """`:` ignores case and knows both wildcards; `==` heeds case and `like` too."""
        text = quoted(pattern_of(value, str, "*", "?"))
        if not is_cased:
            return f"{field} : {text}"
        return f"{field} like {text}" if pattern_of(value, lambda _: "", "*", "*") else f"{field} == {text}"

    def negation(self, expression: str) -> str:
        """What stands in it is never null, see `convert_condition_field_eq_val`."""
        return f"not ({expression})"

    def convert_condition_field_eq_val(self, cond: Comparison, state: ConversionState) -> Any:
        """Under `not`, a comparison says first that there is something to compare."""
        expression = super().convert_condition_field_eq_val(cond, state)
        is_negated = cond.parent_condition_chain_contains(ConditionNOT)
        if not is_negated or isinstance(cond.value, SigmaNull | SigmaExists | SigmaExpansion):
            return expression
        return f"({self.escape_and_quote_field(cond.field)} != null and {expression})"

    def convert_condition_field_eq_val_num(self, cond: Comparison, state: ConversionState) -> str:
        """A number."""
        assert isinstance(cond.value, SigmaNumber)
        return f"{self.escape_and_quote_field(cond.field)} == {cond.value}"

    def convert_condition_field_eq_val_bool(self, cond: Comparison, state: ConversionState) -> str:
        """A truth value."""
        return f"{self.escape_and_quote_field(cond.field)} == {str(cond.value).lower()}"

    def convert_condition_field_eq_val_cidr(self, cond: Comparison, state: ConversionState) -> str:
        """The field is of type `ip`."""
        assert isinstance(cond.value, SigmaCIDRExpression)
        return f"cidrMatch({self.escape_and_quote_field(cond.field)}, {quoted(str(cond.value.network))})"

    def convert_condition_field_eq_val_null(self, cond: Comparison, state: ConversionState) -> str:
        """No value."""
        return f"{self.escape_and_quote_field(cond.field)} == null"

    def convert_condition_field_exists(self, cond: Comparison, state: ConversionState) -> str:
        """Any value."""
        return f"{self.escape_and_quote_field(cond.field)} != null"

    def convert_condition_field_not_exists(self, cond: Comparison, state: ConversionState) -> str:
        """No value."""
        return self.convert_condition_field_eq_val_null(cond, state)

    field_not_exists_expression: ClassVar[str | None] = "{field} == null"

    def events(self, predicate: str) -> str:
        """Events of any category."""
        return f"any where {predicate}"

    def correlate(self, plan: Plan) -> str:
        """A sequence: the events that complete it first."""
        is_ordered = plan.kind is SigmaCorrelationType.TEMPORAL_ORDERED
        steps = [f"[any where {source.predicate}]" for source in plan.sources]
        keys = [source.keys for source in plan.sources]
        if not is_ordered:
            anything = " or ".join(f"({source.predicate})" for source in plan.sources)
            steps = [f"[any where {anything}] with runs={_runs(plan)}"]
            keys = keys[:1]
        shared = len(set(keys)) == 1
        if not shared:
            steps = [f"{step} by {self._names(names)}" for step, names in zip(steps, keys, strict=True)]
        by = f" by {self._names(keys[0])}" if shared else ""
        return "\n  ".join([f"sequence{by} with maxspan={plan.span_s}s", *steps])

    def _names(self, names: tuple[str, ...]) -> str:
        return ", ".join(map(self.escape_and_quote_field, names))


def _runs(plan: Plan) -> int:
    runs = plan.threshold + (plan.operator == ">")
    if not 1 < runs <= _MAX_RUNS:
        reason = f"a sequence has 2 to {_MAX_RUNS} runs, not {runs}"
        raise RefusedError(Refusal(Construct.EVENT_COUNT, "correlation", reason))
    return runs
