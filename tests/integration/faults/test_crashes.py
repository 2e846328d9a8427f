"""kill -9 in the middle of publishing: of the web process, and of PostgreSQL with fsync on."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.integration.faults.crashing import (
    Victim,
    assert_sound,
    make_writers,
    publish_again,
    publish_until_killed,
)

ROUNDS = [1, pytest.param(25, marks=[pytest.mark.faults, pytest.mark.timeout(3_600)])]
ROUNDS_PER_WRITER = 6


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_killed_web_process_loses_nothing_and_leaves_nothing_half(mortal_server: Victim, rounds: int) -> None:
    survive(mortal_server, "web", rounds)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_killed_database_loses_nothing_and_leaves_nothing_half(mortal_stack: Victim, rounds: int) -> None:
    survive(mortal_stack, "postgres", rounds)


def survive(victim: Victim, kill: Literal["web", "postgres"], rounds: int) -> None:
    for _ in range(rounds):
        writers = make_writers(victim, ROUNDS_PER_WRITER)
        publish_until_killed(writers, victim, kill)
        assert_sound(writers)
        publish_again(writers, victim)
