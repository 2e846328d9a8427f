"""Publishing over HTTP with everything checked: batches over 4 connections, single objects over 16.

Objects are signed before the clock starts; client, web server and database share the cores.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.comparison import OURS, Comparison, Figure, Goal, median, percentile
from benchmarks.connection import make_request
from benchmarks.load import run_load
from benchmarks.machine import machine
from benchmarks.node import Node, running_node
from benchmarks.objects import signed_objects
from benchmarks.report import Report, Row
from benchmarks.sizes import CORES, FULL, WEB_WORKERS, Sizes
from exchange.stix.keys import SigningKey

BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 16
WARM_UP_OBJECTS = 400
SIZES = (100, 1_000)
ADDRESS = "/exchange/collections/attribution/objects/"
VERIFICATIONS = 3_000
PAYLOAD_BYTES = 1_000

GOAL_RATE = 6_000
GOAL_PART = 0.2
GOAL_SINGLES = "goal: 400 on 4 cores"


def main() -> None:
    """Run alone and print."""
    with running_node(workers=WEB_WORKERS) as node:
        measure(node, Report(machine()), FULL)


def measure(node: Node, report: Report, sizes: Sizes) -> None:
    """Add the lines about publishing."""
    verifications = WEB_WORKERS * verifications_per_core()
    report.add(Row("Ed25519 verifications alone, one core times web processes", f"{verifications:,.0f}/s"))
    supply = Supply(node)
    _publish(node, supply.requests(WARM_UP_OBJECTS, 10), WARM_UP_OBJECTS, processes=BATCH_CONNECTIONS, threads=1)
    for size in SIZES:
        runs = [
            _publish(node, requests, sizes.batch_objects, processes=BATCH_CONNECTIONS, threads=1)
            for requests in (supply.requests(sizes.batch_objects, size) for _ in range(sizes.rounds))
        ]
        what = f"publishing, {BATCH_CONNECTIONS} connections, batches of {size:,}"
        if size == SIZES[-1]:
            report.compare(_against_goals(what, runs, verifications))
        report.add(_rate_row(what, runs, verifications))
        report.add(_cost_row(runs))
    runs = [
        _publish(
            node,
            supply.requests(sizes.single_objects, 1),
            sizes.single_objects,
            processes=1,
            threads=SINGLE_CONNECTIONS,
        )
        for _ in range(sizes.rounds)
    ]
    report.add(
        _rate_row(f"publishing, {SINGLE_CONNECTIONS} connections, single objects", runs, verifications, GOAL_SINGLES)
    )
    report.add(_cost_row(runs))
    report.add(_latency_row(runs))


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run: objects a second, processor time for each, and the seconds of each request."""

    rate: float
    web_ms: float
    postgres_ms: float
    request_s: list[float]


class Supply:
    """Objects that were not published before, as requests."""

    def __init__(self, node: Node) -> None:
        self._lab = node.community.aurora
        self._place = 0

    def requests(self, count: int, size: int) -> list[bytes]:
        """`count` new objects in requests of `size`."""
        objects = signed_objects(self._lab.identity, self._lab.keys.signing, self._place, count)
        self._place += count
        batches = [objects[start : start + size] for start in range(0, count, size)]
        return [
            make_request("POST", ADDRESS, f"Bearer {self._lab.token}", b'{"objects":[' + b",".join(batch) + b"]}")
            for batch in batches
        ]


def verifications_per_core() -> float:
    """Bare Ed25519 verifications a second on one core: the floor below everything that publishing does."""
    key = SigningKey.generate("sig")
    public, payload = key.public(nbf=0), os.urandom(PAYLOAD_BYTES)
    signature = key.sign(payload)
    began = time.perf_counter()
    for _ in range(VERIFICATIONS):
        if not public.verifies(signature, payload):
            raise AssertionError("the signature does not verify")
    return VERIFICATIONS / (time.perf_counter() - began)


def _publish(node: Node, requests: Sequence[bytes], objects: int, *, processes: int, threads: int) -> Run:
    before = node.cpu_s()
    measured = run_load(node.server.port, requests, processes=processes, threads=threads)
    web_s, postgres_s = (after - begin for after, begin in zip(node.cpu_s(), before, strict=True))
    if set(measured.statuses) != {202}:
        raise AssertionError(f"not everything was taken: {measured.statuses}")
    return Run(objects / measured.seconds, web_s / objects * 1e3, postgres_s / objects * 1e3, measured.request_s)


def _against_goals(what: str, runs: Sequence[Run], verifications: float) -> Comparison:
    goals = [Goal(GOAL_RATE), Goal(GOAL_PART, "the bare verifications", verifications)]
    return Comparison(f"{what}, all checks on", "objects/s", {OURS: Figure(median([run.rate for run in runs]))}, goals)


def _rate_row(what: str, runs: Sequence[Run], verifications: float, goal: str = "") -> Row:
    rate = median([run.rate for run in runs])
    against = [f"{rate / CORES:,.0f} per core", f"{rate / verifications:.1%} of the bare verifications", goal]
    return Row(what, f"{rate:,.0f} objects/s", "; ".join(filter(None, against)))


def _cost_row(runs: Sequence[Run]) -> Row:
    web_ms, postgres_ms = median([run.web_ms for run in runs]), median([run.postgres_ms for run in runs])
    against = f"web {web_ms:.2f} ms, PostgreSQL {postgres_ms:.2f} ms; 4 cores: {4_000 / (web_ms + postgres_ms):,.0f}/s"
    return Row("the same, processor time of one object", f"{web_ms + postgres_ms:.2f} ms", against)


def _latency_row(runs: Sequence[Run]) -> Row:
    times = [each for run in runs for each in run.request_s]
    figure = f"p50 {percentile(times, 50) * 1e3:.0f} ms, p99 {percentile(times, 99) * 1e3:.0f} ms"
    return Row("the same, time of one request", figure)


if __name__ == "__main__":
    main()
