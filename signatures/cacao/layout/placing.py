"""Where nodes go: layers below one another, and in a layer so that edges run straight (Brandes and Köpf, 2001).

Nodes are aligned with their median neighbour above or below, from the left or from the right; each of the four ways
gives a place, and the middle of these is taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from signatures.cacao.layout.graph import BEND_WIDTH, Layers, Layout, Size, in_layers, is_bend
from signatures.cacao.layout.ordering import order

NODE_GAP: Final = 28.0
LAYER_GAP: Final = 28.0


def lay_out(sizes: Mapping[str, Size], edges: Sequence[tuple[str, str]]) -> Layout:
    """Place a graph without circles. sizes: of the nodes, in the order of reading; edges: (source, target).

    Raises: GraphTooLargeError.
    """
    layers = in_layers(list(sizes), edges)
    order(layers)
    across = _Placing(layers, sizes).centres()
    left = min((across[name] - _width(name, sizes) / 2 for row in layers.rows for name in row), default=0.0)
    across = {name: x - left for name, x in across.items()}
    rows = list(_rows_of(layers, sizes))
    middle = {name: y for row, (y, _height) in zip(layers.rows, rows, strict=True) for name in row}
    half = {name: height / 2 for row, (_y, height) in zip(layers.rows, rows, strict=True) for name in row}
    routes = []
    for (source, target), passed in zip(edges, layers.bends, strict=True):
        x, y = across[source], middle[source]
        route = [(x, y + sizes[source].height / 2), (x, y + half[source])]
        for name in passed:
            route += [(across[name], middle[name] - half[name]), (across[name], middle[name] + half[name])]
        x, y = across[target], middle[target]
        route += [(x, y - half[target]), (x, y - sizes[target].height / 2)]
        routes.append(route)
    width = max((across[name] + _width(name, sizes) / 2 for row in layers.rows for name in row), default=0.0)
    height = rows[-1][0] + rows[-1][1] / 2 if rows else 0.0
    centres = {name: (across[name], middle[name]) for name in sizes}
    return Layout(centres, routes, width, height)


def _rows_of(layers: Layers, sizes: Mapping[str, Size]) -> Iterator[tuple[float, float]]:
    """(middle, height) of each layer."""
    top = 0.0
    for row in layers.rows:
        height = max((sizes[name].height for name in row if not is_bend(name)), default=0.0)
        yield top + height / 2, height
        top += height + LAYER_GAP


def _width(name: str, sizes: Mapping[str, Size]) -> float:
    return BEND_WIDTH if is_bend(name) else sizes[name].width


class _Placing:
    """Centres from left to right, for layers in their order."""

    def __init__(self, layers: Layers, sizes: Mapping[str, Size]) -> None:
        self._layers = layers
        self._sizes = sizes
        self._place = {name: position for row in layers.rows for position, name in enumerate(row)}
        self._conflicts = self._find_conflicts()

    def centres(self) -> dict[str, float]:
        """The middle of the four placings, each moved to the narrowest of them."""
        found = []
        for goes_down in (True, False):
            for goes_right in (True, False):
                rows = self._layers.rows if goes_down else list(reversed(self._layers.rows))
                rows = rows if goes_right else [list(reversed(row)) for row in rows]
                placed = self._compact(rows, self._align(rows, goes_down=goes_down))
                found.append(placed if goes_right else {name: -x for name, x in placed.items()})
        extents = [(min(each.values(), default=0.0), max(each.values(), default=0.0)) for each in found]
        narrowest = min(extents, key=lambda extent: extent[1] - extent[0])
        for number, placed in enumerate(found):
            is_left = number % 2 == 0
            shift = narrowest[0] - extents[number][0] if is_left else narrowest[1] - extents[number][1]
            found[number] = {name: x + shift for name, x in placed.items()}
        return {name: sum(sorted(each[name] for each in found)[1:3]) / 2 for name in self._place}

    def _find_conflicts(self) -> set[tuple[str, str]]:
        """Edges that cross a long one between two of its bends: the long one stays straight."""
        conflicts: set[tuple[str, str]] = set()
        for row in self._layers.rows:
            inner = [
                (self._place[name], self._place[below])
                for name in row
                if is_bend(name)
                for below in self._layers.down.get(name, ())
                if is_bend(below)
            ]
            if not inner:
                continue
            for name in row:
                for below in self._layers.down.get(name, ()):
                    if is_bend(name) and is_bend(below):
                        continue
                    here, there = self._place[name], self._place[below]
                    if any((here - start) * (there - end) < 0 for start, end in inner):
                        conflicts.add((name, below))
        return conflicts

    def _align(self, rows: list[list[str]], *, goes_down: bool) -> dict[str, str]:
        """The block that each name belongs to, by its first: names below one another that have the same place."""
        place = {name: position for row in rows for position, name in enumerate(row)}
        neighbours = self._layers.up if goes_down else self._layers.down
        root = {name: name for name in place}
        taken: set[str] = set()
        for row in rows:
            furthest = -1
            for name in row:
                near = sorted(neighbours.get(name, ()), key=place.__getitem__)
                for median in sorted({(len(near) - 1) // 2, len(near) // 2}) if near else ():
                    other = near[median]
                    edge = (other, name) if goes_down else (name, other)
                    is_free = root[name] == name and other not in taken and edge not in self._conflicts
                    if is_free and place[other] > furthest:
                        root[name] = root[other]
                        taken.add(other)
                        furthest = place[other]
        return root

    def _compact(self, rows: list[list[str]], root: dict[str, str]) -> dict[str, float]:
        """Push every block as far left as its neighbours let it, then back to the right where nothing is gained."""
        gaps: dict[tuple[str, str], float] = {}
        for row in rows:
            for left, right in pairwise(row):
                key = (root[left], root[right])
                gaps[key] = max(gaps.get(key, 0.0), self._gap(left, right))
        right_of: dict[str, list[tuple[str, float]]] = {}
        left_of: dict[str, list[tuple[str, float]]] = {}
        for (left, right), gap in gaps.items():
            right_of.setdefault(left, []).append((right, gap))
            left_of.setdefault(right, []).append((left, gap))
        blocks = _ordered(list(dict.fromkeys(root[name] for row in rows for name in row)), right_of)
        x: dict[str, float] = {}
        for block in blocks:
            x[block] = max((x[left] + gap for left, gap in left_of.get(block, ())), default=0.0)
        for block in reversed(blocks):
            limit = min((x[right] - gap for right, gap in right_of.get(block, ())), default=None)
            if limit is not None and block in left_of:
                x[block] = max(x[block], limit)
            elif limit is not None:
                x[block] = limit
        return {name: x[block] for name, block in root.items()}

    def _gap(self, left: str, right: str) -> float:
        gap = NODE_GAP / 2 if is_bend(left) or is_bend(right) else NODE_GAP
        return (_width(left, self._sizes) + _width(right, self._sizes)) / 2 + gap


def _ordered(blocks: list[str], right_of: Mapping[str, list[tuple[str, float]]]) -> list[str]:
    """Blocks in an order in which each comes after those left of it."""
    waits_for = dict.fromkeys(blocks, 0)
    for follows in right_of.values():
        for right, _gap in follows:
            waits_for[right] += 1
    free = [block for block in blocks if waits_for[block] == 0]
    found = []
    while free:
        block = free.pop()
        found.append(block)
        for right, _gap in right_of.get(block, ()):
            waits_for[right] -= 1
            if waits_for[right] == 0:
                free.append(right)
    return found
