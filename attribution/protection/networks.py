"""Networks as operators and objects write them. Pure: whether one is protected is asked in marks.py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from exchange.stix.errors import ObjectInvalidError, pointer_to, shown
from exchange.stix.extension_ids import RANGES_EXTENSION

Network = IPv4Network | IPv6Network

MAX_TEXT_CHARS: Final = 49
"""Of an IPv6 address with an IPv4 tail, and a length."""

_MAPPED_BITS: Final = 96
# A literal that can be a network at all: parsing every text of a pattern costs more than the rest of the search.
_LITERAL: Final = re.compile(r"'([0-9a-fA-F:.]{2,45}(?:/[0-9]{1,3})?)'")
_ADDRESS_TYPES: Final = frozenset({"ipv4-addr", "ipv6-addr"})


def parse_network(text: str) -> Network:
    """An address, as the network of itself, or a CIDR network. IPv4 inside IPv6 (RFC 4291 section 2.5.5.2) is IPv4.

    Raises:
        ObjectInvalidError (`network`): neither, an address with a zone, or a network with host bits.
    """
    address, _, length = text.partition("/")
    try:
        # Python also reads netmasks (10.0.0.0/255.0.0.0) and signs of digits in other scripts.
        if len(text) > MAX_TEXT_CHARS or not text.isascii() or "%" in text or ("/" in text and not length.isdigit()):
            raise ValueError
        base = ip_address(address)
        bits = int(length) if length else base.max_prefixlen
        if isinstance(base, IPv6Address) and base.ipv4_mapped is not None and bits >= _MAPPED_BITS:
            base, bits = base.ipv4_mapped, bits - _MAPPED_BITS
        meant = ip_network((base, bits), strict=False)
    except ValueError:
        raise ObjectInvalidError("network", f"{shown(text)} is neither an address nor a CIDR network.") from None
    if meant.network_address != base:
        raise ObjectInvalidError("network", f"{shown(text)} has host bits; its network is {meant}.")
    return meant


def networks_in(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """JSON pointers and texts of the addresses and networks that a checked object names.

    They stand in the ranges extension, in observables, and as literals of STIX patterns, whatever these compare. Those
    of the extension were checked with the object (exchange/stix/extensions_ranges.py) and are given as they stand:
    there may be 10,000, and reading them again takes a second.
    """
    ranges = members.get("extensions", {}).get(RANGES_EXTENSION, {}).get("ranges", ())
    place = pointer_to(("extensions", RANGES_EXTENSION, "ranges"))
    for number, entry in enumerate(ranges):
        yield f"{place}/{number}/net", entry["net"]
    if members["type"] in _ADDRESS_TYPES:
        yield from _readable("/value", members.get("value"))
    elif members["type"] == "indicator" and members.get("pattern_type") == "stix":
        for literal in dict.fromkeys(_LITERAL.findall(str(members.get("pattern", "")))):
            yield from _readable("/pattern", literal)


def _readable(pointer: str, text: Any) -> Iterator[tuple[str, str]]:
    """The network that a text is; none of any other text, of which patterns are full."""
    try:
        yield pointer, str(parse_network(str(text)))
    except ObjectInvalidError:
        return
