"""Addresses and networks, in one spelling each."""

from __future__ import annotations

import ipaddress
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.addresses import parse_address, parse_net
from exchange.stix.errors import ObjectInvalidError


@pytest.mark.parametrize(
    ("written", "net"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::FFFF:cb00:7107/120", "203.0.113.0/24"),
        ("2001:DB8:0:0::1", "2001:db8::1/128"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_each_network_has_one_spelling(written: str, net: str) -> None:
    assert str(parse_net(written)) == net


@pytest.mark.parametrize(
    "written",
    [
        "", " 1.2.3.4", "1.2.3", "01.2.3.4", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/08", "1.2.3.4/24/24",
        "1.2.3.4-1.2.3.9", "fe80::1%eth0", "::1/129", "::ffff:1.2.3.4/95", "[::1]", "1.2.3.4\0", "\u0661.2.3.4",
        "0x1.2.3.4", "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_network_is_refused(written: str) -> None:
    with pytest.raises(ObjectInvalidError):
        parse_net(written)


@given(st.ip_addresses())
def test_addresses_are_read_as_the_standard_library_reads_them(address: ipaddress.IPv4Address) -> None:
    expected = getattr(address, "ipv4_mapped", None) or address
    assert str(parse_address(str(address))) == f"{expected}/{expected.max_prefixlen}"


@given(st.ip_addresses(), st.integers(0, 128))
def test_host_bits_become_zero(address: ipaddress.IPv4Address, length: int) -> None:
    if length <= address.max_prefixlen and getattr(address, "ipv4_mapped", None) is None:
        network = ipaddress.ip_network(f"{address}/{length}", strict=False)
        assert parse_net(f"{address}/{length}").first == int(network.network_address)
        assert parse_net(f"{address}/{length}").last == int(network.broadcast_address)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    with suppress(ObjectInvalidError):
        assert str(parse_net(str(parse_net(text)))) == str(parse_net(text))
