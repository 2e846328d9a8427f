"""Addresses and networks: one spelling for each, whatever was written. Pure, and fast enough for a million lines.

IPv4 inside IPv6 (RFC 4291 section 2.5.5.2) becomes IPv4, host bits become zero, and an address alone is a network of
one. Which networks are too wide is the caller's question.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from typing import Final, NamedTuple

from exchange.stix.errors import ObjectInvalidError, shown

BITS: Final = {4: 32, 6: 128}
_MAPPED: Final = bytes(10) + b"\xff\xff"
_MAPPED_BITS: Final = 96
_LENGTH: Final = re.compile("0|[1-9][0-9]{0,2}")
_SPAN: Final = re.compile(r"[0-9a-fA-F:.]+\s*[-\u2013]\s*[0-9a-fA-F:.]+")


class Net(NamedTuple):
    """A network. version: 4 or 6. first: its first address as a number. length: bits of the prefix."""

    version: int
    first: int
    length: int

    @property
    def last(self) -> int:
        """The last address as a number."""
        return self.first | ((1 << (BITS[self.version] - self.length)) - 1)

    def __str__(self) -> str:
        """RFC 4632, or RFC 5952: as the ranges extension spells it."""
        return f"{spell(self.version, self.first)}/{self.length}"


def spell(version: int, address: int) -> str:
    """The one spelling of an address that is given as a number."""
    if version == 4:
        return socket.inet_ntop(socket.AF_INET, address.to_bytes(4, "big"))
    return socket.inet_ntop(socket.AF_INET6, address.to_bytes(16, "big"))


def parse_address(text: str) -> Net:
    """A single address, as the network of itself. Raises: ObjectInvalidError (`address`)."""
    version, packed = _packed(text)
    return Net(version, int.from_bytes(packed, "big"), BITS[version])


def parse_net(text: str) -> Net:
    """An address or a CIDR network. Raises: ObjectInvalidError (`address`, `network`)."""
    address, slash, length_text = text.partition("/")
    if not slash:
        if _SPAN.fullmatch(text):
            raise ObjectInvalidError("network", f"{shown(text)} is a span; write it as CIDR networks.")
        return parse_address(text)
    is_long = ":" in address
    version, packed = _packed(address)
    length = int(length_text) if _LENGTH.fullmatch(length_text) else -1
    if is_long and version == 4:
        length -= _MAPPED_BITS
    if not 0 <= length <= BITS[version]:
        raise ObjectInvalidError("network", f"{shown(text)} has no length that such a network can have.")
    rest = BITS[version] - length
    return Net(version, int.from_bytes(packed, "big") >> rest << rest, length)


def around(net: Net) -> Iterator[Net]:
    """Every network that contains this one, itself first: 33 for an IPv4 address, 129 for IPv6."""
    for length in range(net.length, -1, -1):
        rest = BITS[net.version] - length
        yield Net(net.version, net.first >> rest << rest, length)


def _packed(text: str) -> tuple[int, bytes]:
    # inet_pton is about ten times faster than ipaddress, and as strict: no leading zeros, no short forms, no zones.
    try:
        if ":" not in text:
            return 4, socket.inet_pton(socket.AF_INET, text)
        packed = socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        raise ObjectInvalidError("address", f"{shown(text)} is not an IPv4 or IPv6 address.") from None
    if packed.startswith(_MAPPED):
        return 4, packed[12:]
    return 6, packed
