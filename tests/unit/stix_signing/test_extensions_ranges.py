"""Networks: one spelling each, with the standard library's ipaddress as oracle."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.errors import ObjectInvalidError
from exchange.stix.extensions_ranges import MAX_RANGES, Range, Ranges, is_canonical_net

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.001Z"


def refusal(**entry: Any) -> str:
    with pytest.raises(ObjectInvalidError) as error:
        Range.parse(entry, "/ranges/7")
    return error.value.pointer


@pytest.mark.parametrize(
    "net",
    [
        "203.0.113.0/24",
        "198.51.100.3/32",
        "0.0.0.0/0",
        "2001:db8::/32",
        "2001:db8::1/128",
        "2001:db8:0:1:1:1:1:1/128",
        "::/0",
    ],
)
def test_a_network_in_its_one_spelling_is_accepted(net: str) -> None:
    assert is_canonical_net(net)


@pytest.mark.parametrize(
    "net",
    [
        "",
        "203.0.113.0",
        "203.0.113.1/24",
        "203.0.113.0/24 ",
        "203.0.113.0/24\n",
        "203.0.113.0/024",
        "203.0.113.0/33",
        "203.0.113.0/-1",
        "203.0.113.0/",
        "203.0.113.0/255.255.255.0",
        "203.0.113/24",
        "203.000.113.0/24",
        "0xcb.0.113.0/24",
        "3405803776/24",
        "256.0.0.0/8",
        "٢٠٣.0.113.0/24",
        "2001:DB8::/32",
        "2001:0db8::/32",
        "2001:db8:0:0::/32",
        "2001:db8::1/32",
        "2001:db8::/129",
        "2001:db8:0::1:1:1:1:1/128",
        "::ffff:203.0.113.0/120",
        "::ffff:cb00:7100/120",
        "::203.0.113.0/120",
        "::1/128",
        "fe80::%eth0/64",
        "a" * 40 + "/8",
    ],
)
def test_any_other_spelling_is_refused(net: str) -> None:
    assert not is_canonical_net(net)


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_networks_of_ipv4_agree_with_the_standard_library(address: int, length: int) -> None:
    text = f"{ipaddress.IPv4Address(address)}/{length}"
    assert is_canonical_net(str(ipaddress.IPv4Network(text, strict=False)))
    assert is_canonical_net(text) == (address % 2 ** (32 - length) == 0)


@given(
    st.integers(2**96, 2**128 - 1) | st.integers(2**120, 2**128 - 1).map(lambda x: x >> 64 << 64), st.integers(32, 128)
)
def test_networks_of_ipv6_agree_with_the_standard_library(address: int, length: int) -> None:
    text = f"{ipaddress.IPv6Address(address)}/{length}"
    assert is_canonical_net(text) == (address % 2 ** (128 - length) == 0)
    exploded = f"{ipaddress.IPv6Address(address).exploded}/{length}"
    assert is_canonical_net(exploded) == (exploded == text and is_canonical_net(text))


@given(st.text(alphabet="0123456789abcdef:./", max_size=45))
def test_whatever_is_accepted_is_what_the_standard_library_writes(text: str) -> None:
    if is_canonical_net(text):
        assert str(ipaddress.ip_network(text)) == text


@pytest.mark.parametrize(
    ("entry", "member"),
    [
        ({"kind": "botnet"}, "kind"),
        ({"kind": None}, "kind"),
        ({"net": "203.0.113.1/24"}, "net"),
        ({"net": 5}, "net"),
        ({"asn": -1}, "asn"),
        ({"asn": 2**32}, "asn"),
        ({"asn": "64500"}, "asn"),
        ({"confidence": 101}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"first_seen": "yesterday"}, "first_seen"),
        ({"first_seen": LATE, "last_seen": EARLY}, "last_seen"),
        ({"first_seen": EARLY.replace("Z", ".0000002Z"), "last_seen": EARLY.replace("Z", ".0000001Z")}, "last_seen"),
        ({"last_seen": None}, "last_seen"),
        ({"source": "x"}, "source"),
    ],
)
def test_a_wrong_member_is_refused_with_its_place(entry: dict[str, Any], member: str) -> None:
    assert refusal(**{"net": "203.0.113.0/24", "kind": "proxy"} | entry) == f"/ranges/7/{member}"


def test_times_may_be_equal_or_one_alone() -> None:
    for times in ({"first_seen": EARLY, "last_seen": EARLY}, {"first_seen": EARLY}, {"last_seen": LATE}):
        entry = {"net": "203.0.113.0/24", "kind": "proxy", **times}
        assert Range.parse(entry, "").to_json() == entry


def test_net_and_kind_are_required() -> None:
    assert refusal(net="203.0.113.0/24") == refusal(kind="proxy") == "/ranges/7"


def test_a_set_may_have_ten_thousand_ranges_and_no_more() -> None:
    entries = [{"net": f"10.{n >> 8}.{n & 255}.0/24", "kind": "proxy"} for n in range(MAX_RANGES)]
    extension = {"extension_type": "property-extension", "ranges": entries}
    assert Ranges.parse(extension, "").to_extension() == extension
    with pytest.raises(ObjectInvalidError):
        Ranges.parse(extension | {"ranges": [*entries, entries[0]]}, "")
