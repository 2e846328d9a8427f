"""The memory of the web processes while one client pulls everything: it should not grow with what was pulled."""

from __future__ import annotations

import threading
import time

from benchmarks import client
from benchmarks.client import Pull, Pulled
from benchmarks.node import Node
from benchmarks.plot import MemoryPoint

SAMPLE_S = 0.25
WARM_PART = 0.1
"""Until then buffers and pools come into being."""


def pull_and_watch(node: Node, pull: Pull) -> tuple[Pulled, list[MemoryPoint]]:
    """Pull with a client of its own; the curve has a point each quarter of a second, its objects taken as coming
    evenly."""
    samples: list[tuple[float, float]] = []
    done = threading.Event()
    process = client.start(pull)
    began = time.perf_counter()
    watcher = threading.Thread(target=_watch, args=(node, began, done, samples))
    watcher.start()
    try:
        pulled = client.finish(process)
    finally:
        done.set()
        watcher.join()
    whole_s = time.perf_counter() - began
    return pulled, [MemoryPoint(pulled.objects * at / whole_s, megabytes) for at, megabytes in samples]


def growth_mb(curve: list[MemoryPoint]) -> float:
    """By how much the highest point of the last part lies above the highest of the first, each a tenth of the pull."""
    first, last = curve[0].objects, curve[-1].objects
    part = (last - first) * WARM_PART
    early = [each.megabytes for each in curve if each.objects <= first + part]
    late = [each.megabytes for each in curve if each.objects >= last - part]
    return max(late) - max(early)


def _watch(node: Node, began: float, done: threading.Event, samples: list[tuple[float, float]]) -> None:
    while not done.is_set():
        samples.append((time.perf_counter() - began, node.server.memory_mb()))
        done.wait(SAMPLE_S)
