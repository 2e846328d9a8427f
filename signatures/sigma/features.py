"""Which fields a condition rests on: every alternative of it, as sets of field names.

`a and (b or not c)` has the alternatives {a, b} and {a, not c}. The scope guard asks whether some alternative rests
on a person's country alone. Values do not matter here, only whether a rule writes one down.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
)
from sigma.types import SigmaExists, SigmaFieldReference, SigmaNull

from signatures.sigma.limits import MAX_BRANCHES

# Stands for a search in the whole event, which names no field.
KEYWORDS: Final = "(keywords)"


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


def literal_fields_of(condition: Any) -> frozenset[str]:
    """Return the fields that are compared with a value, rather than tested for presence or with each other."""
    return frozenset(
        leaf.field
        for leaf in _leaves(condition)
        if isinstance(leaf, ConditionFieldEqualsValueExpression)
        and not isinstance(leaf.value, SigmaExists | SigmaNull | SigmaFieldReference)
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
