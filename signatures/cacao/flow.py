"""The workflow of a checked playbook as a graph: what can run after what, with the ends of branches joined up.

A construct (if, while, switch, parallel) is two places: where it begins, and where it goes on after its branches have
ended (CACAO 2.0 section 4). The graph has no circles: a loop's way back is kept beside it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from signatures.cacao.shape import fault
from signatures.cacao.workflow import branches_of, ends_of

SEQUENCE: Final = ("on_completion", "on_success", "on_failure")

CONSTRUCTS: Final = frozenset({"if-condition", "while-condition", "switch-condition", "parallel"})
"""Types of steps that have branches."""

END: Final = "end"
"""From the end of a branch to where its construct goes on."""

SKIP: Final = "skip"
"""From a construct past its branches: no `on_false`, no case that fits, a loop that is over."""

REPEAT: Final = "repeat"
"""From the end of a loop's body to where the loop goes on, by way of its condition."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one place to another.

    kind: the property that says so (`on_success`, `on_true`, `cases`, `next_steps` ...), or `END`, `SKIP`, `REPEAT`.
    detail: the case. branch: of `END` and `REPEAT`, the first step of the branch that ends.
    """

    source: str
    target: str
    kind: str
    detail: str = ""
    branch: str = ""


@dataclass(frozen=True)
class Flow:
    """The graph. steps: by id. exception: the step that an unhandled error leads to, "" if there is none.

    loops: (last step of a body, its while-condition). order: all places, each before those that it leads to.
    """

    steps: Mapping[str, Mapping[str, Any]]
    start: str
    exception: str
    edges: tuple[Edge, ...]
    loops: tuple[tuple[str, str], ...]
    order: tuple[str, ...]

    @cached_property
    def incoming(self) -> Mapping[str, list[Edge]]:
        """Edges by the place that they lead to; every place is there."""
        return self._by("target")

    @cached_property
    def outgoing(self) -> Mapping[str, list[Edge]]:
        """Edges by the place that they come from; every place is there."""
        return self._by("source")

    def type_of(self, place: str) -> str:
        """The type of the step that a place belongs to; "" where a construct goes on, which no step is."""
        return str(self.steps[place]["type"]) if place in self.steps else ""

    def _by(self, side: str) -> Mapping[str, list[Edge]]:
        found: dict[str, list[Edge]] = {place: [] for place in self.order}
        for edge in self.edges:
            found[getattr(edge, side)].append(edge)
        return found


def after(step: str) -> str:
    """The place where a construct goes on. No id of a step has a slash."""
    return f"{step}/after"


def step_of(place: str) -> str:
    """The step that a place belongs to."""
    return place.partition("/")[0]


def flow_of(playbook: Mapping[str, Any]) -> Flow:
    """Return the graph of a playbook whose workflow was checked.

    Raises: ObjectInvalidError (`cacao-circle`) for steps that wait for one another.
    """
    steps = playbook["workflow"]
    edges: list[Edge] = []
    loops: list[tuple[str, str]] = []
    for identifier, step in steps.items():
        goes_on = after(identifier) if step["type"] in CONSTRUCTS else identifier
        edges.extend(Edge(goes_on, step[name], name) for name in SEQUENCE if name in step)
        for edge in _branch_edges(identifier, step, steps):
            edges.append(edge)
            if edge.kind == REPEAT:
                loops.append((edge.source, identifier))
    places = [*steps, *(after(each) for each, step in steps.items() if step["type"] in CONSTRUCTS)]
    exception = str(playbook.get("workflow_exception", ""))
    order = _ordered(places, edges)
    return Flow(steps, playbook["workflow_start"], exception, tuple(edges), tuple(loops), order)


def _branch_edges(identifier: str, step: Mapping[str, Any], steps: Mapping[str, Any]) -> Iterator[Edge]:
    if step["type"] not in CONSTRUCTS:
        return
    ending = REPEAT if step["type"] == "while-condition" else END
    for where, head in branches_of(step):
        yield Edge(identifier, head, str(where[0]), str(where[1]) if where[0] == "cases" else "")
        for end in sorted(ends_of(head, steps)):
            yield Edge(end, after(identifier), ending, branch=head)
    is_switch_without_default = step["type"] == "switch-condition" and "default" not in step["cases"]
    is_if_without_else = step["type"] == "if-condition" and "on_false" not in step
    if is_switch_without_default or is_if_without_else or ending == REPEAT:
        yield Edge(identifier, after(identifier), SKIP)


def _ordered(places: list[str], edges: list[Edge]) -> tuple[str, ...]:
    """Places in an order that every edge follows."""
    waits_for = dict.fromkeys(places, 0)
    leads_to: dict[str, list[str]] = {place: [] for place in places}
    for edge in edges:
        waits_for[edge.target] += 1
        leads_to[edge.source].append(edge.target)
    free = [place for place in reversed(places) if waits_for[place] == 0]
    found = []
    while free:
        place = free.pop()
        found.append(place)
        for target in reversed(leads_to[place]):
            waits_for[target] -= 1
            if waits_for[target] == 0:
                free.append(target)
    if len(found) < len(places):
        stuck = min(step_of(place) for place in places if waits_for[place])
        raise fault("circle", "Steps wait for one another.", ("workflow", stuck))
    return tuple(found)
