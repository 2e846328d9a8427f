"""All claims about networks that one reader may see, read once under row-level security and kept for its streams.

A table is true for one mark of what changed (exchange/services/changes.py): new claims, other readers, other states
of objects, grants. Each stream asks for the mark, which is one small statement; nothing else of a table is trusted.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import psycopg
from django.db import connection

from attribution.claims.kinds import KINDS
from attribution.claims.sight import ClaimSight
from attribution.lookups.lookup import MAX_AT_ONCE
from attribution.lookups.matches import Claim
from attribution.lookups.table import Array, NetTable, build_table
from exchange.services.changes import LIFE, MARK, Mark
from exchange.services.database import execute
from exchange.services.errors import NotReadyError
from exchange.stix.markings import Tlp

MAX_KEPT_BYTES: Final = 512 * 1024 * 1024
"""Of all tables in a process. A claim takes some 75 bytes: one reader's million, six times over."""

MAX_KEPT: Final = 32
"""Tables in a process, however small: readers of one lab with the same rights share one."""

MAX_CLAIMS: Final = 5_000_000
"""In one table. A community that has more looks its addresses up in short streams."""

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NEVER, _FOR_EVER = -(2**63), 2**63 - 1
"""What PostgreSQL sends for infinite times."""

_HEADER_BYTES: Final = 19
_ADDRESS_BYTES: Final = {4: 4, 6: 16}
_FIXED: Final = (
    ("kind", ">i2"),
    ("asn", ">i8"),
    ("confidence", ">i2"),
    ("first", ">i8"),
    ("last", ">i8"),
    ("seen", ">i8"),
    ("until", ">i8"),
    ("object", ">i8"),
)
_COPY: Final = """
COPY (
    SELECT inet_send(e.net), e.kind, coalesce(e.asn, -1), coalesce(e.confidence, -1::smallint),
           coalesce(e.first_seen, '-infinity'), coalesce(e.last_seen, '-infinity'), e.seen_at,
           coalesce(e.valid_until, 'infinity'), e.object_id
    FROM range_in_sight e WHERE family(e.net) = %(version)s AND {sight} LIMIT %(most)s
) TO STDOUT (FORMAT binary)
"""
_OBJECTS: Final = """
SELECT e.object_id, e.stix_id, l.slug, e.state, a.label
FROM range_in_sight e JOIN lab l ON l.id = e.producer_id JOIN audience a ON a.id = e.audience_id
WHERE {sight} GROUP BY 1, 2, 3, 4, 5
"""
_ALL_BLOCKS: Final = {"first_block": -2, "last_block": 2**62}


@dataclass(frozen=True, slots=True)
class ClaimsTable:
    """nets: the networks of IPv4 and of IPv6. columns: the rest of each claim, by row. objects: id, lab and state of
    each object by its row. label: the strictest among them."""

    nets: dict[int, NetTable]
    columns: dict[int, Array]
    objects: dict[int, tuple[str, str, str]]
    label: Tlp

    @property
    def size_bytes(self) -> int:
        """What it takes of the memory, about."""
        arrays = sum(int(each.nbytes) for each in self.columns.values())
        return arrays + sum(each.size_bytes for each in self.nets.values()) + 400 * len(self.objects)

    def rows_at(self, version: int, place: int) -> list[int]:
        """The rows of the network at a place, by lab and id."""
        table = self.nets[version]
        rows: list[int] = table.order[table.rows[place] : table.rows[place + 1]].tolist()
        return sorted(rows, key=lambda row: self._by_lab(version, row)) if len(rows) > 1 else rows

    def claims_at(self, version: int, place: int) -> list[Claim]:
        """The claims about the network at a place, by lab and id."""
        net = str(self.nets[version].net_at(place))
        return [self.claim(version, row, net) for row in self.rows_at(version, place)]

    def claim(self, version: int, row: int, net: str) -> Claim:
        """What stands in one row, said of this network."""
        values = self.columns[version][row]
        stix_id, lab, state = self.objects[int(values["object"])]
        seen = _time(int(values["seen"]))
        return Claim(
            id=stix_id,
            lab=lab,
            state=state,
            net=net,
            name=None,
            kind=KINDS[int(values["kind"])],
            asn=_known(int(values["asn"])),
            confidence=_known(int(values["confidence"])),
            first_seen=_time(int(values["first"])),
            last_seen=_time(int(values["last"])),
            seen_at=seen or _EPOCH,
            valid_until=_time(int(values["until"])),
        )

    def _by_lab(self, version: int, row: int) -> tuple[str, str, int]:
        stix_id, lab, _ = self.objects[int(self.columns[version][row]["object"])]
        return lab, stix_id, row


def _known(number: int) -> int | None:
    return None if number == -1 else number


def _time(microseconds: int) -> datetime | None:
    if microseconds in (_NEVER, _FOR_EVER):
        return None
    return _EPOCH + timedelta(microseconds=microseconds)


class KeptTables:
    """The tables of this process, the least used of which go first."""

    def __init__(self, *, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._max_bytes = max_bytes
        # Guards the dictionary; building is under `_building`, so that one stream at a time takes the memory for it.
        self._lock, self._building = threading.Lock(), threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[Mark, float, ClaimsTable]] = OrderedDict()

    def get(self, key: Hashable, mark: Mark, build: Callable[[], ClaimsTable]) -> ClaimsTable:
        """The table of this key that was true at this mark, built if there is none."""
        found = self._find(key, mark)
        if found is not None:
            return found
        with self._building:
            found = self._find(key, mark)
            if found is None:
                found = build()
                self._keep(key, mark, found)
            return found

    def _find(self, key: Hashable, mark: Mark) -> ClaimsTable | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept[0] != mark or time.monotonic() > kept[1]:
                return None
            self._kept.move_to_end(key)
            return kept[2]

    def _keep(self, key: Hashable, mark: Mark, table: ClaimsTable) -> None:
        with self._lock:
            self._kept[key] = (mark, time.monotonic() + LIFE.total_seconds(), table)
            self._kept.move_to_end(key)
            while (
                len(self._kept) > MAX_KEPT or sum(each[2].size_bytes for each in self._kept.values()) > self._max_bytes
            ):
                self._kept.popitem(last=False)


TABLES: Final = KeptTables()


def claims_in_sight(sight: ClaimSight, readable: list[int]) -> ClaimsTable:
    """All claims about networks that this reader may see. Inside `reading_as`, which gave `readable`.

    Raises:
        NotReadyError: there are more than `MAX_CLAIMS`.
    """
    mark = Mark(*execute(MARK, _ALL_BLOCKS).fetchall()[0])
    return TABLES.get((*sight.key, tuple(readable)), mark, lambda: _read(sight, readable))


def _read(sight: ClaimSight, readable: list[int]) -> ClaimsTable:
    conditions, params = sight.conditions(readable)
    objects = execute(_OBJECTS.format(sight=conditions), params, prepare=False).fetchall()
    nets, columns = {}, {}
    for version, address_bytes in _ADDRESS_BYTES.items():
        rows = _copied(
            _COPY.format(sight=conditions), {**params, "version": version, "most": MAX_CLAIMS + 1}, address_bytes
        )
        if len(rows) > MAX_CLAIMS:
            raise NotReadyError(
                f"ask for {MAX_AT_ONCE} lines at a time: too much is known here", code="too-many-claims"
            )
        keys = np.ascontiguousarray(rows["address"]).view(f"S{address_bytes}").reshape(-1)
        nets[version] = build_table(version, keys, rows["length"])
        columns[version] = rows[[name for name, _ in _FIXED]].astype([(name, kind[1:]) for name, kind in _FIXED])
    label = Tlp(max((row[4] for row in objects), default=Tlp.CLEAR))
    return ClaimsTable(nets, columns, {row[0]: (row[1], row[2], row[3]) for row in objects}, label)


def _copied(query: str, params: dict[str, Any], address_bytes: int) -> Array:
    """The rows of a binary COPY: every field is of one size, so they are one array as they come."""
    raw: psycopg.Connection[Any] = connection.connection
    with psycopg.ClientCursor(raw).copy(query, params) as copy:
        data = b"".join(copy)
    fields: list[Any] = [("fields", ">i2"), ("net_bytes", ">i4"), ("family", "u1"), ("length", "u1")]
    fields += [("is_cidr", "u1"), ("address_bytes", "u1"), ("address", "u1", (address_bytes,))]
    for name, kind in _FIXED:
        fields += [(f"{name}_bytes", ">i4"), (name, kind)]
    layout = np.dtype(fields)
    return np.frombuffer(data, dtype=layout, offset=_HEADER_BYTES, count=(len(data) - _HEADER_BYTES) // layout.itemsize)
