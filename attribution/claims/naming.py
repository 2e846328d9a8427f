"""What an object says about networks, domains and autonomous systems: the rows that lookups find it by.

Networks come from the ranges extension, from observables, and from patterns that say no more than that a value is one
of some. A pattern of several conditions names nothing here: an address that counts only beside something else would
look as if it counted alone. Values that cannot be read are left out; they were no business of the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from attribution.addresses import Net, parse_net
from attribution.claims.decay import UNNAMED
from attribution.names import parse_asn, parse_domain
from exchange.stix.errors import StixError
from exchange.stix.extension_ids import RANGES_EXTENSION
from exchange.stix.timestamps import parse_timestamp

TYPES: Final = frozenset({"infrastructure", "indicator", "ipv4-addr", "ipv6-addr", "domain-name", "autonomous-system"})
"""Types of objects that can name something."""

DOMAIN: Final = "domain"
ASN: Final = "asn"

_ADDRESS_TYPES: Final = frozenset({"ipv4-addr", "ipv6-addr"})
# No white space around it: a pattern may be nothing but that, and each place of it would be tried to its end.
_COMPARISON: Final = re.compile(
    r"(?:(ipv4-addr|ipv6-addr|domain-name):value)\s*=\s*'((?:[^'\\])*)'"
    r"|(autonomous-system):number\s*=\s*([0-9]{1,10})"
)


@dataclass(frozen=True, slots=True)
class NamedNet:
    """A network as an object names it. seen_at: what it decays from. confidence: None where nobody says."""

    net: Net
    kind: str
    seen_at: datetime
    asn: int | None = None
    confidence: int | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A domain, or an autonomous system as decimal text."""

    kind: str
    value: str
    seen_at: datetime
    confidence: int | None = None


@dataclass(slots=True)
class Named:
    """All that one version names. valid_until: of the object, None for ever."""

    valid_until: datetime | None = None
    nets: list[NamedNet] = field(default_factory=list)
    values: list[NamedValue] = field(default_factory=list)


def named_in(members: Mapping[str, Any], version: str) -> Named:
    """What a checked object names. version: its `modified`, or of an observable the time of its signature."""
    at = parse_timestamp(version)
    named = Named(valid_until=_time(members, "valid_until"))
    if members.get("type") not in TYPES or members.get("revoked") is True:
        return named
    confidence = members.get("confidence")
    for range_ in members.get("extensions", {}).get(RANGES_EXTENSION, {}).get("ranges", ()):
        named.nets.append(_net_of(range_, at, confidence))
    for type_, value in dict.fromkeys(_values_in(members)):
        _add(named, type_, value, at, confidence)
    return named


def _net_of(entry: Mapping[str, Any], at: datetime, confidence: int | None) -> NamedNet:
    first_seen, last_seen = _time(entry, "first_seen"), _time(entry, "last_seen")
    return NamedNet(
        net=parse_net(entry["net"]),
        kind=entry["kind"],
        seen_at=last_seen or first_seen or at,
        asn=entry.get("asn"),
        confidence=entry.get("confidence", confidence),
        first_seen=first_seen,
        last_seen=last_seen,
    )


def _values_in(members: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    type_ = members["type"]
    if type_ in _ADDRESS_TYPES or type_ == "domain-name":
        yield type_, str(members.get("value", ""))
    elif type_ == "autonomous-system":
        yield type_, str(members.get("number", ""))
    elif type_ == "indicator" and members.get("pattern_type") == "stix":
        yield from values_of_pattern(str(members.get("pattern", "")))


def values_of_pattern(pattern: str) -> list[tuple[str, str]]:
    """Types and values of a pattern that holds where any of some values is seen; nothing of any other pattern."""
    found = [(form[1] or form[3], form[2] or form[4]) for form in _COMPARISON.finditer(pattern)]
    # What stands between the comparisons may be brackets and OR, and each bracket has to open and close.
    rest = _COMPARISON.sub("=", pattern)
    shape = "".join(rest.split()).replace("[=", "(").replace("OR=", "").replace("]", ")")
    return found if re.fullmatch(r"\(\)(?:OR\(\))*", shape) else []


def _add(named: Named, type_: str, value: str, at: datetime, confidence: int | None) -> None:
    try:
        if type_ in _ADDRESS_TYPES:
            named.nets.append(NamedNet(parse_net(value), UNNAMED, at, confidence=confidence))
        elif type_ == "domain-name":
            named.values.append(NamedValue(DOMAIN, parse_domain(value), at, confidence))
        else:
            named.values.append(NamedValue(ASN, str(parse_asn(value)), at, confidence))
    except StixError:
        return


def _time(members: Mapping[str, Any], name: str) -> datetime | None:
    text = members.get(name)
    return parse_timestamp(text) if isinstance(text, str) else None
