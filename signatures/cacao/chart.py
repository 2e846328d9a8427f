"""A playbook as a flow chart: which shapes there are, what they say, and which lines join them. Says nothing of places.

Every step is a shape. A construct goes on where its branches end, so lines run from the ends of branches to the step
that follows; where two follow (`on_success`, `on_failure`), a joint stands between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from signatures.cacao.effects import Effect, effects_of
from signatures.cacao.flow import END, REPEAT, SKIP, Edge, Flow, flow_of, step_of
from signatures.cacao.safety import Finding, Severity
from signatures.cacao.shape import Members

ERROR: Final = "\1error"
"""The shape from which the exception step is reached; no id of a step begins so."""

_MS_PER_UNIT: Final = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))


class Shape(Enum):
    """The shapes of a chart."""

    START = "start"
    END = "end"
    DOT = "end of a branch"
    JOINT = "joint"
    ACTION = "action"
    PLAYBOOK = "other playbook"
    CHOICE = "if, switch"
    LOOP = "loop"
    PARALLEL = "side by side"
    ERROR = "error"


SHAPES: Final[Mapping[str, Shape]] = {
    "start": Shape.START,
    "end": Shape.END,
    "action": Shape.ACTION,
    "playbook-action": Shape.PLAYBOOK,
    "if-condition": Shape.CHOICE,
    "switch-condition": Shape.CHOICE,
    "while-condition": Shape.LOOP,
    "parallel": Shape.PARALLEL,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One shape. title, test, caption: what it says; test is a condition. effect: the strongest, None if it has none.
    severity: of the worst finding about it."""

    shape: Shape
    title: str = ""
    test: str = ""
    caption: str = ""
    effect: Effect | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line from one shape to another. label: what is said on it. goes_back: it is drawn against the arrow, up."""

    source: str
    target: str
    label: str = ""
    goes_back: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A flow chart. figures: by step, in the order of reading."""

    title: str
    figures: Mapping[str, Figure]
    lines: Sequence[Line]


def chart_of(playbook: Members, findings: Sequence[Finding] = ()) -> Chart:
    """Return a checked playbook as a chart. findings: of its safety check, to be marked.

    Raises: ObjectInvalidError as `flow_of`.
    """
    flow = flow_of(playbook)
    worst = _worst_of(findings)
    figures: dict[str, Figure] = {}
    joints = {each for each in flow.order if each not in flow.steps and len(flow.outgoing[each]) > 1}
    ends_of_branches = {edge.source for edge in flow.edges if edge.kind in (END, REPEAT)}
    for place in flow.order:
        if place == flow.exception and ERROR not in figures:
            figures[ERROR] = Figure(Shape.ERROR, "On an error")
        if place in joints:
            figures[place] = Figure(Shape.JOINT)
        elif place in flow.steps:
            figures[place] = _figure(playbook, place, worst.get(place), is_branch_end=place in ends_of_branches)
    lines = [Line(ERROR, flow.exception)] if flow.exception else []
    lines += [line for edge in flow.edges if (line := _line(flow, edge, joints)) is not None]
    return Chart(str(playbook["name"]), figures, lines)


def _worst_of(findings: Sequence[Finding]) -> dict[str, Severity]:
    found: dict[str, Severity] = {}
    for finding in findings:
        parts = finding.pointer.split("/")
        if len(parts) > 2 and parts[1] == "workflow" and found.get(parts[2]) is not Severity.REFUSE:
            found[parts[2]] = finding.severity
    return found


def _figure(playbook: Members, identifier: str, severity: Severity | None, *, is_branch_end: bool) -> Figure:
    step = playbook["workflow"][identifier]
    shape = SHAPES[step["type"]]
    title = str(step.get("name", ""))
    if shape is Shape.END and is_branch_end:
        return Figure(Shape.DOT, title)
    effect = max(effects_of(step), key=list(Effect).index, default=None)
    return Figure(shape, title or _default_title(step), _test_of(step), _caption(playbook, step), effect, severity)


def _default_title(step: Members) -> str:
    if step["type"] == "action":
        command = step["commands"][0]
        return str(command.get("description") or command.get("command") or f"A {command['type']} command")
    return {
        "start": "Start",
        "end": "End",
        "playbook-action": f"Playbook {step.get('playbook_id', '')}",
        "parallel": "All of these",
        "while-condition": "While",
        "if-condition": "If",
        "switch-condition": "Depending on",
    }[step["type"]]


def _test_of(step: Members) -> str:
    return str(step.get("condition") or step.get("switch") or "").replace(":value", "")


def _caption(playbook: Members, step: Members) -> str:
    parts = []
    if "agent" in step:
        agent = playbook.get("agent_definitions", {}).get(step["agent"], {}).get("name", "")
        targets = [
            playbook.get("target_definitions", {}).get(target, {}).get("name", "") for target in step.get("targets", ())
        ]
        parts.append(" → ".join(each for each in (agent, ", ".join(targets)) if each))
    if "delay" in step:
        parts.append(f"after {_duration(step['delay'])}")
    if "timeout" in step:
        parts.append(f"at most {_duration(step['timeout'])}")
    return " · ".join(each for each in parts if each)


def _duration(milliseconds: int) -> str:
    for size, unit in _MS_PER_UNIT:
        if milliseconds >= size:
            count = milliseconds / size
            text = f"{count:.1f}".removesuffix(".0")
            return f"{text} {unit}" if text == "1" else f"{text} {unit}s"
    return f"{milliseconds} ms"


_LABELS: Final[Mapping[str, str]] = {
    "on_success": "on success",
    "on_failure": "on failure",
    "on_true": "yes",
    "on_false": "no",
}
_LABELS_OF_SKIP: Final[Mapping[str, str]] = {
    "if-condition": "no",
    "while-condition": "done",
    "switch-condition": "otherwise",
}


def _line(flow: Flow, edge: Edge, joints: set[str]) -> Line | None:
    """The line of an edge; None for the way out of a construct without a joint, which its branches have taken over."""
    if edge.source not in flow.steps and edge.source not in joints:
        return None
    if edge.kind == REPEAT:
        # Laid out downwards like all others, and drawn from below.
        return Line(step_of(edge.target), edge.source, "again", goes_back=True)
    target = edge.target
    if target not in flow.steps and target not in joints:
        (only,) = flow.outgoing[target]
        target = only.target
        if edge.kind == END:
            return Line(edge.source, target, _LABELS.get(only.kind, ""))
    return Line(edge.source, target, _label(flow, edge))


def _label(flow: Flow, edge: Edge) -> str:
    if edge.kind == SKIP:
        return _LABELS_OF_SKIP[flow.type_of(edge.source)]
    if edge.kind == "cases":
        return "otherwise" if edge.detail == "default" else edge.detail
    if edge.kind == "on_true" and flow.type_of(edge.source) == "while-condition":
        return "as long as"
    return _LABELS.get(edge.kind, "")
