"""What objects name, and what of them names nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.claims.naming import named_in, values_of_pattern
from exchange.stix.pattern import check_pattern

AT = "2026-11-20T00:00:00.000Z"
A = "[ipv4-addr:value = '192.0.2.1']"


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        (A, ["192.0.2.1"]),
        ("[ ipv4-addr:value='192.0.2.1' OR ipv6-addr:value = '2001:db8::1' ]", ["192.0.2.1", "2001:db8::1"]),
        (f"{A} OR [domain-name:value = 'a.example']", ["192.0.2.1", "a.example"]),
        ("[autonomous-system:number = 64500]", ["64500"]),
        ("[ipv4-addr:value = '192.0.2.1' AND domain-name:value = 'a.example']", []),
        (f"{A} AND [domain-name:value = 'a.example']", []),
        (f"{A} FOLLOWEDBY {A}", []),
        (f"{A} REPEATS 5 TIMES", []),
        ("[ipv4-addr:value != '192.0.2.1']", []),
        ("[NOT ipv4-addr:value = '192.0.2.1']", []),
        ("[ipv4-addr:value = '192.0.2.1' OR url:value = 'x']", []),
        ("[url:value = \"[ipv4-addr:value = '192.0.2.1']\"]", []),
        ("[url:value = '[ipv4-addr:value = ']", []),
    ],
)
def test_a_pattern_names_what_it_holds_for_alone(pattern: str, values: list[str]) -> None:
    assert [value for _, value in values_of_pattern(pattern)] == values


@given(
    st.lists(st.sampled_from([A, "[", "]", " OR ", " AND ", "NOT ", "'", "ipv4-addr:value = '192.0.2.1'"]), max_size=8)
)
def test_a_pattern_that_names_something_is_a_pattern(parts: list[str]) -> None:
    pattern = "".join(parts)
    if values_of_pattern(pattern):
        check_pattern(pattern)
        assert "AND" not in pattern
        assert "NOT" not in pattern


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", [" ", "ipv4-addr:value = ", "ipv4-addr:value  ", "autonomous-system:number =", "'", "="]
)
def test_the_longest_pattern_of_anything_is_looked_through_in_linear_time(piece: str) -> None:
    longest = piece * (65_536 // len(piece))
    assert values_of_pattern(f"[url:value = 'x'{longest}]") == []
    assert values_of_pattern(f"[url:value = '{longest.replace(chr(39), '')}']") == []


def test_values_that_cannot_be_read_and_other_types_name_nothing() -> None:
    for members in (
        {"type": "ipv4-addr", "value": "not an address"},
        {"type": "domain-name", "value": "p\u0430ypal.com"},
        {"type": "url", "value": "https://a.example"},
        {"type": "indicator", "pattern_type": "sigma", "pattern": A},
        {"type": "indicator", "pattern_type": "stix", "pattern": A, "revoked": True},
    ):
        named = named_in(members, AT)
        assert (named.nets, named.values) == ([], [])


@pytest.mark.parametrize(
    ("members", "net"),
    [
        ({"type": "ipv4-addr", "value": "192.0.2.9/24"}, "192.0.2.0/24"),
        ({"type": "ipv6-addr", "value": "2001:DB8::"}, "2001:db8::/128"),
    ],
)
def test_observables_name_networks(members: dict[str, Any], net: str) -> None:
    named = named_in(members, AT)
    assert [str(each.net) for each in named.nets] == [net]
    assert named.nets[0].kind == ""
