"""Protected networks in memory, for long streams and lists. Pure; which there are is asked in marks.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from attribution.addresses import BITS, Net, parse_net
from attribution.lookups.table import NONE, Array, NetTable, build_table
from exchange.stix.timestamps import format_stix


@dataclass(frozen=True, slots=True)
class Mark:
    """Why something is not to be blocked. net: the protected network; until: when the entry ends."""

    net: str
    title: str
    reason: str
    until: datetime

    def to_json(self) -> dict[str, Any]:
        """As it stands in answers under `do_not_block`."""
        return {"title": self.title, "reason": self.reason, "until": format_stix(self.until)}


@dataclass(frozen=True, slots=True)
class Shield:
    """Protected networks by version of IP, each with its mark."""

    nets: dict[int, NetTable]
    marks: dict[int, list[Mark]]

    def __bool__(self) -> bool:
        return any(len(each) for each in self.nets.values())

    def places_of(self, version: int, packed: bytes) -> Array:
        """Of each address the place of the narrowest protected network around it, or NONE."""
        return self.nets[version].innermost(packed)

    def mark_at(self, version: int, place: int) -> Mark:
        """The mark of the protected network at a place."""
        table = self.nets[version]
        return self.marks[version][int(table.order[table.rows[place]])]

    def mark_of(self, net: Net) -> Mark | None:
        """Why a network is not to be blocked: it overlaps a protected one, in either direction."""
        table = self.nets[net.version]
        place = int(table.innermost(_packed(net.version, net.first))[0])
        if place == NONE:
            # The last that begins at or before its end is inside it, or there is none.
            place = int(table.innermost(_packed(net.version, net.last))[0])
            if place == NONE:
                place = self._last_before(net)
        return None if place == NONE else self.mark_at(net.version, place)

    def covers(self, net: Net) -> bool:
        """Whether a protected network contains all of this one."""
        table = self.nets[net.version]
        place = int(table.innermost(_packed(net.version, net.first))[0])
        while place != NONE and int(table.lengths[place]) > net.length:
            place = int(table.parents[place])
        return place != NONE

    def __iter__(self) -> Iterator[tuple[Net, Mark]]:
        for version, table in self.nets.items():
            for place in range(len(table)):
                yield table.net_at(place), self.mark_at(version, place)

    def _last_before(self, net: Net) -> int:
        table = self.nets[net.version]
        ends = table.starts.dtype.type(net.last) if net.version == 4 else np.bytes_(net.last.to_bytes(16, "big"))
        place = int(np.searchsorted(table.starts, ends, side="right")) - 1
        return place if place >= 0 and table.net_at(place).first >= net.first else NONE


def shield_of(marks: Sequence[Mark]) -> Shield:
    """The shield of these networks, each once."""
    found = [(parse_net(mark.net), mark) for mark in marks]
    nets, kept = {}, {}
    for version in BITS:
        mine = [(net, mark) for net, mark in found if net.version == version]
        packed = b"".join(_packed(version, net.first) for net, _ in mine)
        nets[version] = build_table(version, packed, [net.length for net, _ in mine])
        kept[version] = [mark for _, mark in mine]
    return Shield(nets, kept)


NO_SHIELD = shield_of([])
"""What protects nothing."""


def _packed(version: int, address: int) -> bytes:
    return address.to_bytes(BITS[version] // 8, "big")
