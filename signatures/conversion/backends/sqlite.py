"""SQLite: pySigma's backend for conditions, our windows for correlations.

That backend compares text with `=`, which heeds case, and finds a network by the beginning of a text. Both are
put right or refused here. `LIKE` ignores the case of ASCII letters alone, so other letters are written in both
cases for `GLOB`.
"""

from typing import ClassVar

from sigma.backends.sqlite import sqliteBackend
from sigma.conversion.state import ConversionState
from sigma.types import SigmaCompareExpression, SigmaNumber, SigmaString

from signatures.conversion.backends.exact import Comparison
from signatures.conversion.backends.sql_correlations import SqlCorrelations
from signatures.conversion.values import both_cases, pattern_of

_EPOCH_DAY = 2440587.5
_DAY_MS = 86_400_000


class SqliteBackend(SqlCorrelations, sqliteBackend):
    """Time is text in ISO 8601, read to the millisecond. A missing value is NULL."""

    bool_expression: ClassVar[str] = "({field} LIKE {value} OR {field} = {numeric_value})"

    def escape_and_quote_field(self, field: str) -> str:
        """In backticks: SQLite takes a name in double quotes that is no column for a text."""
        return f"`{self.options.column(field)}`"

    def quoted_table(self) -> str:
        """Each part of a qualified name in backticks."""
        return ".".join(f"`{part}`" for part in self.options.table.split("."))

    def events(self, predicate: str) -> str:
        """The rows themselves."""
        return f"SELECT * FROM {self.quoted_table()} WHERE {predicate}"

    def text(self, field: str, value: SigmaString, *, is_cased: bool) -> str:
        """`LIKE` for ASCII letters, `GLOB` for others and for `cased`."""
        if not is_cased and _is_ascii(value):
            return f"{field} LIKE {_quoted(pattern_of(value, _like, '%', '_'))} ESCAPE '\\'"
        literal = _glob if is_cased else _folded_glob
        return f"{field} GLOB {_quoted(pattern_of(value, literal, '*', '?'))}"

    def negation(self, expression: str) -> str:
        """NULL counts as false."""
        return f"NOT COALESCE(({expression}), 0)"

    def convert_condition_field_eq_val_num(self, cond: Comparison, state: ConversionState) -> str:
        """Numeric affinity on one side makes a number of a text that is one, and of nothing else."""
        assert isinstance(cond.value, SigmaNumber)
        return f"{self.escape_and_quote_field(cond.field)} = CAST({cond.value} AS NUMERIC)"

    def convert_condition_field_compare_op_val(self, cond: Comparison, state: ConversionState) -> str:
        """As for equality; a text that is no number is greater than all numbers, so it is kept out from above."""
        assert isinstance(cond.value, SigmaCompareExpression)
        field = self.escape_and_quote_field(cond.field)
        operator = (self.compare_operators or {})[cond.value.op]
        bound = f"{field} {operator} CAST({cond.value.number} AS NUMERIC)"
        return bound if operator.startswith("<") else f"({bound} AND {field} <= CAST(9e999 AS NUMERIC))"

    def time(self) -> str:
        """Milliseconds since 1970."""
        return f"CAST(ROUND((julianday(`{self.options.timestamp}`) - {_EPOCH_DAY}) * {_DAY_MS}) AS INTEGER)"

    def span(self, seconds: int) -> str:
        """Milliseconds."""
        return str(seconds * 1000)

    def instant(self) -> str:
        """A millisecond."""
        return "1"

    def shown_time(self, expression: str) -> str:
        """ISO 8601."""
        return f"strftime('%Y-%m-%dT%H:%M:%fZ', ({expression}) / 1000.0, 'unixepoch')"

    def number(self, column: str) -> str:
        """A number, or a text that is one."""
        return (
            f"CASE WHEN {column} <= CAST(9e999 AS NUMERIC) AND {column} >= CAST(-9e999 AS NUMERIC) "
            f"THEN CAST({column} AS NUMERIC) END"
        )

    def distinct_values(self, table: str, keys: tuple[str, ...], seconds: int) -> str:
        """Counted anew for each event: SQLite counts different values over no window."""
        same = "".join(f"m.{key} = a.{key} AND " for key in keys)
        return (
            f"(SELECT COUNT(DISTINCT m.v) FROM {table} AS m "
            f"WHERE {same}m.ts BETWEEN a.ts - {self.span(seconds)} AND a.ts)"
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _is_ascii(value: SigmaString) -> bool:
    return all(not isinstance(part, str) or part.isascii() for part in value.s)


def _like(character: str) -> str:
    return f"\\{character}" if character in "%_\\" else character


def _glob(character: str) -> str:
    return f"[{character}]" if character in "*?[" else character


def _folded_glob(character: str) -> str:
    cases = both_cases(character)
    return f"[{''.join(cases)}]" if len(cases) > 1 else _glob(character)
