"""16 writers at once, and followers who read while they write: nothing missed, nothing twice, dates rising."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable

import pytest

from exchange.stix.fixed import is_fixed
from tests.integration.faults.following import Follower
from tests.integration.faults.traffic import Door, Key, Post, ServiceDoor, TaxiiDoor, Writer, make_posts, running
from tests.support.labs import Community, LabHandle

WRITERS = 16
ROUNDS = [1, pytest.param(15, marks=[pytest.mark.faults, pytest.mark.timeout(3_600)])]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_followers_of_the_services_miss_nothing_and_see_nothing_twice(community: Community, rounds: int) -> None:
    follow_writers(community, ServiceDoor, rounds)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_followers_of_the_taxii_door_miss_nothing_and_see_nothing_twice(
    exchange_server: tuple[str, Community], rounds: int
) -> None:
    url, community = exchange_server
    follow_writers(community, lambda lab: TaxiiDoor(url, lab), rounds)


def follow_writers(community: Community, door: Callable[[LabHandle], Door], rounds: int) -> None:
    aurora, borealis, cobalt = community.labs
    shared = {lab: [lab.signed(lab.indicator()) for _ in range(5)] for lab in (aurora, cobalt)}
    labs = [(aurora, cobalt)[place % 2] for place in range(WRITERS)]
    writers = [Writer(door(lab), make_posts(lab, borealis, rounds=rounds, shared=shared[lab])) for lab in labs]
    may_end = threading.Event()
    ways = itertools.product((5, 100), (True, False), (True, False))
    followers = [Follower(door(borealis), *way, may_end) for way in ways]

    with running([follower.run for follower in followers]):
        try:
            with running([writer.run for writer in writers]):
                pass
        finally:
            may_end.set()

    posts = [post for writer in writers for post in writer.posts]
    for writer in writers:
        assert writer.stopped_by is None
        assert writer.acknowledged == {key for post in writer.posts for key in post.keys}
    for follower in followers:
        assert_saw_all(follower, posts)


def assert_saw_all(follower: Follower, posts: list[Post]) -> None:
    """Every version if it follows all, else the newest of everything: what got a newer version before the follower
    came by is not shown any more. In both cases nothing twice."""
    every: set[Key] = {key for post in posts for key in post.keys}
    due = every if follower.all_versions else set(dict(sorted(every)).items())
    twice = {key for key, count in Counter(follower.seen).items() if count > 1}
    missed = due - set(follower.seen)
    foreign = {key for key in set(follower.seen) - every if not is_fixed(key[0])}
    assert (twice, missed, foreign) == (set(), set(), set()), follower
