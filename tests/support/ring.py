"""Exchanges in a ring on one stack: each pulls from the one before it, and knows the roots of all nodes and labs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.management import call_command

from exchange.models import Sequencer, StixObject
from exchange.services.checking import check_exchange
from exchange.services.collections import find_collection
from exchange.services.database import writing
from exchange.services.query import PageRequest, read_bodies
from exchange.stix.reading import split_body
from tests.support.database import TestServices
from tests.support.labs import LabHandle
from tests.support.other_node import add_way, admit_known, register, working_on


@dataclass(frozen=True, slots=True)
class RingNode:
    """One exchange. root: thumbprint of its node's root key. labs: its own; a member of the first one reads."""

    slug: str
    url: str
    root: str
    labs: tuple[LabHandle, ...]
    services: TestServices
    home: TestServices

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Inside, models and services are those of this node."""
        with working_on(self.services, home=self.home):
            yield

    def sync(self) -> tuple[int, int]:
        """Pull what is new: how many objects came, and how many of them were taken."""
        with self.at_work():
            call_command("sync", "--json", stdout=(out := io.StringIO()), stderr=io.StringIO())
        runs = json.loads(out.getvalue())["runs"]
        assert {run["failure"] for run in runs} == {None}, runs
        return sum(run["objects"] for run in runs), sum(run["moved"] for run in runs)

    def sequence(self) -> int:
        """The last number that it gave."""
        with self.at_work():
            return Sequencer.objects.get().last_seq

    def indicators(self) -> list[bytes]:
        """The bytes of every indicator that a member reads here."""
        with self.at_work():
            reader = self.labs[0].principal
            view = find_collection(reader, "signatures")
            request = PageRequest(limit=1000, types=("indicator",))
            joined = read_bodies(principal=reader, collection=view, request=request, door="test").joined
        return sorted(split_body(b"[" + joined + b"]"))

    def state_of(self, stix_id: str) -> str:
        with self.at_work(), writing():
            return StixObject.objects.get(stix_id=stix_id).state

    def check(self) -> None:
        """Everything stored here verifies."""
        with self.at_work():
            report = check_exchange()
        assert not report.faults, report.faults


def close_ring(nodes: list[RingNode]) -> None:
    """Register everybody with everybody; each pulls from the one before it, the first one from the last."""
    tokens: dict[tuple[str, str], str] = {}
    for node in nodes:
        with node.at_work():
            for other in nodes:
                if other is not node:
                    tokens[node.slug, other.slug] = register(other.slug, other.root)
                    for lab in other.labs:
                        admit_known(lab.lab.slug, lab.keys.root.kid)
    for before, node in zip([nodes[-1], *nodes], nodes, strict=False):
        with node.at_work():
            add_way(before.slug, before.url, tokens[before.slug, node.slug])
    for node in nodes * 2:
        node.sync()
