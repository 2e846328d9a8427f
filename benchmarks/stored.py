"""What a node was filled with, as targets of measurements: one collection is GREEN throughout, another AMBER."""

from __future__ import annotations

from importlib.metadata import version

from benchmarks.comparison import OURS
from benchmarks.filling import Place, fill
from benchmarks.node import Node
from benchmarks.sizes import WEB_THREADS, WEB_WORKERS
from benchmarks.target import Target
from exchange.models import Collection
from exchange.stix.markings import Tlp

FIRST_NUMBER = 1_001
"""Numbers below are the node's own: identities, fixed objects."""

GREEN, AMBER = "signatures", "attribution"


class Stored:
    """Consecutive numbers, in the order in which they are asked for. Borealis reads them; aurora is the producer."""

    def __init__(self, node: Node) -> None:
        self._node, self._next, self._green = node, FIRST_NUMBER, 0

    def green(self, total: int) -> Target:
        """Fill up to `total` GREEN objects. Their numbers have a gap where AMBER ones were put in between."""
        self._fill(GREEN, Tlp.GREEN, total - self._green)
        self._green = total
        return self._target(GREEN, FIRST_NUMBER)

    def amber(self, total: int) -> Target:
        """Add `total` AMBER objects, for every lab that may read the collection."""
        first = self._next
        self._fill(AMBER, Tlp.AMBER, total)
        return self._target(AMBER, first)

    def collection(self, alias: str) -> Collection:
        return Collection.objects.get(alias=alias)

    def _fill(self, alias: str, label: Tlp, count: int) -> None:
        place = Place(self._node.community.aurora.lab.pk, self.collection(alias).pk, label)
        last = self._next + count - 1
        fill(self._node.services.owner_url, place, first=self._next, last=last)
        self._next = last + 1

    def _target(self, alias: str, first: int) -> Target:
        token, port = self._node.community.borealis.token, self._node.server.port
        processes = f"{WEB_WORKERS} processes of {WEB_THREADS} threads"
        runs_on = f"{OURS} on granian {version('granian')}, {processes}, PostgreSQL with fsync"
        path = f"/exchange/collections/{alias}/"
        return Target(OURS, runs_on, port, path, f"Bearer {token}", first, self._next - 1)
