"""Spark SQL, also for Databricks: a backend of our own.

pySigma's backend for Databricks knows no correlations, loses rows without a field under `not`, and needs functions for
networks that only some runtimes have. Nothing here needs more than Spark 3.3. Literals escape `$` and `{{`, because
Spark and Databricks put variables into the text of a query before they read it.
"""

import re
from ipaddress import IPv4Network
from typing import ClassVar

from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.conversion.state import ConversionState
from sigma.types import CompareOperators, SigmaBool, SigmaCompareExpression, SigmaNumber, SigmaString

from signatures.conversion.backends.exact import Comparison, regex_text, typed_cidr, typed_reference, typed_regex
from signatures.conversion.backends.sql_correlations import SqlCorrelations
from signatures.conversion.options import Schema
from signatures.conversion.values import cidr_regex, has_wildcard, pattern_of
from signatures.vocabulary import VOCABULARY, FieldType

_OPERATORS = {
    CompareOperators.LT: "<",
    CompareOperators.LTE: "<=",
    CompareOperators.GT: ">",
    CompareOperators.GTE: ">=",
}
# Above it there is only infinity, and NaN, which Spark orders last.
_LARGEST = "1.7976931348623157E308D"


class SparkBackend(SqlCorrelations):
    """Columns have the vocabulary's names, dots included; with OCSF a path goes into structs."""

    name: ClassVar[str] = "Spark SQL"
    formats: ClassVar[dict[str, str]] = {"default": "Spark SQL"}
    precedence = (ConditionNOT, ConditionAND, ConditionOR)
    or_token: ClassVar[str] = "OR"
    and_token: ClassVar[str] = "AND"
    not_token: ClassVar[str] = "NOT"
    eq_token: ClassVar[str] = " = "
    field_null_expression: ClassVar[str | None] = "{field} IS NULL"
    field_exists_expression: ClassVar[str | None] = "{field} IS NOT NULL"
    field_not_exists_expression: ClassVar[str | None] = "{field} IS NULL"

    def escape_and_quote_field(self, field: str) -> str:
        """One quoted name, or one for each struct on the way."""
        column = self.options.column(field)
        parts = column.split(".") if self.options.schema is Schema.OCSF else [column]
        return ".".join(f"`{part}`" for part in parts)

    def quoted_table(self) -> str:
        """Each part of a qualified name in backticks."""
        return ".".join(f"`{part}`" for part in self.options.table.split("."))

    def events(self, predicate: str) -> str:
        """The rows themselves."""
        return f"SELECT * FROM {self.quoted_table()} WHERE {predicate}"

    def text(self, field: str, value: SigmaString, *, is_cased: bool) -> str:
        """Equality or `LIKE`, on lower case unless `cased`."""
        if has_wildcard(value):
            pattern = _quoted(pattern_of(value, _like, "%", "_"))
            sides, operator, ending = (field, pattern), "LIKE", " ESCAPE '!'"
        else:
            sides, operator, ending = (field, _quoted(pattern_of(value, str, "", ""))), "=", ""
        left, right = sides if is_cased else (f"lower({side})" for side in sides)
        return f"{left} {operator} {right}{ending}"

    def negation(self, expression: str) -> str:
        """NULL counts as false."""
        return f"NOT coalesce({expression}, false)"

    def convert_condition_field_eq_val_num(self, cond: Comparison, state: ConversionState) -> str:
        """A number, or a text that is one."""
        assert isinstance(cond.value, SigmaNumber)
        return f"{self.number(self.escape_and_quote_field(cond.field))} = {cond.value}"

    def convert_condition_field_eq_val_bool(self, cond: Comparison, state: ConversionState) -> str:
        """A truth value, or a text that is one."""
        assert isinstance(cond.value, SigmaBool)
        return f"lower({self.as_text(cond.field)}) = '{str(cond.value.boolean).lower()}'"

    def convert_condition_field_compare_op_val(self, cond: Comparison, state: ConversionState) -> str:
        """As for equality; infinity and NaN are no numbers."""
        assert isinstance(cond.value, SigmaCompareExpression)
        number = self.number(self.escape_and_quote_field(cond.field))
        bound = f"{number} {_OPERATORS[cond.value.op]} {cond.value.number}"
        return f"({bound} AND abs({number}) <= {_LARGEST})"

    def convert_condition_field_eq_val_re(self, cond: Comparison, state: ConversionState) -> str:
        """Found anywhere in the text."""
        pattern, flags = regex_text(typed_regex(cond))
        return f"{self.as_text(cond.field)} RLIKE {_quoted(f'(?{flags}){pattern}' if flags else pattern)}"

    def convert_condition_field_eq_val_cidr(self, cond: Comparison, state: ConversionState) -> str:
        """By a regular expression that takes addresses of the network and nothing else."""
        network = typed_cidr(cond).network
        assert isinstance(network, IPv4Network)
        return f"{self.as_text(cond.field)} RLIKE {_quoted(f'^{cidr_regex(network)}$')}"

    def convert_condition_field_eq_field(self, cond: Comparison, state: ConversionState) -> str:
        """Both as text, as they are."""
        return f"{self.as_text(cond.field)} = {self.as_text(typed_reference(cond).field)}"

    def time(self) -> str:
        """A timestamp."""
        return f"`{self.options.timestamp}`"

    def span(self, seconds: int) -> str:
        """An interval."""
        return f"INTERVAL '{seconds}' SECOND"

    def instant(self) -> str:
        """What a timestamp of Spark is counted in."""
        return "INTERVAL '1' MICROSECOND"

    def number(self, column: str) -> str:
        """NULL for what is no number."""
        return f"try_cast({column} AS DOUBLE)"

    def distinct_values(self, table: str, keys: tuple[str, ...], seconds: int) -> str:
        """Spark counts different values over no window, but collects them over one."""
        frame = self._frame(keys, f"RANGE BETWEEN {self.span(seconds)} PRECEDING AND CURRENT ROW")
        return f"size(collect_set(v) OVER ({frame}))"

    def as_text(self, field: str) -> str:
        """A column that may be no text is read as one."""
        column = self.escape_and_quote_field(field)
        known = VOCABULARY.fields.get(field)
        return column if known is not None and known.type is FieldType.STRING else f"CAST({column} AS STRING)"


def _like(character: str) -> str:
    return f"!{character}" if character in "%_!" else character


def _quoted(text: str) -> str:
    escaped = re.sub(r"[\\']", r"\\\g<0>", text)
    return "'" + escaped.replace("$", "\\u0024").replace("{{", "\\u007b\\u007b") + "'"
