"""Many requests at once, over connections in several processes: what a server does when it has no rest."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.connection import TIMEOUT_S, Connection


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run took: wall time, the time of each request, and the statuses that came back."""

    seconds: float
    request_s: list[float] = field(default_factory=list)
    statuses: Mapping[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.request_s) / self.seconds


@dataclass(slots=True)
class Done:
    """What one process of a load has to tell: status and seconds of each request, and what broke its connections."""

    answers: list[tuple[int, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def run_load(
    port: int, requests: Sequence[bytes], *, processes: int, threads: int, for_s: float | None = None
) -> Measured:
    """Send the requests over `processes` times `threads` connections, each taking its share one after the other.

    With `for_s` each connection sends all of them, over and over, until so much time has passed.

    Raises:
        ConnectionError: a connection broke, so the load was not what it is said to be.
    """
    context = multiprocessing.get_context("fork")
    barrier, done = context.Barrier(processes + 1), context.SimpleQueue()
    shares = [requests if for_s else requests[place::processes] for place in range(processes)]
    workers = [context.Process(target=_work, args=(port, share, threads, for_s, barrier, done)) for share in shares]
    for worker in workers:
        worker.start()
    barrier.wait(TIMEOUT_S)
    began = time.perf_counter()
    parts = [done.get() for _ in workers]
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    for error in (each for part in parts for each in part.errors):
        raise ConnectionError(error)
    answers = [each for part in parts for each in part.answers]
    return Measured(seconds, [took for _, took in answers], Counter(status for status, _ in answers))


def _work(
    port: int,
    requests: Sequence[bytes],
    threads: int,
    for_s: float | None,
    barrier: multiprocessing.synchronize.Barrier,
    queue: multiprocessing.queues.SimpleQueue[Done],
) -> None:
    done, connections = Done(), list[Connection]()
    try:
        connections = [Connection(port) for _ in range(threads)]
    except OSError as error:
        done.errors.append(str(error))
    barrier.wait(TIMEOUT_S)
    senders = [
        threading.Thread(target=_send_all, args=(link, requests if for_s else requests[place::threads], for_s, done))
        for place, link in enumerate(connections)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    queue.put(done)


def _send_all(connection: Connection, requests: Sequence[bytes], for_s: float | None, done: Done) -> None:
    until = time.perf_counter() + (for_s or 0.0)
    try:
        for request in itertools.cycle(requests) if for_s else requests:
            began = time.perf_counter()
            status = connection.skim(request)
            ended = time.perf_counter()
            done.answers.append((status, ended - began))
            if for_s and ended > until:
                break
    except OSError as error:
        done.errors.append(str(error))
    finally:
        connection.close()
