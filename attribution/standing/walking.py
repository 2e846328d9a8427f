"""A walk from one name to the others that links connect with it, in bounds. Pure: what links and who sees is asked.

A link through something that is not in sight is not crossed, and nothing tells that it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

MAX_STEPS: Final = 4
"""From the name that was asked about. A community has tens of labs, and each link is a lab's word: a longer chain of
such words says little."""

MAX_NAMES: Final = 100
"""Names of one actor that are told."""


class Link(Protocol):
    """One lab's word that two things are the same."""

    @property
    def ends(self) -> tuple[str, str]: ...
    def __hash__(self) -> int: ...


L = TypeVar("L", bound=Link)


@dataclass(frozen=True, slots=True)
class Walk(Generic[L]):
    """steps: every id that was reached, by its distance from the start. links: those between two of them, each once.

    more: something in sight was left out for the bounds.
    """

    steps: dict[str, int]
    links: list[L]
    more: bool


def walk(
    start: str,
    *,
    links_of: Callable[[Collection[str]], Iterable[L]],
    in_sight: Callable[[Collection[str]], Collection[str]],
    max_steps: int = MAX_STEPS,
    max_names: int = MAX_NAMES,
) -> Walk[L]:
    """What can be reached from `start`, which is in sight itself.

    links_of: links with an end among these ids. in_sight: which of these the reader sees. Each is asked once a step,
    and `links_of` once more at the end.
    """
    steps, reached = {start: 0}, [start]
    links: dict[L, None] = {}
    asked: set[str] = set()
    more = False
    for step in range(max_steps + 1):
        links |= dict.fromkeys(links_of(reached))
        ends = {end for link in links for end in link.ends} - steps.keys() - asked
        asked |= ends
        others = sorted(set(in_sight(sorted(ends)))) if ends else []
        room = max_names - len(steps) if step < max_steps else 0
        more = more or len(others) > room
        reached = others[:room]
        if not reached:
            break
        steps |= dict.fromkeys(reached, step + 1)
    return Walk(steps, [link for link in links if steps.keys() >= set(link.ends)], more)
