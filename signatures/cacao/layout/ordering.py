"""The order of each layer from left to right, so that few edges cross: the barycentre method, down and up."""

from bisect import bisect_right, insort
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from signatures.cacao.layout.graph import Layers

SWEEPS: Final = 12


def order(layers: Layers) -> None:
    """Order the rows of `layers`, in place; the best order of `SWEEPS` sweeps stays."""
    best, fewest = [list(row) for row in layers.rows], crossings(layers)
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        goes_down = sweep % 2 == 0
        neighbours = layers.up if goes_down else layers.down
        rows = layers.rows if goes_down else list(reversed(layers.rows))
        for before, row in pairwise(rows):
            # Every other pair of sweeps turns ties round, so that two that are stuck can change places.
            _sort_by_barycentre(row, before, neighbours, turns_ties=sweep % 4 >= 2)
        found = crossings(layers)
        if found < fewest:
            best, fewest = [list(row) for row in layers.rows], found
    layers.rows[:] = best


def crossings(layers: Layers) -> int:
    """How often edges cross."""
    return sum(_between(row, below, layers) for row, below in pairwise(layers.rows))


def _sort_by_barycentre(
    row: list[str], before: list[str], neighbours: Mapping[str, list[str]], *, turns_ties: bool
) -> None:
    place = {name: position for position, name in enumerate(before)}
    own = {name: position for position, name in enumerate(row)}
    sign = -1 if turns_ties else 1

    def key(name: str) -> tuple[float, int]:
        found = [place[each] for each in neighbours.get(name, ())]
        # What has no neighbour keeps its place among the others, as far as that can be said.
        middle = sum(found) / len(found) if found else own[name] * len(before) / max(len(row), 1)
        return (middle, sign * own[name])

    row.sort(key=key)


def _between(row: list[str], below: list[str], layers: Layers) -> int:
    """Pairs of edges between two layers of which one begins further left and ends further right."""
    place = {name: position for position, name in enumerate(below)}
    seen: list[int] = []
    count = 0
    for name in row:
        ends = [place[target] for target in layers.down.get(name, ())]
        count += sum(len(seen) - bisect_right(seen, end) for end in ends)
        for end in ends:
            insort(seen, end)
    return count
