"""Rates as text and as numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.services.rates import DEFAULT_RATES, KINDS, MAX_BURST_US, TOKEN_KINDS, Rate, RateSyntaxError, parse_rates

COUNTS = st.integers(1, 10**9)


def test_rates_are_read_by_kind_with_units_of_time() -> None:
    assert parse_rates("read=200/s:2000, publish=5/m:7\nrefused=1/h:1") == {
        "read": Rate(200, 1, 2_000),
        "publish": Rate(5, 60, 7),
        "refused": Rate(1, 3_600, 1),
    }
    assert parse_rates("") == {}


@pytest.mark.parametrize(
    "text",
    [
        *("read", "read=1", "read=1/s", "read=0/s:1", "read=1/s:0", "read=1/d:1", "read=-1/s:1", "read=1.5/s:1"),
        *("read=9999999999/s:1", "Read=1/s:1", "other=1/s:1", "read=1/s:1 read=2/s:1", "off", "read=٣/s:1"),
    ],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(RateSyntaxError):
        parse_rates(text)


def test_a_token_has_no_limits_for_those_without_one() -> None:
    with pytest.raises(RateSyntaxError, match="known are read, publish"):
        parse_rates("anonymous=1/s:1", TOKEN_KINDS)


def test_every_kind_has_a_default_and_legitimate_followers_fit_it() -> None:
    assert set(DEFAULT_RATES) == set(KINDS)
    assert DEFAULT_RATES["read"].units > 1
    assert DEFAULT_RATES["read"].burst >= 1_000_000 / 1_000


@given(COUNTS, st.sampled_from([1, 60, 3_600]), COUNTS, st.integers(1, 10**9))
def test_a_cost_is_the_exact_time_rounded_up_and_buys_what_it_costs(
    units: int, period_s: int, burst: int, cost: int
) -> None:
    rate = Rate(units, period_s, burst)
    exact_by_units = cost * period_s * 1_000_000
    assert 0 <= rate.cost_us(cost) * units - exact_by_units < units
    assert rate.units_in(rate.cost_us(cost)) >= cost
    assert rate.units_in(rate.cost_us(cost) - 1) < cost


def test_a_rest_that_valkey_could_not_count_exactly_is_refused() -> None:
    with pytest.raises(RateSyntaxError, match="century"):
        parse_rates("read=1/h:1251000")
    assert parse_rates("read=1/h:1250000")["read"].burst_us < MAX_BURST_US
