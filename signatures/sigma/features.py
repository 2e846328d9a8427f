"""Which fields a condition rests on: every alternative of it, as sets of field names.

`a and (b or not c)` has the alternatives {a, b} and {a, not c}. The scope guard asks whether some alternative rests
on a person's country alone. Values do not matter here, only whether a rule writes one down.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
)
from sigma.types import SigmaFieldReference

from signatures.sigma.limits import MAX_BRANCHES

# Stands for a search in the whole event, which names no field.
KEYWORDS: Final = "(keywords)"
_FIELD_NAME: Final = re.compile(r"[\w.@\[\]-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Branch:
    """One alternative of a condition: fields that must match, and fields that must not."""

    matched: frozenset[str]
    excluded: frozenset[str]


@dataclass(frozen=True, slots=True)
class FieldMatch:
    """A field that a rule compares with a value written in the rule."""

    location: str
    field: str


class TooManyBranchesError(Exception):
    """The condition has more alternatives than anybody can review."""


_EVERYTHING: Final = frozenset({Branch(frozenset(), frozenset())})


def branches_of(condition: Any, *, negated: bool = False) -> frozenset[Branch]:
    """Return the alternatives of a parsed condition.

    Raises: TooManyBranchesError.
    """
    if isinstance(condition, ConditionNOT):
        return _joined(condition.args, conjunction=negated, negated=not negated)
    if isinstance(condition, ConditionAND | ConditionOR):
        # De Morgan: what is negated joins the other way.
        return _joined(condition.args, conjunction=isinstance(condition, ConditionAND) != negated, negated=negated)
    fields = frozenset(_leaf_fields(condition))
    empty: frozenset[str] = frozenset()
    return frozenset({Branch(empty, fields) if negated else Branch(fields, empty)})


def _joined(arguments: Iterable[Any], *, conjunction: bool, negated: bool) -> frozenset[Branch]:
    parts = [branches_of(argument, negated=negated) for argument in arguments]
    if not conjunction:
        return _bounded(frozenset().union(*parts))
    product = _EVERYTHING
    for part in parts:
        product = _bounded(
            frozenset(
                Branch(one.matched | other.matched, one.excluded | other.excluded) for one in product for other in part
            )
        )
    return product


def _bounded(branches: frozenset[Branch]) -> frozenset[Branch]:
    if len(branches) > MAX_BRANCHES:
        raise TooManyBranchesError
    return branches


def fields_of(condition: Any) -> frozenset[str]:
    """Return every field that the condition names."""
    return frozenset(field for leaf in _leaves(condition) for field in _leaf_fields(leaf)) - {KEYWORDS}


def literal_fields_of(definition: Any) -> Iterator[str]:
    """Give the fields that a selection, as written, compares with a value; `KEYWORDS` for a value without a field.

    Presence (`exists`, `null`) and comparison of two fields are no values.
    """
    if isinstance(definition, dict):
        for key, value in definition.items():
            field, *modifiers = key.split("|")
            if not _is_without_literal(value, modifiers):
                yield field or KEYWORDS
    elif isinstance(definition, list):
        for item in definition:
            yield from literal_fields_of(item)
    else:
        yield KEYWORDS


def _is_without_literal(value: Any, modifiers: Sequence[str]) -> bool:
    if value is None:
        return True
    if "exists" in modifiers:
        return isinstance(value, bool)
    values = value if isinstance(value, list) else [value]
    return "fieldref" in modifiers and all(
        isinstance(item, str) and _FIELD_NAME.fullmatch(item) is not None for item in values
    )


def _leaves(condition: Any) -> Iterator[Any]:
    stack = [condition]
    while stack:
        item = stack.pop()
        if isinstance(item, ConditionItem):
            stack.extend(item.args)
        else:
            yield item


def _leaf_fields(leaf: Any) -> Iterator[str]:
    if not isinstance(leaf, ConditionFieldEqualsValueExpression):
        yield KEYWORDS
        return
    yield leaf.field
    if isinstance(leaf.value, SigmaFieldReference):
        yield leaf.value.field
