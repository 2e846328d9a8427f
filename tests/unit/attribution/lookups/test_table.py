"""Matching in memory against a naive reference."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from attribution.addresses import BITS, Net, around, parse_net
from attribution.lookups.table import NONE, build_table
from attribution.ranges.overlaps import overlaps_in


def nets(version: int) -> st.SearchStrategy[Net]:
    bits = BITS[version]
    # Few bits vary, so that networks lie within one another and addresses hit them.
    firsts = st.integers(0, 63).map(lambda n: (n & 7) | (n >> 3) << (bits - 3))
    return st.builds(
        lambda first, length: Net(version, first >> (bits - length) << (bits - length), length),
        firsts,
        st.sampled_from([0, 1, 2, 3, bits - 3, bits - 2, bits - 1, bits]),
    )


@given(
    st.sampled_from([4, 6]).flatmap(
        lambda version: st.tuples(
            st.just(version), st.lists(nets(version), max_size=30), st.lists(nets(version), min_size=1, max_size=20)
        )
    )
)
def test_the_rows_of_an_address_are_those_of_every_network_that_contains_it(
    case: tuple[int, list[Net], list[Net]],
) -> None:
    version, listed, asked = case
    size = BITS[version] // 8
    table = build_table(
        version, b"".join(net.first.to_bytes(size, "big") for net in listed), [n.length for n in listed]
    )
    places = table.innermost(b"".join(net.first.to_bytes(size, "big") for net in asked))
    for net, place in zip(asked, places.tolist(), strict=True):
        address = ipaddress.ip_address(net.first.to_bytes(size, "big"))
        expected = {row for row, each in enumerate(listed) if address in ipaddress.ip_network(str(each))}
        found = [] if place == NONE else table.rows_around(place)
        assert set(found) == expected
        assert len(found) == len(expected)
        lengths = [listed[row].length for row in found]
        assert lengths == sorted(lengths, reverse=True)
        if found:
            assert table.net_at(place) == listed[found[0]]


@given(st.lists(st.one_of(nets(4), nets(6)), max_size=25))
def test_overlaps_are_what_ipaddress_says(listed: list[Net]) -> None:
    found = sorted(overlaps_in(listed))
    expected = []
    for place, net in enumerate(sorted(listed)):
        wider = [
            each
            for other, each in enumerate(sorted(listed))
            if other < place
            and each.version == net.version
            and ipaddress.ip_network(str(net)).subnet_of(ipaddress.ip_network(str(each)))  # type: ignore[arg-type]
        ]
        if wider:
            expected.append((net, max(wider, key=lambda each: each.length)))
    assert found == sorted(expected)


@given(st.one_of(nets(4), nets(6)))
def test_what_is_around_a_network_contains_it(net: Net) -> None:
    inside = ipaddress.ip_network(str(net))
    found = list(around(net))
    assert len(found) == net.length + 1
    assert all(inside.subnet_of(ipaddress.ip_network(str(each))) for each in found)  # type: ignore[arg-type]
    assert parse_net(str(net)) == net
