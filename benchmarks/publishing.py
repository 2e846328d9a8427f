"""Publishing over HTTP with everything checked: batches over 4 connections, single objects over 16.

Objects are signed before the clock starts; client, web server and database share the cores.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from benchmarks.load import Measured, make_request, run_load
from benchmarks.node import Node, running_node
from benchmarks.objects import signed_objects
from benchmarks.report import Row, median, percentile
from exchange.stix.keys import SigningKey

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
    cores = os.cpu_count() or 1
    verifications = cores * verifications_per_core()
    rows = [Row("Ed25519 verifications alone, one core times cores", f"{verifications:,.0f}/s")]
    rows[0].show()
    supply = Supply(node)
    _publish(node, supply.requests(WARM_UP_OBJECTS, 10), processes=BATCH_CONNECTIONS, threads=1)
    for size in SIZES:
        rates = [
            BATCH_OBJECTS / _publish(node, requests, processes=BATCH_CONNECTIONS, threads=1).seconds
            for requests in (supply.requests(BATCH_OBJECTS, size) for _ in range(ROUNDS))
        ]
        rows.append(
            _rate_row(f"publishing, {BATCH_CONNECTIONS} connections, batches of {size:,}", rates, verifications)
        )
    singles = [
        _publish(node, supply.requests(SINGLE_OBJECTS, 1), processes=1, threads=SINGLE_CONNECTIONS)
        for _ in range(ROUNDS)
    ]
    rates = [SINGLE_OBJECTS / single.seconds for single in singles]
    rows.append(_rate_row(f"publishing, {SINGLE_CONNECTIONS} connections, single objects", rates, verifications))
    rows.append(_latency_row(singles))
    return rows


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


def _publish(node: Node, requests: Sequence[bytes], *, processes: int, threads: int) -> Measured:
    measured = run_load(node.server.port, requests, processes=processes, threads=threads)
    if set(measured.statuses) != {202}:
        raise AssertionError(f"not everything was taken: {measured.statuses}")
    return measured


def _rate_row(what: str, rates: Sequence[float], verifications: float) -> Row:
    rate, cores = median(rates), os.cpu_count() or 1
    goal = GOAL_SINGLES if "single" in what else GOAL_BATCHES
    row = Row(
        what,
        f"{rate:,.0f} objects/s",
        f"{rate / cores:,.0f} per core; {rate / verifications:.1%} of the bare verifications; {goal}",
    )
    row.show()
    return row


def _latency_row(runs: Sequence[Measured]) -> Row:
    times = [each for run in runs for each in run.request_s]
    row = Row(
        "the same, time of one request",
        f"p50 {percentile(times, 50) * 1e3:.0f} ms, p99 {percentile(times, 99) * 1e3:.0f} ms",
    )
    row.show()
    return row


if __name__ == "__main__":
    main()
