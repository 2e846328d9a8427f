"""Publishing over HTTP with everything checked: batches over 4 connections, single objects over 16.

Objects are signed before the clock starts; client, web server and database share the cores.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.load import make_request, run_load
from benchmarks.node import Node, running_node
from benchmarks.objects import signed_objects
from benchmarks.report import Row, median, percentile
from exchange.stix.keys import SigningKey

CORES = os.cpu_count() or 1
ROUNDS = 3
BATCH_CONNECTIONS = 4
BATCH_OBJECTS = 8_000
SINGLE_CONNECTIONS = 16
SINGLE_OBJECTS = 1_500
WARM_UP_OBJECTS = 400
SIZES = (100, 1_000)
ADDRESS = "/exchange/collections/attribution/objects/"
VERIFICATIONS = 3_000
PAYLOAD_BYTES = 1_000

GOAL_BATCHES = "goal: 4,000 on 4 cores"
GOAL_SINGLES = "goal: 400 on 4 cores"


def main() -> None:
    """Run alone and print."""
    with running_node() as node:
        measure(node)


def measure(node: Node) -> list[Row]:
    """Print and answer the rows about publishing."""
    verifications = CORES * verifications_per_core()
    rows = [_shown(Row("Ed25519 verifications alone, one core times cores", f"{verifications:,.0f}/s"))]
    supply = Supply(node)
    _publish(node, supply.requests(WARM_UP_OBJECTS, 10), WARM_UP_OBJECTS, processes=BATCH_CONNECTIONS, threads=1)
    for size in SIZES:
        runs = [
            _publish(node, requests, BATCH_OBJECTS, processes=BATCH_CONNECTIONS, threads=1)
            for requests in (supply.requests(BATCH_OBJECTS, size) for _ in range(ROUNDS))
        ]
        what = f"publishing, {BATCH_CONNECTIONS} connections, batches of {size:,}"
        rows += [_rate_row(what, runs, verifications, GOAL_BATCHES), _cost_row(runs)]
    runs = [
        _publish(node, supply.requests(SINGLE_OBJECTS, 1), SINGLE_OBJECTS, processes=1, threads=SINGLE_CONNECTIONS)
        for _ in range(ROUNDS)
    ]
    what = f"publishing, {SINGLE_CONNECTIONS} connections, single objects"
    rows += [_rate_row(what, runs, verifications, GOAL_SINGLES), _cost_row(runs), _latency_row(runs)]
    return rows


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
            make_request("POST", ADDRESS, self._lab.token, b'{"objects":[' + b",".join(batch) + b"]}")
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


def _rate_row(what: str, runs: Sequence[Run], verifications: float, goal: str) -> Row:
    rate = median([run.rate for run in runs])
    against = f"{rate / CORES:,.0f} per core; {rate / verifications:.1%} of the bare verifications; {goal}"
    return _shown(Row(what, f"{rate:,.0f} objects/s", against))


def _cost_row(runs: Sequence[Run]) -> Row:
    web_ms, postgres_ms = median([run.web_ms for run in runs]), median([run.postgres_ms for run in runs])
    against = f"web {web_ms:.2f} ms, PostgreSQL {postgres_ms:.2f} ms; 4 cores: {4_000 / (web_ms + postgres_ms):,.0f}/s"
    return _shown(Row("the same, processor time of one object", f"{web_ms + postgres_ms:.2f} ms", against))


def _latency_row(runs: Sequence[Run]) -> Row:
    times = [each for run in runs for each in run.request_s]
    figure = f"p50 {percentile(times, 50) * 1e3:.0f} ms, p99 {percentile(times, 99) * 1e3:.0f} ms"
    return _shown(Row("the same, time of one request", figure))


def _shown(row: Row) -> Row:
    row.show()
    return row


if __name__ == "__main__":
    main()
