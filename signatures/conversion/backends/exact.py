"""What all backends have in common: pySigma's machinery, and the places where each says exactly what a rule means.

A backend inherits from this class first and, where there is one for pySigma 1, from the backend of its language second.
This class takes over what those backends leave inexact: lists as `in`, the end of a query, correlations.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from sigma.conditions import ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR
from sigma.conversion.base import TextQueryBackend
from sigma.conversion.state import ConversionState
from sigma.correlations import SigmaCorrelationRule
from sigma.rule import SigmaRule
from sigma.types import (
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaRegularExpression,
    SigmaString,
)

from signatures.conversion.options import Options
from signatures.conversion.plans import Plan, plan_of

Callback = Callable[..., Any] | None
Comparison = ConditionFieldEqualsValueExpression


class ExactBackend(TextQueryBackend):
    """pySigma's `convert(collection)` answers with one query for each rule that is to be emitted."""

    convert_or_as_in: ClassVar[bool] = False
    convert_and_as_in: ClassVar[bool] = False
    parenthesize: bool = True
    group_expression: ClassVar[str | None] = "({expr})"
    correlation_methods: ClassVar[dict[str, str] | None] = {"default": "sliding windows"}

    def __init__(self, options: Options) -> None:
        """Options say where the events are and what the fields are called."""
        self.options = options
        super().__init__(options.log_source_pipeline())

    # What a language has to say itself. What one has no form for, conversion.py answers with a refusal.

    def text(self, field: str, value: SigmaString, *, is_cased: bool) -> str:
        """The whole value of a field is like `value`, which may hold wildcards."""
        raise NotImplementedError("the language has no form for text")

    def negation(self, expression: str) -> str:
        """True wherever `expression` is not true, missing fields included."""
        raise NotImplementedError("the language has no form for not")

    def events(self, predicate: str) -> str:
        """The query for the events themselves."""
        raise NotImplementedError("the language has no form for events")

    def correlate(self, plan: Plan) -> str:
        """The query for the groups and windows of a correlation."""
        raise NotImplementedError("the language has no form for correlations")

    def as_text(self, field: str) -> str:
        """A field of a rule as text, for languages in which a column may be something else."""
        return str(self.escape_and_quote_field(field))

    # How pySigma calls that.

    def convert_condition_field_eq_val_str(self, cond: Comparison, state: ConversionState) -> str:
        """Text, case ignored."""
        assert isinstance(cond.value, SigmaString)
        return self.text(self.as_text(cond.field), cond.value, is_cased=False)

    def convert_condition_field_eq_val_str_case_sensitive(self, cond: Comparison, state: ConversionState) -> str:
        """Text as it is."""
        assert isinstance(cond.value, SigmaCasedString)
        return self.text(self.as_text(cond.field), cond.value, is_cased=True)

    def convert_condition_not(self, cond: ConditionNOT, state: ConversionState) -> str:
        """Sigma has two truth values: what is not known to be true is false, and its negation true."""
        return self.negation(str(self.convert_condition(cond.args[0], state)))

    def convert_condition_field_eq_expansion(self, cond: Comparison, state: ConversionState) -> str:
        """One value that a modifier made many of. The alternatives keep their place in the condition."""
        assert isinstance(cond.value, SigmaExpansion)
        alternatives: list[Any] = [
            ConditionFieldEqualsValueExpression(cond.field, value) for value in cond.value.values
        ]
        joined = ConditionOR(alternatives, cond.source)
        joined.parent = cond.parent
        for alternative in alternatives:
            alternative.parent = joined
        return f"({self.convert_condition(joined, state)})"

    def convert_rule(self, rule: SigmaRule, output_format: str | None = None, callback: Callback = None) -> list[str]:
        """Convert the conditions of a rule, and keep them for correlations."""
        self.last_processing_pipeline.apply(rule)
        parsed = [condition.parsed for condition in rule.detection.parsed_condition]
        predicates = [str(self.convert_condition(self.prepared(each), ConversionState())) for each in parsed]
        joined = predicates[0]
        if len(predicates) > 1:
            joined = f" {self.or_token} ".join(f"({predicate})" for predicate in predicates)
        rule.set_conversion_result([joined])
        return [self.events(joined)] if rule._output else []

    def prepared(self, condition: Any) -> Any:
        """A parsed condition, changed where a language cannot be written from it as it is."""
        return condition

    def convert_correlation_rule(
        self,
        rule: SigmaCorrelationRule,
        output_format: str | None = None,
        method: str | None = None,
        callback: Callback = None,
    ) -> list[str]:
        """Convert a correlation whose rules have been converted."""
        query = self.correlate(plan_of(rule)) if rule._output else ""
        rule.set_conversion_result([query])
        return [query] if rule._output else []

    def finalize_output_default(self, queries: list[Any]) -> list[Any]:
        """The queries as they are."""
        return list(queries)


def regex_text(value: SigmaRegularExpression) -> tuple[str, str]:
    """(pattern, flags as letters in the order ims) of a regular expression."""
    letters = {flag.name[0].lower() if flag.name != "DOTALL" else "s" for flag in value.flags}
    return str(value.regexp), "".join(letter for letter in "ims" if letter in letters)


def typed_regex(cond: Comparison) -> SigmaRegularExpression:
    """The value of a comparison by regular expression."""
    assert isinstance(cond.value, SigmaRegularExpression)
    return cond.value


def typed_cidr(cond: Comparison) -> SigmaCIDRExpression:
    """The value of a comparison by network."""
    assert isinstance(cond.value, SigmaCIDRExpression)
    return cond.value


def typed_reference(cond: Comparison) -> SigmaFieldReference:
    """The value of a comparison with another field."""
    assert isinstance(cond.value, SigmaFieldReference)
    return cond.value
