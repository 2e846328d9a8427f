"""One field and one value of Sigma as a SQL condition, by the kind of the column.

A value that the column's kind cannot be compared with is refused: a query that silently matches nothing would look
like a signature that found nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any, Final

from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    TimestampPart,
)

from signatures.duckdb_backend import literals, texts
from signatures.duckdb_backend.addresses import pattern_of
from signatures.duckdb_backend.columns import NUMERIC, Column, Columns, Kind
from signatures.duckdb_backend.numbers import number_in_text
from signatures.duckdb_backend.refusals import RefusedError

_SIGNS: Final[Mapping[CompareOperators, str]] = {
    CompareOperators.LT: "<",
    CompareOperators.LTE: "<=",
    CompareOperators.GT: ">",
    CompareOperators.GTE: ">=",
    CompareOperators.NEQ: "<>",
}
# DuckDB takes NaN for greater than everything; as a number it is nothing.
_NAN_WOULD_MATCH: Final = frozenset({">", ">=", "<>"})
_PARTS: Final[Mapping[TimestampPart, str]] = {
    TimestampPart.MINUTE: "minute",
    TimestampPart.HOUR: "hour",
    TimestampPart.DAY: "day",
    TimestampPart.WEEK: "week",
    TimestampPart.MONTH: "month",
    TimestampPart.YEAR: "year",
}


class Comparisons:
    """Writes comparisons for the columns of one log. A field that no event has is NULL everywhere."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._makers: list[tuple[type, Callable[[Column, Any], str]]] = [
            # Classes before those that they are made from.
            (SigmaTimestampPart, lambda column, value: _time_part(column, value, "=")),
            (SigmaString, _text),
            (SigmaNumber, lambda column, value: _number(column, value.number, "=")),
            (SigmaBool, _boolean),
            (SigmaRegularExpression, _expression),
            (SigmaCIDRExpression, _network),
            (SigmaCompareExpression, _compared),
            (SigmaFieldReference, self._reference),
        ]

    def compare(self, field: str, value: Any) -> str:
        """The condition that an event's field has the value.

        Raises: RefusedError.
        """
        column = self._columns.column(field)
        if isinstance(value, SigmaNull) or (isinstance(value, SigmaExists) and not value.exists):
            return "TRUE" if column is None else f"{column.sql} IS NULL"
        if isinstance(value, SigmaExists):
            return "FALSE" if column is None else f"{column.sql} IS NOT NULL"
        for kind, maker in self._makers:
            if isinstance(value, kind):
                # Written even if the column is absent: what is refused does not depend on the logs.
                sql = maker(column or Column(field, "NULL", Kind.UNKNOWN), value)
                return sql if column is not None else "FALSE"
        raise RefusedError(f"a value of type {type(value).__name__}", "this backend does not know it", field)

    def _reference(self, column: Column, value: SigmaFieldReference) -> str:
        other = self._columns.column(value.field)
        if other is None:
            return "FALSE"
        if value.starts_with or value.ends_with:
            name = {(True, True): "contains", (True, False): "starts_with", (False, True): "ends_with"}
            function = name[value.starts_with, value.ends_with]
            return f"{function}({_as_text(column)}, {_as_text(other)})"
        if (column.kind in NUMERIC and other.kind in NUMERIC) or (
            column.kind is other.kind and column.kind in {Kind.BOOLEAN, Kind.TIMESTAMP}
        ):
            return f"{column.sql} = {other.sql}"
        if Kind.UNKNOWN not in (column.kind, other.kind) and column.kind is not other.kind:
            raise _mistyped(column, f"{other.kind} field {value.field}")
        # As it stands, with case.
        return f"{_as_text(column)} = {_as_text(other)}"


def _text(column: Column, value: SigmaString) -> str:
    parts = texts.parts_of(value, column.field)
    cased = isinstance(value, SigmaCasedString)
    if column.kind in {Kind.TEXT, Kind.UNKNOWN}:
        return texts.matches(_as_text(column), parts, cased=cased)
    written = "".join(part for part in parts if isinstance(part, str))
    if texts.is_plain(parts):
        if column.kind is Kind.BOOLEAN and written.lower() in {"true", "false"}:
            return f"{column.sql} = {written.upper()}"
        if column.kind in NUMERIC and (number := _number_in(written)) is not None:
            return _number(column, number, "=")
    if column.kind is Kind.INTEGER and not texts.is_plain(parts):
        return texts.matches(f"CAST({column.sql} AS VARCHAR)", parts, cased=cased)
    raise _mistyped(column, "text")


def _number_in(text: str) -> int | float | None:
    try:
        return SigmaNumber(text).number if text.strip() == text and "_" not in text else None
    except ValueError:
        return None


def _number(column: Column, number: int | float, sign: str) -> str:
    literal = literals.number(number)
    match column.kind:
        case Kind.TEXT | Kind.UNKNOWN:
            return f"{number_in_text(column.sql)} {sign} {literal}"
        case Kind.INTEGER:
            return f"{column.sql} {sign} {literal}"
        case Kind.NUMBER:
            compared = f"{column.sql} {sign} {literal}"
            return f"({compared} AND NOT isnan({column.sql}))" if sign in _NAN_WOULD_MATCH else compared
    raise _mistyped(column, "a number")


def _compared(column: Column, value: SigmaCompareExpression) -> str:
    sign = _SIGNS[value.op]
    if isinstance(value.number, SigmaTimestampPart):
        return _time_part(column, value.number, sign)
    return _number(column, value.number.number, sign)


def _boolean(column: Column, value: SigmaBool) -> str:
    word = "true" if value.boolean else "false"
    if column.kind is Kind.BOOLEAN:
        return f"{column.sql} = {word.upper()}"
    if column.kind in {Kind.TEXT, Kind.UNKNOWN}:
        return f"lower({_as_text(column)}) = '{word}'"
    raise _mistyped(column, "a truth value")


def _expression(column: Column, value: SigmaRegularExpression) -> str:
    if column.kind not in {Kind.TEXT, Kind.UNKNOWN}:
        raise _mistyped(column, "a regular expression")
    return texts.matches_expression(_as_text(column), value, column.field)


def _network(column: Column, value: SigmaCIDRExpression) -> str:
    if column.kind not in {Kind.TEXT, Kind.UNKNOWN}:
        raise _mistyped(column, "a network")
    pattern = pattern_of(ip_network(value.cidr))
    return f"regexp_full_match(lower({_as_text(column)}), {literals.text(pattern)})"


def _time_part(column: Column, value: SigmaTimestampPart, sign: str) -> str:
    match column.kind:
        case Kind.TIMESTAMP:
            moment = column.sql
        case Kind.TEXT | Kind.UNKNOWN:
            moment = f"TRY_CAST({_as_text(column)} AS TIMESTAMPTZ)"
        case _:
            raise _mistyped(column, "a part of a time")
    # By way of microseconds, so that the part is that of UTC whatever time zone a session has.
    part = _PARTS[value.timestamp_part]
    return f"{part}(make_timestamp(epoch_us({moment}))) {sign} {literals.number(value.number)}"


def _as_text(column: Column) -> str:
    return column.sql if column.kind is Kind.TEXT else f"CAST({column.sql} AS VARCHAR)"


def _mistyped(column: Column, wanted: str) -> RefusedError:
    return RefusedError(f"a comparison with {wanted}", f"the field is of kind {column.kind}", column.field)
