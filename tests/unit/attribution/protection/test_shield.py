"""Protected networks in memory say what the plain rule says."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from hypothesis import given
from hypothesis import strategies as st

from attribution.addresses import parse_net
from attribution.lookups.table import NONE
from attribution.protection.shield import NO_SHIELD, Mark, shield_of

UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
Network = IPv4Network | IPv6Network


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Few bits, so that many of them meet."""
    if draw(st.booleans()):
        length = draw(st.integers(24, 32))
        return ip_network((0xCB007100 | draw(st.integers(0, 255)), length), strict=False)
    length = draw(st.integers(120, 128))
    return ip_network(((0x20010DB8 << 96) | draw(st.integers(0, 255)), length), strict=False)


@given(st.lists(networks(), max_size=8, unique=True), networks())
def test_a_network_is_protected_if_it_overlaps_a_protected_one(protected: list[Network], asked: Network) -> None:
    shield = shield_of([Mark(str(net), str(net), "other", UNTIL) for net in protected])
    same = [net for net in protected if net.version == asked.version]
    overlapping = [net for net in same if net.overlaps(asked)]
    mark = shield.mark_of(parse_net(str(asked)))
    assert (mark is not None) == bool(overlapping)
    assert mark is None or ip_network(mark.net) in overlapping
    covering = [net for net in same if asked.subnet_of(net)]  # type: ignore[arg-type]  # of one version
    assert shield.covers(parse_net(str(asked))) == bool(covering)


@given(st.lists(networks(), max_size=8, unique=True), networks())
def test_of_an_address_the_narrowest_network_speaks(protected: list[Network], asked: Network) -> None:
    address = asked.network_address
    shield = shield_of([Mark(str(net), str(net), "other", UNTIL) for net in protected])
    around = [net for net in protected if net.version == asked.version and address in net]
    place = int(shield.places_of(asked.version, address.packed)[0])
    if not around:
        assert place == NONE
    else:
        narrowest = max(around, key=lambda net: net.prefixlen)
        assert shield.mark_at(asked.version, place).net == str(narrowest)


def test_an_empty_shield_protects_nothing() -> None:
    assert not NO_SHIELD
    assert list(NO_SHIELD) == []
    assert NO_SHIELD.mark_of(parse_net("203.0.113.0/24")) is None
