"""Networks as one regular expression, against the standard library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signatures.duckdb_backend.addresses import pattern_of
from signatures.duckdb_backend.literals import text


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        yield connection


def are_in(
    engine: duckdb.DuckDBPyConnection, addresses: Sequence[str], network: IPv4Network | IPv6Network
) -> list[bool]:
    # A constant pattern is compiled once for all rows.
    pattern = text(pattern_of(network))
    return [
        row[0]
        for row in engine.execute(
            f"SELECT regexp_full_match(lower(a), {pattern}) FROM (SELECT unnest(CAST(? AS VARCHAR[])) AS a)",
            [list(addresses)],
        ).fetchall()
    ]


@settings(max_examples=40, deadline=None)
@given(
    prefix=st.integers(0, 32),
    network=st.integers(0, 2**32 - 1),
    near=st.integers(0, 2**32 - 1),
    bits=st.integers(0, 32),
)
def test_an_ipv4_address_is_found_in_its_networks(
    engine: duckdb.DuckDBPyConnection, prefix: int, network: int, near: int, bits: int
) -> None:
    given_network = IPv4Network((network, prefix), strict=False)
    address = network ^ (near >> bits) if bits < 32 else network
    address_text = ".".join(str(byte) for byte in address.to_bytes(4))
    assert are_in(engine, [address_text], given_network) == [IPv4Network(address_text).network_address in given_network]


def _spellings(value: int, chance: int) -> Iterator[str]:
    """Ways to write an IPv6 address (RFC 4291 section 2.2)."""
    address = IPv6Address(value)
    yield address.compressed
    yield address.exploded.upper()
    groups = [f"{int(group, 16):x}" for group in address.exploded.split(":")]
    tail = ".".join(str(byte) for byte in value.to_bytes(16)[12:])
    yield ":".join([*groups[:6], tail])
    zeros = [place for place in range(8) if groups[place] == "0"]
    if zeros:
        place = zeros[chance % len(zeros)]
        yield ":".join(groups[:place]) + "::" + ":".join(groups[place + 1 :])
        if place < 6:
            yield ":".join(groups[:place]) + "::" + ":".join([*groups[place + 1 : 6], tail])


@settings(max_examples=40, deadline=None)
@given(
    prefix=st.integers(0, 128),
    groups=st.lists(st.sampled_from([0, 0, 0, 1, 0x0DB8, 0x2001, 0xFFFF, 0x10]), min_size=8, max_size=8),
    change=st.integers(0, 128),
    chance=st.integers(0, 7),
)
def test_an_ipv6_address_is_found_however_it_is_written(
    engine: duckdb.DuckDBPyConnection, prefix: int, groups: list[int], change: int, chance: int
) -> None:
    value = int.from_bytes(b"".join(group.to_bytes(2) for group in groups))
    network = IPv6Network((value, prefix), strict=False)
    other = value ^ (1 << change >> 1)
    texts = list(_spellings(other, chance))
    assert {IPv6Address(each) for each in texts} == {IPv6Address(other)}
    assert set(are_in(engine, texts, network)) == {IPv6Address(other) in network}


NO_ADDRESSES = [
    *(
        "",
        "10.1.2",
        "10.1.2.256",
        "010.1.2.3",
        "10.1.2.3 ",
        "10.1.2.3.4",
        "10.1.2.3\n",
        "::1::",
        ":::",
        "1:2:3:4:5:6:7",
    ),
    *("1:2:3:4:5:6:7:8:9", "12345::", "g::", "::10.1.2", "1.2.3.4::", "fe80::1%eth0", ":1:2:3:4:5:6:7"),
    "1::2:3:4:5:6:7:8",
]


def test_what_is_no_address_is_in_no_network(engine: duckdb.DuckDBPyConnection) -> None:
    assert not any(are_in(engine, NO_ADDRESSES, ip_network("0.0.0.0/0")))
    assert not any(are_in(engine, NO_ADDRESSES, ip_network("::/0")))
