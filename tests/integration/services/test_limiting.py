"""The script that counts, in a real Valkey, held against a bucket in plain arithmetic."""

from __future__ import annotations

import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.services.limiting import Cells
from exchange.services.rates import Rate
from tests.support.database import TestServices

RATES = st.builds(Rate, st.integers(1, 2_000_000), st.sampled_from([1, 60, 3_600]), st.integers(1, 200))


def test_the_script_lets_in_what_a_bucket_has_room_for(services: TestServices) -> None:
    cells = Cells(services.cache_url)

    @settings(max_examples=60, deadline=None)
    @given(RATES, st.lists(st.integers(1, 300), min_size=1, max_size=12))
    def hold(rate: Rate, costs: list[int]) -> None:
        key, level_us, before_us = str(uuid.uuid4()), rate.burst_us, None
        for units in costs:
            cost_us, need_us = rate.cost_us(units), rate.cost_us(min(units, rate.burst))
            answer = cells.run([key], [cost_us, need_us, rate.burst_us])
            assert answer is not None
            allowed, wait_us, room_us, now_us = answer
            if before_us is not None:
                level_us = min(rate.burst_us, level_us + now_us - before_us)
            before_us = now_us
            if level_us >= need_us:
                level_us -= cost_us
                assert (allowed, wait_us, room_us) == (1, 0, level_us)
            else:
                # After the wait there is room for exactly this request.
                assert (allowed, room_us) == (0, level_us)
                assert level_us + wait_us == need_us

    hold()


def test_only_tokens_known_at_an_address_pass_while_wrong_credentials_come_from_it(services: TestServices) -> None:
    cells = Cells(services.cache_url)
    own, guard, known = (str(uuid.uuid4()) for _ in range(3))
    member = [1, 1, 3_600_000_000, 1_000_000_000, 1_000_000_000, 60]
    assert cells.run([own, guard, known], member) is not None
    assert cells.run([guard], [1_000_000_000, 1, 1_000_000_000]) is not None
    let_in, stranger = cells.run([own, guard, known], member), cells.run([own, guard, str(uuid.uuid4())], member)
    assert let_in is not None
    assert stranger is not None
    assert (let_in[0], stranger[0]) == (1, 2)
    assert 0 < stranger[1] <= 1_000_000_000
