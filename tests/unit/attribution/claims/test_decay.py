"""Decay against the definition of a half-life, and the completeness of its table."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.claims.decay import HALF_LIFE_DAYS, STALE_BELOW, is_stale, weight_of
from attribution.claims.kinds import KINDS

DAY_S = 86_400


def test_every_kind_has_a_half_life() -> None:
    assert set(HALF_LIFE_DAYS) == set(KINDS)


@given(st.sampled_from(KINDS), st.integers(0, 12))
def test_each_half_life_leaves_half(kind: str, halves: int) -> None:
    expected = Fraction(1)
    for _ in range(halves):
        expected /= 2
    weight = weight_of(kind, halves * HALF_LIFE_DAYS[kind] * DAY_S)
    assert weight == pytest.approx(float(expected), rel=1e-9)
    assert is_stale(weight) == (expected < STALE_BELOW)


@given(st.sampled_from(KINDS), st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_older_never_weighs_more(kind: str, one: float, other: float) -> None:
    older, newer = max(one, other), min(one, other)
    assert 0 <= weight_of(kind, older) <= weight_of(kind, newer) <= 1
