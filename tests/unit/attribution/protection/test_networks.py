"""Networks as operators and objects write them, against Python's own reading."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.protection.networks import networks_in, parse_network
from exchange.stix.errors import ObjectInvalidError
from exchange.stix.extension_ids import RANGES_EXTENSION

Network = IPv4Network | IPv6Network


def networks_of(address: st.SearchStrategy[Any], bits: int) -> st.SearchStrategy[Network]:
    return st.builds(lambda base, length: ip_network((base, length), strict=False), address, st.integers(0, bits))


ANY_NETWORK = networks_of(st.ip_addresses(v=4), 32) | networks_of(st.ip_addresses(v=6), 128)


@given(ANY_NETWORK)
def test_every_network_is_read_as_python_reads_it(net: Network) -> None:
    mapped = isinstance(net, IPv6Network) and net.network_address.ipv4_mapped is not None and net.prefixlen >= 96
    if not mapped:
        assert str(parse_network(str(net))) == str(net)


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_ipv4_inside_ipv6_is_ipv4(address: IPv4Address, length: int) -> None:
    net = ip_network((address, length), strict=False)
    assert str(parse_network(f"::ffff:{net.network_address}/{96 + length}")) == str(net)


@given(st.text(max_size=60))
def test_whatever_is_written_is_a_network_or_one_error(text: str) -> None:
    try:
        spelled = str(parse_network(text))
    except ObjectInvalidError:
        return
    assert str(parse_network(spelled)) == spelled


@pytest.mark.parametrize(
    "text",
    [
        "",
        "198.51.100.0/33",
        "198.51.100.0/255.255.255.0",
        "198.51.100.0/",
        "fe80::1%eth0",
        "198.51.100",
        "1٩8.51.100.7",
    ],
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ObjectInvalidError, match=r"address|network"):
        parse_network(text)


def test_host_bits_are_refused_with_the_network_that_was_meant() -> None:
    with pytest.raises(ObjectInvalidError, match=r"its network is 198\.51\.100\.0/24"):
        parse_network("198.51.100.7/24")


def test_objects_name_networks_in_ranges_observables_and_patterns() -> None:
    ranges = {"ranges": [{"net": "203.0.113.0/24"}, {"net": "2001:db8::/32"}]}
    holder = {"type": "infrastructure", "extensions": {RANGES_EXTENSION: ranges}}
    place = f"/extensions/{RANGES_EXTENSION}/ranges/"
    assert list(networks_in(holder)) == [
        (f"{place}0/net", "203.0.113.0/24"),
        (f"{place}1/net", "2001:db8::/32"),
    ]
    observable = {"type": "ipv4-addr", "value": "198.51.100.7"}
    assert list(networks_in(observable)) == [("/value", "198.51.100.7/32")]
    pattern = (
        "[ipv4-addr:value ISSUBSET '198.51.100.0/24' AND url:value = 'it\\'s'] OR [ipv6-addr:value IN ('::1', 'x')]"
    )
    indicator = {"type": "indicator", "pattern_type": "stix", "pattern": pattern}
    assert list(networks_in(indicator)) == [
        ("/pattern", "198.51.100.0/24"),
        ("/pattern", "::1/128"),
    ]
    assert list(networks_in({"type": "indicator", "pattern_type": "sigma", "pattern": "a: '198.51.100.7'"})) == []
    assert list(networks_in({"type": "domain-name", "value": "198.51.100.7"})) == []
