"""What is laid out and what comes of it; and the graph in layers, in which every edge leads to the next layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

MAX_BENDS: Final = 6_000
"""Places where long edges pass a layer: more of them are no drawing that anybody reads."""

BEND_WIDTH: Final = 8.0
"""Room that an edge is given where it passes a layer, in pixels."""


class GraphTooLargeError(ValueError):
    """The edges would pass more layers than `MAX_BENDS`."""


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of a node, in pixels."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes, in pixels. centres: of the nodes. routes: for each edge, in the order given, the points
    that it passes: the bottom of its source, the bottom of that layer, ... the top of the last layer, the top of its
    target."""

    centres: Mapping[str, tuple[float, float]]
    routes: Sequence[Sequence[tuple[float, float]]]
    width: float
    height: float


@dataclass
class Layers:
    """A graph in layers. rows: names in each layer, from left to right. down, up: neighbours in the next layer and in
    the one before. bends: for each edge, the names of the places where it passes layers. Names of bends begin with a
    NUL, which no node's does."""

    rows: list[list[str]]
    down: dict[str, list[str]] = field(default_factory=dict)
    up: dict[str, list[str]] = field(default_factory=dict)
    bends: list[list[str]] = field(default_factory=list)


def is_bend(name: str) -> bool:
    """Whether a name is that of a bend and no node's."""
    return name.startswith("\0")


def in_layers(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> Layers:
    """Return a graph without circles in layers: each node below all that lead to it, and no lower than it has to be.

    Raises: GraphTooLargeError.
    """
    ranks = _ranks_of(nodes, edges)
    rows: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    layers = Layers(rows, {name: [] for name in nodes}, {name: [] for name in nodes})
    for name in _in_reading_order(nodes, edges):
        rows[ranks[name]].append(name)
    if sum(ranks[target] - ranks[source] - 1 for source, target in edges) > MAX_BENDS:
        raise GraphTooLargeError
    for number, (source, target) in enumerate(edges):
        passed = [f"\0{number}.{rank}" for rank in range(ranks[source] + 1, ranks[target])]
        for rank, name in enumerate(passed, start=ranks[source] + 1):
            rows[rank].append(name)
        chain = [source, *passed, target]
        for above, below in pairwise(chain):
            layers.down.setdefault(above, []).append(below)
            layers.up.setdefault(below, []).append(above)
        layers.bends.append(passed)
    return layers


def _ranks_of(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Longest path from above; then what nothing leads to goes down to what it leads to."""
    below: dict[str, list[str]] = {name: [] for name in nodes}
    waits_for = dict.fromkeys(nodes, 0)
    for source, target in edges:
        below[source].append(target)
        waits_for[target] += 1
    sources = [name for name in nodes if waits_for[name] == 0]
    ranks, free = dict.fromkeys(nodes, 0), list(sources)
    while free:
        name = free.pop()
        for target in below[name]:
            ranks[target] = max(ranks[target], ranks[name] + 1)
            waits_for[target] -= 1
            if waits_for[target] == 0:
                free.append(target)
    for name in sources:
        if below[name]:
            ranks[name] = min(ranks[target] for target in below[name]) - 1
    return ranks


def _in_reading_order(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[str]:
    """Nodes as one meets them going down the first way, then the next: a beginning with few crossings."""
    below: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        below[source].append(target)
    found: dict[str, None] = {}
    for first in nodes:
        stack = [first]
        while stack:
            name = stack.pop()
            if name not in found:
                found[name] = None
                stack.extend(reversed(below[name]))
    return list(found)
