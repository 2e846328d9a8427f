"""From a parsed Sigma condition to one SQL condition on a row.

Two-valued: what is NULL does not match, and `not` of it does. So an expression may be NULL for "no" until something
negates it, which is where it is made FALSE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    SigmaCasedString,
    SigmaExpansion,
    SigmaRegularExpression,
    SigmaString,
    SpecialChars,
)

from signatures.duckdb_backend import texts
from signatures.duckdb_backend.columns import Columns, Kind
from signatures.duckdb_backend.comparisons import Comparisons
from signatures.duckdb_backend.refusals import RefusedError

FALSE: Final = "FALSE"
TRUE: Final = "TRUE"


class Predicates:
    """Writes conditions for the columns of one log."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._comparisons = Comparisons(columns)

    def condition(self, node: Any) -> str:
        """The SQL of a condition as pySigma parsed it.

        Raises: RefusedError.
        """
        match node:
            case ConditionNOT():
                return f"NOT coalesce({self.condition(node.args[0])}, FALSE)"
            case ConditionAND():
                return _joined("AND", [self.condition(each) for each in node.args])
            case ConditionOR():
                return self._any_of(node)
            case ConditionFieldEqualsValueExpression():
                return self._field(node.field, node.value)
            case ConditionValueExpression():
                return self._keyword(node.value)
        raise RefusedError(f"the condition {type(node).__name__}", "this backend does not know it")

    def _any_of(self, node: ConditionOR) -> str:
        """Alternatives; plain texts of one field become one list, which DuckDB looks up at once."""
        listed: dict[tuple[str, bool], list[Any]] = {}
        others: list[str] = []
        for each in node.args:
            if isinstance(each, ConditionFieldEqualsValueExpression) and self._is_listable(each):
                listed.setdefault((each.field, isinstance(each.value, SigmaCasedString)), []).append(each.value)
            else:
                others.append(self.condition(each))
        lists = [self._list(field, values, cased=cased) for (field, cased), values in listed.items()]
        return _joined("OR", lists + others)

    def _is_listable(self, node: ConditionFieldEqualsValueExpression) -> bool:
        if not isinstance(node.value, SigmaString):
            return False
        column = self._columns.column(node.field)
        return column is not None and column.kind is Kind.TEXT and texts.is_plain(texts.parts_of(node.value))

    def _list(self, field: str, values: list[SigmaString], *, cased: bool) -> str:
        if len(values) == 1:
            return self._field(field, values[0])
        column = self._columns.column(field)
        if column is None:
            return FALSE
        choices = ", ".join(texts.plain(texts.parts_of(value), cased=cased) for value in values)
        return f"{texts.subject(column.sql, cased=cased)} IN ({choices})"

    def _field(self, field: str, value: Any) -> str:
        if isinstance(value, SigmaExpansion):
            return _joined("OR", [self._field(field, each) for each in value.values])
        return self._comparisons.compare(field, value)

    def _keyword(self, value: Any) -> str:
        """A keyword is looked for in every column of text, anywhere in it."""
        if isinstance(value, SigmaExpansion):
            return _joined("OR", [self._keyword(each) for each in value.values])
        columns = self._columns.texts()
        if columns is None:
            raise RefusedError("a keyword", "it is searched in the whole event, and the columns of text are not known")
        test = self._keyword_test(value)
        return _joined("OR", [test(column.sql) for column in columns]) if columns else FALSE

    def _keyword_test(self, value: Any) -> Callable[[str], str]:
        if isinstance(value, SigmaRegularExpression):
            return lambda sql: texts.matches_expression(sql, value)
        if isinstance(value, SigmaString):
            parts = texts.parts_of(value)
            begin = [] if parts[:1] == [SpecialChars.WILDCARD_MULTI] else [SpecialChars.WILDCARD_MULTI]
            end = [] if parts[-1:] == [SpecialChars.WILDCARD_MULTI] else [SpecialChars.WILDCARD_MULTI]
            around = [*begin, *parts, *(end if parts else [])]
            return lambda sql: texts.matches(sql, around, cased=isinstance(value, SigmaCasedString))
        raise RefusedError("a keyword that is no text", "only texts are searched in the whole event")


def any_condition(conditions: Iterable[str]) -> str:
    """A rule with several conditions matches if one does."""
    return _joined("OR", list(conditions))


def both(one: str, other: str) -> str:
    """Both conditions."""
    return _joined("AND", [one, other])


def _joined(operator: str, conditions: list[str]) -> str:
    if len(conditions) == 1:
        return conditions[0]
    return "(" + f" {operator} ".join(conditions) + ")"
