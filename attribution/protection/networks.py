"""Networks as operators and objects write them. Pure: whether one is protected is asked in marks.py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attribution.addresses import Net, parse_address, parse_net
from exchange.stix.errors import ObjectInvalidError, pointer_to, shown
from exchange.stix.extension_ids import RANGES_EXTENSION

# A literal that can be a network at all: parsing every text of a pattern costs more than the rest of the search.
_LITERAL: Final = re.compile(r"'([0-9a-fA-F:.]{2,45}(?:/[0-9]{1,3})?)'")
_ADDRESS_TYPES: Final = frozenset({"ipv4-addr", "ipv6-addr"})


def parse_network(text: str) -> Net:
    """An address, as the network of itself, or a CIDR network, without host bits: they say that another one was meant.

    Raises:
        ObjectInvalidError (`address`, `network`): neither, or a network with host bits.
    """
    net = parse_net(text)
    if net.first != parse_address(text.partition("/")[0]).first:
        raise ObjectInvalidError("network", f"{shown(text)} has host bits; its network is {net}.")
    return net


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
