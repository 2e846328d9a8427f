"""Networks in memory, so that a stream of addresses is answered without a statement for each. Pure, and never changed.

Networks are nested or apart. So the last network that begins at or before an address either contains it, or the
innermost one that does is among those around that network: a binary search, and a few steps up, for thousands of
addresses at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from attribution.addresses import BITS, Net

Array = npt.NDArray[Any]

KEYS: Final = {4: np.dtype("S4"), 6: np.dtype("S16")}
"""Addresses as bytes: their order is that of the numbers, for both versions."""

NONE: Final = -1


@dataclass(frozen=True, slots=True)
class NetTable:
    """The networks of one version of IP, in ascending order, wide before narrow, each once.

    starts, ends: first and last addresses. lengths: bits. parents: place of the narrowest network around each, or
    NONE. rows: of network n those from rows[n] to rows[n + 1], in the order in which they were given.
    order: places of the given rows in that order.
    """

    version: int
    starts: Array
    ends: Array
    lengths: Array
    parents: Array
    rows: Array
    order: Array

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def size_bytes(self) -> int:
        """What it takes of the memory."""
        arrays = (self.starts, self.ends, self.lengths, self.parents, self.rows, self.order)
        return sum(int(each.nbytes) for each in arrays)

    def innermost(self, packed: bytes) -> Array:
        """The place of the narrowest network around each address, or NONE. packed: addresses in network byte order."""
        asked = _as_numbers(self.version, np.frombuffer(packed, dtype=KEYS[self.version]))
        places = np.searchsorted(self.starts, asked, side="right") - 1
        if not len(self):
            return places
        outside = np.flatnonzero((places >= 0) & (self.ends[places] < asked))
        while len(outside):
            places[outside] = self.parents[places[outside]]
            still = places[outside]
            outside = outside[(still >= 0) & (self.ends[still] < asked[outside])]
        return places

    def rows_around(self, place: int) -> list[int]:
        """The given rows of a network and of those around it, the narrowest network first."""
        found: list[int] = []
        while place != NONE:
            found += self.order[self.rows[place] : self.rows[place + 1]].tolist()
            place = int(self.parents[place])
        return found

    def net_at(self, place: int) -> Net:
        """The network at a place."""
        start = self.starts[place]
        first = int(start) if self.version == 4 else int.from_bytes(bytes(start).ljust(16, b"\0"), "big")
        return Net(self.version, first, int(self.lengths[place]))


def build_table(version: int, packed: bytes | Array, lengths: Sequence[int] | Array) -> NetTable:
    """The table of networks, given by the first addresses in network byte order and the lengths, row by row."""
    keys = np.frombuffer(packed, dtype=KEYS[version]) if isinstance(packed, bytes) else packed
    numbers, bits = _as_numbers(version, keys), np.asarray(lengths, dtype=np.int16)
    order = np.lexsort((bits, numbers)).astype(np.int32)
    starts, bits = numbers[order], bits[order]
    is_new = np.ones(len(starts), dtype=bool)
    is_new[1:] = (starts[1:] != starts[:-1]) | (bits[1:] != bits[:-1])
    firsts = np.flatnonzero(is_new)
    starts, bits = starts[firsts], bits[firsts]
    ends = _ends_of(version, starts, bits)
    return NetTable(
        version=version,
        starts=starts,
        ends=ends,
        lengths=bits,
        parents=_parents_of(starts, ends),
        rows=np.append(firsts, len(order)).astype(np.int32),
        order=order,
    )


def _as_numbers(version: int, keys: Array) -> Array:
    """IPv4 as machine words, which are compared faster. NumPy has no numbers of 128 bits: IPv6 stays bytes."""
    return keys.view(">u4").astype(np.uint32) if version == 4 else keys


def _ends_of(version: int, starts: Array, lengths: Array) -> Array:
    if version == 4:
        return starts | ((np.uint64(1) << (32 - lengths).astype(np.uint64)) - np.uint64(1)).astype(np.uint32)
    masks = np.frombuffer(
        b"".join(((1 << (BITS[6] - bits)) - 1).to_bytes(16, "big") for bits in range(BITS[6] + 1)), dtype=np.uint8
    ).reshape(-1, 16)
    octets = np.frombuffer(starts.tobytes(), dtype=np.uint8).reshape(-1, 16) | masks[lengths]
    return np.frombuffer(octets.tobytes(), dtype=KEYS[6])


def _parents_of(starts: Array, ends: Array) -> Array:
    parents = np.full(len(starts), NONE, dtype=np.int32)
    around: list[tuple[int, Any]] = []
    found: list[int] = []
    for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        while around and around[-1][1] < start:
            around.pop()
        found.append(around[-1][0] if around else NONE)
        around.append((place, end))
    parents[:] = found
    return parents
