"""Makes infrastructure objects of networks: the same file under the same name makes new versions of the same objects.

A network belongs to the object that a hash of it chooses, and a list that outgrows its objects gets twice as many: each
gives half of its networks to a new one, and none is ever left over. Pure: nothing is signed or sent here.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from attribution.addresses import Net
from attribution.ranges.range_files import Line
from exchange.stix.errors import ObjectInvalidError
from exchange.stix.extension_ids import RANGES_EXTENSION
from exchange.stix.extensions_ranges import MAX_RANGES

NAMESPACE: Final = uuid.UUID("5d3f6a52-5b1e-4c6f-9a83-2f64a4a0a6f1")
"""Of the ids that are made here: UUID version 5 of lab, name and number."""

MAX_PARTS: Final = 4_096
"""Objects of one name: forty million networks."""

FILL: Final = 9_000
"""Networks that are aimed at for one object. The hash spreads them unevenly: with this mean, more than `MAX_RANGES`
are ten standard deviations away."""

MAX_SOURCES: Final = 20
"""Named in one object; a list of sources is for people to read."""

CREATED: Final = "2026-11-23T00:00:00.000Z"
"""`created` is the same in all versions, and nothing but the name is known of the earlier ones: it is the time of this
scheme of ids, as of the fixed objects."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the objects have in common. parts: as many there are at least, a power of two."""

    lab: str
    name: str
    marking_refs: tuple[str, ...]
    parts: int = 1


def objects_of(lines: Sequence[Line], wanted: Wanted, *, modified: str) -> list[dict[str, Any]]:
    """The objects, unsigned, in the order of their numbers. modified: of all of them.

    One that has no network now may have had some, so its new version says that there are none.

    Raises: ObjectInvalidError (`too-many-ranges`): more than `MAX_PARTS` objects would be needed.
    """
    parts = max(wanted.parts, parts_for(len(lines)))
    members: list[list[Line]] = [[] for _ in range(parts)]
    for line in lines:
        members[part_of(line.net, parts)].append(line)
    return [_object_of(wanted, number, parts, each, modified) for number, each in enumerate(members)]


def parts_for(count: int) -> int:
    """How many objects take so many networks. Raises: ObjectInvalidError (`too-many-ranges`)."""
    parts = 1
    while count > (parts * FILL if parts > 1 else MAX_RANGES):
        parts *= 2
    if parts > MAX_PARTS:
        raise ObjectInvalidError("too-many-ranges", f"One name has at most {MAX_PARTS * FILL} networks.")
    return parts


def part_of(net: Net, parts: int) -> int:
    """The number of the object in which a network stands. parts: a power of two."""
    digest = hashlib.blake2b(f"{net.version}/{net.first:x}/{net.length}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % parts


def id_of(lab: str, name: str, number: int) -> str:
    """The id of the object of this number, however many there are."""
    return f"infrastructure--{uuid.uuid5(NAMESPACE, f'{lab} {number} {name}')}"


def _object_of(wanted: Wanted, number: int, parts: int, lines: list[Line], modified: str) -> dict[str, Any]:
    ordered = sorted(lines, key=lambda line: (line.net, line.kind, line.asn or 0))
    name = wanted.name if parts == 1 else f"{wanted.name} ({number + 1} of {parts})"
    sources = sorted({line.source for line in lines} - {""})
    members: dict[str, Any] = {
        "type": "infrastructure",
        "spec_version": "2.1",
        "id": id_of(wanted.lab, wanted.name, number),
        "created_by_ref": wanted.lab,
        "created": CREATED,
        "modified": modified,
        "name": name,
        "infrastructure_types": ["anonymization"],
        "object_marking_refs": list(wanted.marking_refs),
    }
    if lines:
        entries = [_entry(line) for line in ordered]
        members["extensions"] = {RANGES_EXTENSION: {"extension_type": "property-extension", "ranges": entries}}
    if sources:
        members["external_references"] = [_reference(source) for source in sources[:MAX_SOURCES]]
    return members


def _entry(line: Line) -> dict[str, Any]:
    entry: dict[str, Any] = {"net": str(line.net), "kind": line.kind}
    optional = (("asn", line.asn), ("first_seen", line.first_seen or None), ("last_seen", line.last_seen or None))
    entry |= {name: value for name, value in optional if value is not None}
    return entry if line.confidence is None else {**entry, "confidence": line.confidence}


def _reference(source: str) -> dict[str, str]:
    """A source as STIX names it: an address goes where addresses go."""
    if source.startswith(("https://", "http://")):
        return {"source_name": source.split("/")[2][:200] or "source", "url": source, "description": "Source of ranges"}
    return {"source_name": source, "description": "Named as the source of ranges."}
