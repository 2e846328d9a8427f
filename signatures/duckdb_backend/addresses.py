"""Membership in an IP network as one regular expression over every spelling of an address (RFC 4291 section 2.2).

Exact: it matches what is an address of the network, and nothing else. Addresses are compared in lower case; one with a
zone (`fe80::1%eth0`) is none of a network. IPv4 in IPv6 (`::ffff:192.0.2.1`) is IPv6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Final

_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HEXTET: Final = "[0-9a-f]{1,4}"
_GROUPS: Final = 8
_NIBBLES: Final = 4


def pattern_of(network: IPv4Network | IPv6Network) -> str:
    """A pattern for RE2 that has to match the whole address in lower case."""
    if isinstance(network, IPv4Network):
        return _dotted(network.network_address.packed, network.prefixlen)
    return _IPv6Pattern(network).whole()


def _dotted(octets: bytes, prefix_bits: int) -> str:
    """Dotted octets of which the first bits are given."""
    return r"\.".join(_octet(value, max(0, min(8, prefix_bits - 8 * place))) for place, value in enumerate(octets))


def _octet(value: int, fixed_bits: int) -> str:
    if fixed_bits == 0:
        return _OCTET
    return "(?:" + "|".join(str(value + offset) for offset in range(2 ** (8 - fixed_bits))) + ")"


class _IPv6Pattern:
    """Eight groups, a run of zero groups possibly left out, the last two possibly dotted."""

    def __init__(self, network: IPv6Network) -> None:
        packed = network.network_address.packed
        self._values = [int.from_bytes(packed[place : place + 2]) for place in range(0, 16, 2)]
        self._fixed = [max(0, min(16, network.prefixlen - 16 * place)) for place in range(_GROUPS)]
        self._tail = packed[12:]
        self._tail_bits = max(0, network.prefixlen - 96)

    def whole(self) -> str:
        return "(?:" + "|".join(self._spellings()) + ")"

    def _spellings(self) -> Iterator[str]:
        yield ":".join(self._groups(0, _GROUPS))
        yield ":".join([*self._groups(0, _GROUPS - 2), self._dotted_tail()])
        for before in range(_GROUPS):
            for after in range(_GROUPS - before):
                yield from self._shortened(before, after)

    def _shortened(self, before: int, after: int) -> Iterator[str]:
        """Spellings with `before` groups, `::` for one zero group or more, and `after` groups."""
        resumes = _GROUPS - after
        if any(self._values[place] >> (16 - self._fixed[place]) for place in range(before, resumes)):
            return
        left = ":".join(self._groups(0, before))
        yield f"{left}::{':'.join(self._groups(resumes, _GROUPS))}"
        if after >= 2:
            yield f"{left}::{':'.join([*self._groups(resumes, _GROUPS - 2), self._dotted_tail()])}"

    def _dotted_tail(self) -> str:
        return _dotted(self._tail, self._tail_bits)

    def _groups(self, begin: int, end: int) -> list[str]:
        return [_group(self._values[place], self._fixed[place]) for place in range(begin, end)]


def _group(value: int, fixed_bits: int) -> str:
    """One group of which the first bits are given, leading zeros written or not."""
    if fixed_bits == 0:
        return _HEXTET
    digits = [_digits(value >> (12 - 4 * place) & 15, fixed_bits - 4 * place) for place in range(_NIBBLES)]
    return _optional_zeros(digits)


def _digits(value: int, fixed_bits: int) -> str:
    """The hexadecimal digits that a place of a group may have."""
    fixed_bits = max(0, min(4, fixed_bits))
    first = value >> (4 - fixed_bits) << (4 - fixed_bits)
    return "".join(f"{digit:x}" for digit in range(first, first + 2 ** (4 - fixed_bits)))


def _optional_zeros(digits: Sequence[str]) -> str:
    """Digits of which leading ones may be left out where they may be zero; the last stays."""
    pattern = ""
    for place, allowed in enumerate(digits):
        rest = "".join(f"[{each}]" for each in digits[place:])
        pattern += f"|{rest}"
        if "0" not in allowed:
            break
    return f"(?:{pattern[1:]})"
