"""The walk from one name to others, against a naive reference: paths of every length, tried one after the other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from attribution.standing.walking import Walk, walk

NODES = tuple("abcdefgh")


@dataclass(frozen=True, slots=True)
class Said:
    """One lab's word that two are the same."""

    lab: str
    ends: tuple[str, str]


pairs = st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)).filter(lambda pair: pair[0] < pair[1])
said = st.lists(st.builds(Said, st.sampled_from(("aurora", "borealis")), pairs), max_size=14, unique=True)
seen = st.sets(st.sampled_from(NODES)).map(lambda some: some | {"a"})


def walked(links: list[Said], visible: Collection[str], steps: int, names: int) -> tuple[Walk[Said], list[str]]:
    """The walk, and everything that it asked for."""
    asked: list[str] = []

    def links_of(ids: Collection[str]) -> list[Said]:
        asked.extend(ids)
        return [link for link in links if set(link.ends) & set(ids)]

    def in_sight(ids: Collection[str]) -> set[str]:
        return set(ids) & set(visible)

    return walk("a", links_of=links_of, in_sight=in_sight, max_steps=steps, max_names=names), asked


def distances(links: list[Said], visible: Collection[str]) -> dict[str, int]:
    """How far each is from the start, by links between visible ends alone: relaxed until nothing changes."""
    found = {"a": 0}
    for _ in NODES:
        for link in links:
            one, other = link.ends
            for here, there in ((one, other), (other, one)):
                if here in found and there in visible:
                    found[there] = min(found.get(there, len(NODES)), found[here] + 1)
    return found


@given(said, seen, st.integers(0, 8))
def test_what_is_reached_is_what_visible_links_connect_in_so_many_steps(
    links: list[Said], visible: set[str], steps: int
) -> None:
    found, asked = walked(links, visible, steps, len(NODES))
    expected = distances(links, visible)
    assert found.steps == {node: far for node, far in expected.items() if far <= steps}
    assert found.more == any(far > steps for far in expected.values())
    assert set(found.links) == {link for link in links if set(link.ends) <= found.steps.keys()}
    assert len(found.links) == len(set(found.links))
    assert set(asked) <= visible


@given(said, seen, st.integers(1, 8))
def test_a_bound_on_names_leaves_out_the_farther_ones_and_says_so(
    links: list[Said], visible: set[str], names: int
) -> None:
    found, _ = walked(links, visible, len(NODES), names)
    expected = distances(links, visible)
    assert len(found.steps) == min(names, len(expected))
    assert found.more == (len(expected) > names)
    assert all(expected[node] == far for node, far in found.steps.items())
    left = [far for node, far in expected.items() if node not in found.steps]
    assert max(found.steps.values()) <= min(left, default=len(NODES))


@given(said, seen, st.integers(0, 4), st.integers(1, 8))
def test_what_is_hidden_changes_nothing(links: list[Said], visible: set[str], steps: int, names: int) -> None:
    told, _ = walked(links, visible, steps, names)
    without = [link for link in links if set(link.ends) <= visible]
    assert told == walked(without, visible, steps, names)[0]
