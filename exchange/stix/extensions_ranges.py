"""The ranges extension: networks that take part in distillation, up to 10,000 on one signed object.

Each network has one spelling, so that equal networks are equal text. How wide a network may be, and which object may
carry ranges, is decided elsewhere.
"""

import re
import socket
from dataclasses import dataclass
from typing import Any, Self

from exchange.stix.errors import ObjectInvalidError
from exchange.stix.extensions_fields import list_of, members_of, one_of, timestamp, whole_number

#: wire-format, "Ranges".
MAX_RANGES = 10_000
KINDS = frozenset({"proxy", "hosting", "residential", "vpn", "aggregator", "egress", "other"})
#: RFC 6793: autonomous system numbers have 32 bits.
MAX_ASN = 2**32 - 1

_REQUIRED = frozenset({"net", "kind"})
_OPTIONAL = frozenset({"asn", "first_seen", "last_seen", "confidence"})
_NET = re.compile("([0-9a-f:.]{2,39})/(0|[1-9][0-9]{0,2})")
_HOST_MASKS_V4 = [(1 << (32 - length)) - 1 for length in range(33)]
_HOST_MASKS_V6 = [(1 << (128 - length)) - 1 for length in range(129)]


@dataclass(frozen=True, slots=True)
class Range:
    """One network: CIDR text, kind, and what is known of it; times as in the object, both included."""

    net: str
    kind: str
    asn: int | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    confidence: int | None = None

    @classmethod
    def parse(cls, value: object, pointer: str) -> Self:
        """Reads one entry. Raises: ObjectInvalidError."""
        entry: Any = members_of(value, pointer, required=_REQUIRED, optional=_OPTIONAL)
        net = entry["net"]
        if not isinstance(net, str) or not is_canonical_net(net):
            message = "The value must be a canonical CIDR network, host bits zero."
            raise ObjectInvalidError("extension-value", message, f"{pointer}/net")
        one_of(entry, "kind", pointer, KINDS)
        if "asn" in entry:
            whole_number(entry, "asn", pointer, 0, MAX_ASN)
        if "confidence" in entry:
            whole_number(entry, "confidence", pointer, 0, 100)
        _check_order(entry, pointer)
        return cls(**entry)

    def to_json(self) -> dict[str, Any]:
        """The entry as it stands in the extension."""
        values = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: value for name, value in values if value is not None}


@dataclass(frozen=True, slots=True)
class Ranges:
    """The networks that an infrastructure or an indicator stands for."""

    ranges: tuple[Range, ...]

    @classmethod
    def parse(cls, value: object, pointer: str) -> Self:
        """Reads the extension. Raises: ObjectInvalidError."""
        members = members_of(value, pointer, required={"extension_type", "ranges"})
        listed = list_of(members, "ranges", pointer, most=MAX_RANGES)
        return cls(tuple(Range.parse(item, f"{pointer}/ranges/{place}") for place, item in enumerate(listed)))

    def to_extension(self) -> dict[str, Any]:
        """The extension as it stands in an object."""
        return {"extension_type": "property-extension", "ranges": [entry.to_json() for entry in self.ranges]}


def is_canonical_net(text: str) -> bool:
    """Whether the text is the one spelling of a network: RFC 4632 or RFC 5952, prefix length given, host bits zero.

    IPv4 written inside IPv6 (RFC 4291 section 2.5.5) has the IPv4 spelling only.
    """
    form = _NET.fullmatch(text)
    if form is None:
        return False
    address, length = form[1], int(form[2])
    # inet_pton is about ten times faster than ipaddress, and as strict: no leading zeros, no short forms.
    try:
        if ":" not in address:
            packed = socket.inet_pton(socket.AF_INET, address)
            return length <= 32 and not int.from_bytes(packed) & _HOST_MASKS_V4[length]
        packed = socket.inet_pton(socket.AF_INET6, address)
    except OSError:
        return False
    if length > 128 or int.from_bytes(packed) & _HOST_MASKS_V6[length]:
        return False
    if length >= 96 and packed.startswith((bytes(12), bytes(10) + b"\xff\xff")):
        return False
    return socket.inet_ntop(socket.AF_INET6, packed) == address


def _check_order(entry: dict[str, Any], pointer: str) -> None:
    first = timestamp(entry, "first_seen", pointer) if "first_seen" in entry else None
    last = timestamp(entry, "last_seen", pointer) if "last_seen" in entry else None
    if first is not None and last is not None and last < first:
        message = "last_seen must not be earlier than first_seen."
        raise ObjectInvalidError("extension-value", message, f"{pointer}/last_seen")
