"""Which addresses belong to the public internet: the judgement alone, pure.

What is not known to be public is not: IANA's special-purpose registries (RFC 6890 and its successors), and what clouds
answer on. An IPv6 address that carries an IPv4 address to where it leads is judged by that.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, and unspecified
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a provider's customers (CGNAT); a cloud's metadata too
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's own services, on an address that is public by its number
        "169.254.0.0/16",  # link-local; metadata of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; a cloud's metadata too
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
_PUBLIC_6: Final = IPv6Network("2000::/3")
"""All that is assigned as global unicast; loopback, link-local, unique local and multicast stand outside."""

_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which leads to an IPv4 address over relays that nobody vouches for
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
"""The well-known prefix (RFC 6052); the local-use one, 64:ff9b:1::/48, is not public."""


def is_public(address: Address) -> bool:
    """Whether the address leads to the public internet and nowhere else."""
    carried = _carried(address)
    if isinstance(carried, IPv4Address):
        return not any(carried in network for network in _NOT_PUBLIC_4)
    if carried.scope_id is not None:
        return False
    return carried in _PUBLIC_6 and not any(carried in network for network in _NOT_PUBLIC_6)


def _carried(address: Address) -> Address:
    """The IPv4 address inside IPv4-mapped and NAT64 addresses; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
