"""What is certain before a step runs, whichever way the workflow came, and what is certain to follow.

A fact holds before a step if it holds on every way that leads there; after a parallel step all branches have run. A
failed step establishes nothing. Conditions are read, never evaluated: what a branch was taken for is what is known
in it. By the convention of docs/playbooks.md a few variables have a meaning.
"""

import re
from collections.abc import Mapping
from enum import Enum
from functools import reduce
from typing import Any, Final

from signatures.cacao.conditions import AllOf, AnyOf, Comparison, Condition, parse_condition
from signatures.cacao.effects import APPROVED, Effect, asks_for_approval, effects_of
from signatures.cacao.flow import CONSTRUCTS, END, REPEAT, SKIP, Edge, Flow, step_of

ALLOW_LISTED: Final = "__allow_listed__"
DISPUTED: Final = "__disputed__"
FAMILIES: Final = "__evidence_families__"
MIN_FAMILIES: Final = 2
"""Independent families of evidence that agree: with two, a block does not rest on one disputed signature alone."""


class Fact(Enum):
    """What can be certain at a place in a workflow."""

    ASKED = "a person was asked to approve"
    APPROVED = "a person approved"
    NOT_ALLOW_LISTED = "the customer is not on the allow-list"
    NOT_DISPUTED_ALONE = "what it rests on is not disputed, or more agrees with it"
    NOTIFIED = "the customer was told"
    TOLD_WHERE_TO_APPEAL = "the customer was told, and where to appeal"
    TRIED_MILDER = "something milder was tried, or the traffic was looked at"


Facts = frozenset[Fact]
NOTHING: Final[Facts] = frozenset()


class Certainty:
    """What is certain along a workflow. before: at each place, when it is reached. following: what is certain to be
    established once it is left, where nothing fails unhandled. appealing: ids of the steps that name where to appeal.
    """

    def __init__(self, flow: Flow, appealing: frozenset[str] = frozenset()) -> None:
        self._flow = flow
        self._appealing = appealing
        # A decision that a machine may overwrite is no person's.
        self._people_decide = not any(_overwrites_decision(step) for step in flow.steps.values())
        self.before: Mapping[str, Facts] = self._go_forward()
        self.following: Mapping[str, Facts] = self._go_back()

    def _go_forward(self) -> Mapping[str, Facts]:
        flow, known = self._flow, dict[str, Facts]()
        for place in flow.order:
            ways = [edge for edge in flow.incoming[place] if edge.kind != REPEAT]
            arriving = [(edge, known[edge.source] | self._established(edge, known[edge.source])) for edge in ways]
            if place in (flow.start, flow.exception) or not arriving:
                # An unhandled error leads to the exception step from anywhere.
                known[place] = NOTHING
            elif flow.type_of(step_of(place)) == "parallel" and place != step_of(place):
                known[place] = _all_branches(arriving)
            else:
                known[place] = _common([facts for _edge, facts in arriving])
        return known

    def _go_back(self) -> Mapping[str, Facts]:
        flow, coming = self._flow, dict[str, Facts]()
        for place in reversed(flow.order):
            ways = [self._established(edge, self.before[place]) | coming[edge.target] for edge in flow.outgoing[place]]
            coming[place] = _together(ways) if flow.type_of(place) == "parallel" else _common(ways)
        return coming

    def _established(self, edge: Edge, known: Facts) -> Facts:
        """What is certain when a step is left on this way, beside what was `known` before it."""
        step = self._flow.steps.get(edge.source)
        if step is None or edge.kind in (END, REPEAT):
            return NOTHING
        if step["type"] == "action":
            found = _after_action(step, edge.kind)
            is_appealing = Fact.NOTIFIED in found and edge.source in self._appealing
            return found | {Fact.TOLD_WHERE_TO_APPEAL} if is_appealing else found
        if step["type"] not in CONSTRUCTS or step["type"] == "parallel":
            return NOTHING
        found = _after_switch(step, edge) if step["type"] == "switch-condition" else _after_condition(step, edge.kind)
        # Nobody was asked: then the variable is no person's decision.
        return found if Fact.ASKED in known and self._people_decide else found - {Fact.APPROVED}


def _overwrites_decision(step: Mapping[str, Any]) -> bool:
    return APPROVED in _results_of(step) and not (step["type"] == "action" and asks_for_approval(step))


def _results_of(step: Mapping[str, Any]) -> frozenset[str]:
    """The variables of the whole playbook that a step sets."""
    results = {argument.removesuffix(":value") for argument in step.get("out_args", ())}
    return frozenset(results - step.get("step_variables", {}).keys())


def _all_branches(arriving: list[tuple[Edge, Facts]]) -> Facts:
    """After a parallel step: what is certain at the end of any branch."""
    branches: dict[str, list[Facts]] = {}
    for edge, facts in arriving:
        branches.setdefault(edge.branch, []).append(facts)
    return _together([_common(ends) for ends in branches.values()])


def _together(ways: list[Facts]) -> Facts:
    return frozenset[Fact]().union(*ways)


def _common(ways: list[Facts]) -> Facts:
    return reduce(frozenset.intersection, ways) if ways else NOTHING


_OF_EFFECT: Final[Mapping[Effect, Fact]] = {
    Effect.OBSERVE: Fact.TRIED_MILDER,
    Effect.LIMIT: Fact.TRIED_MILDER,
    Effect.NOTIFY: Fact.NOTIFIED,
}


def _after_action(step: Mapping[str, Any], way: str) -> Facts:
    if way == "on_failure":
        return NOTHING
    found = {_OF_EFFECT[effect] for effect in effects_of(step) if effect in _OF_EFFECT}
    if asks_for_approval(step):
        if APPROVED in _results_of(step):
            found.add(Fact.ASKED)
        elif way == "on_success":
            # The step succeeds when the person says yes; on_completion goes on whatever was said.
            found.add(Fact.APPROVED)
    return frozenset(found)


def _after_condition(step: Mapping[str, Any], way: str) -> Facts:
    return facts_when(parse_condition(step["condition"]), holds=way == "on_true")


def _after_switch(step: Mapping[str, Any], edge: Edge) -> Facts:
    variable = str(step["switch"]).removesuffix(":value")
    cases = {case: Comparison(variable, "=", (case,), is_negated=False) for case in step["cases"] if case != "default"}
    if edge.kind == SKIP or edge.detail == "default":
        return _together([facts_when(each, holds=False) for each in cases.values()])
    return facts_when(cases[edge.detail], holds=True)


def facts_when(condition: Condition, *, holds: bool) -> Facts:
    """Return what follows when a condition holds, or when it does not."""
    if isinstance(condition, Comparison):
        return _of_comparison(condition, holds != condition.is_negated)
    parts = [facts_when(part, holds=holds) for part in condition.parts]
    # All parts of an AND hold with it, and no part of an OR holds without it; else it may be any one of them.
    is_each = isinstance(condition, AllOf) if holds else isinstance(condition, AnyOf)
    return _together(parts) if is_each else _common(parts)


def _of_comparison(test: Comparison, holds: bool) -> Facts:
    if test.variable == FAMILIES:
        return frozenset({Fact.NOT_DISPUTED_ALONE}) if holds and _is_at_least(test, MIN_FAMILIES) else NOTHING
    value = _truth_of(test)
    if value is None:
        return NOTHING
    is_true = value == holds
    if test.variable == ALLOW_LISTED:
        return NOTHING if is_true else frozenset({Fact.NOT_ALLOW_LISTED})
    if test.variable == DISPUTED:
        return NOTHING if is_true else frozenset({Fact.NOT_DISPUTED_ALONE})
    if test.variable == APPROVED:
        return frozenset({Fact.APPROVED}) if is_true else NOTHING
    return NOTHING


_EQUAL: Final = frozenset({"=", "=="})
_UNEQUAL: Final = frozenset({"!=", "<>"})
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,9}(?:\.[0-9]+)?")


def _truth_of(test: Comparison) -> bool | None:
    """What a comparison of a truth value asks for: `= true` and `!= false` are True; None for other comparisons."""
    value = test.values[0].strip("'").lower() if len(test.values) == 1 else ""
    if value not in {"true", "false"}:
        return None
    if test.operator in _EQUAL or test.operator == "IN":
        return value == "true"
    return value == "false" if test.operator in _UNEQUAL else None


def _is_at_least(test: Comparison, least: int) -> bool:
    value = test.values[0].strip("'") if len(test.values) == 1 else ""
    if _NUMBER.fullmatch(value) is None:
        return False
    number = float(value)
    return {">=": number >= least, ">": number >= least - 1, "=": number >= least, "==": number >= least}.get(
        test.operator, False
    )
