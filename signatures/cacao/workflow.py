"""The workflow of a playbook: steps, their order, branches and ends (CACAO 2.0 section 4; cacao2.md section 10, 3-6).

A workflow is a graph without circles that begins at one start step; a loop is a while-condition whose body ends in a
step of its own. Every branch has its own end, so that one can tell what has finished.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from exchange.stix.errors import shown
from signatures.cacao.limits import MAX_STEPS
from signatures.cacao.shape import Members, check_shape, fault, parse_identifier
from signatures.cacao.vocabulary import STEPS

_SEQUENCE: Final = ("on_completion", "on_success", "on_failure")
_MIN_PARALLEL_STEPS: Final = 2
# Section 4.1: a start, an end and something to do.
_MIN_STEPS: Final = 3


def check_workflow(playbook: Members) -> None:
    """Check all steps and how they follow one another.

    Raises: ObjectInvalidError with a pointer.
    """
    workflow = playbook["workflow"]
    if not _MIN_STEPS <= len(workflow) <= MAX_STEPS:
        raise fault("workflow", f"A workflow has {_MIN_STEPS} to {MAX_STEPS} steps.", ("workflow",))
    for identifier, step in workflow.items():
        _check_step(identifier, step, workflow)
    _check_ends(playbook)
    _check_circles(workflow)
    _check_reachable(playbook)
    _check_branch_ends(playbook)


def _check_step(identifier: str, step: Any, workflow: Members) -> None:
    path = ("workflow", identifier)
    parsed = parse_identifier(identifier)
    if parsed is None or parsed[1][14] != "4":
        raise fault("identifier", f"{shown(identifier)} is not `<step type>--<UUIDv4>`.", path)
    shape = STEPS.get(parsed[0])
    if shape is None:
        raise fault("step-type", f"{shown(parsed[0])} is no type of step.", path)
    check_shape(step, shape, path)
    if step["type"] != parsed[0]:
        raise fault("identifier", "The step's type and its id disagree.", (*path, "type"))
    _check_flow(step, path)
    if step["type"] == "parallel" and len(step["next_steps"]) < _MIN_PARALLEL_STEPS:
        raise fault("flow", "A parallel step has at least two branches.", (*path, "next_steps"))
    for where, target in _references(step):
        if target not in workflow or target.startswith("start--"):
            raise fault("unknown-step", f"{shown(target)} is no step that can follow.", (*path, *where))


def _check_flow(step: Members, path: tuple[str, str]) -> None:
    given = {name for name in _SEQUENCE if name in step}
    allowed: tuple[set[str], ...] = (
        {"on_completion"},
        {"on_success"},
        {"on_success", "on_failure"},
    )
    if step["type"] == "start":
        allowed = ({"on_completion"},)
    elif step["type"] == "end":
        allowed = (set(),)
    if given not in allowed:
        raise fault("flow", "A step goes on by on_completion, or by on_success and on_failure; an end by none.", path)


def _references(step: Members) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every step that this one names, with the place; sequence first."""
    for name in _SEQUENCE:
        if name in step:
            yield (name,), step[name]
    yield from branches_of(step)


def branches_of(step: Members) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where each branch of a step begins: (place in the step, id of the first step)."""
    for position, target in enumerate(step.get("next_steps", ())):
        yield ("next_steps", position), target
    for name in ("on_true", "on_false"):
        if name in step:
            yield (name,), step[name]
    for case, target in step.get("cases", {}).items():
        yield ("cases", case), target


def _check_ends(playbook: Members) -> None:
    workflow = playbook["workflow"]
    starts = [identifier for identifier, step in workflow.items() if step["type"] == "start"]
    if starts != [playbook["workflow_start"]]:
        raise fault("start", "There is exactly one start step, `workflow_start`.", ("workflow_start",))
    if not any(step["type"] == "end" for step in workflow.values()):
        raise fault("end", "There is no end step.", ("workflow",))
    exception = playbook.get("workflow_exception")
    if exception is not None and (exception not in workflow or exception.startswith("start--")):
        raise fault("unknown-step", f"{shown(exception)} is no step.", ("workflow_exception",))


def _check_circles(workflow: Mapping[str, Members]) -> None:
    """Take away steps that nothing leads to until none is left; what stays is a circle."""
    incoming = dict.fromkeys(workflow, 0)
    for step in workflow.values():
        for _where, target in _references(step):
            incoming[target] += 1
    free = [identifier for identifier, count in incoming.items() if count == 0]
    left = set(workflow)
    while free:
        identifier = free.pop()
        left.discard(identifier)
        for _where, target in _references(workflow[identifier]):
            incoming[target] -= 1
            if incoming[target] == 0:
                free.append(target)
    if left:
        raise fault("circle", "Steps run in a circle; loop with while-condition.", ("workflow", min(left)))


def _check_reachable(playbook: Members) -> None:
    workflow = playbook["workflow"]
    stack = [playbook["workflow_start"], *filter(None, [playbook.get("workflow_exception")])]
    reached: set[str] = set()
    while stack:
        identifier = stack.pop()
        if identifier not in reached:
            reached.add(identifier)
            stack.extend(target for _where, target in _references(workflow[identifier]))
    orphans = sorted(workflow.keys() - reached)
    if orphans:
        raise fault("orphan-step", "Nothing leads to this step.", ("workflow", orphans[0]))


def _check_branch_ends(playbook: Members) -> None:
    workflow = playbook["workflow"]
    owner: dict[str, tuple[str | int, ...]] = {}
    for where, head in _sequences(playbook):
        for end in ends_of(head, workflow):
            if end in owner and owner[end] != where:
                raise fault("shared-end", f"Two branches end in {end}; each needs its own end.", where)
            owner[end] = where


def _sequences(playbook: Members) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The main sequence and each branch; error handling may join the main sequence, so it is not among them."""
    yield ("workflow_start",), playbook["workflow_start"]
    for identifier, step in playbook["workflow"].items():
        for where, target in branches_of(step):
            yield ("workflow", identifier, *where), target


def ends_of(head: str, workflow: Members) -> set[str]:
    """Return the end steps of one sequence: along on_completion, on_success and on_failure, not into inner branches."""
    stack, seen = [head], set()
    while stack:
        identifier = stack.pop()
        if identifier not in seen:
            seen.add(identifier)
            stack.extend(workflow[identifier][name] for name in _SEQUENCE if name in workflow[identifier])
    return {identifier for identifier in seen if workflow[identifier]["type"] == "end"}
