"""The works that every server does in a comparison, over HTTP alone, and how long they took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from benchmarks import client
from benchmarks.client import Pull
from benchmarks.connection import Connection
from benchmarks.load import Measured, run_load
from benchmarks.results import Results
from benchmarks.sizes import Sizes
from benchmarks.target import Target

CLIENT_PROCESSES = 4
LEAST_ANSWERS = 3
PULL_PART = 3
"""A full pull of a peer may take so many times what its other works may."""


@dataclass(frozen=True, slots=True)
class Works:
    """What is asked of one server: `green` and `amber` over and over on all connections, the rest once each on one."""

    name: str
    port: int
    pull: Pull
    green: Sequence[bytes]
    amber: Sequence[bytes]
    singles: Sequence[bytes]
    manifests: Sequence[bytes]
    polls: Sequence[bytes]


def works_of(target: Target, sizes: Sizes, *, chain: int, most_s: float) -> Works:
    """The works of a peer, which has no labels.

    chain: pages of the repeated reads, found by following `next`; with 0 these reads are left out.
    """
    return Works(
        target.name,
        target.port,
        target.pull(sizes.page, most_s * PULL_PART),
        [request for request, _answer in islice(target.follow(sizes.page), chain)],
        [],
        target.windows("objects", sizes.page),
        target.windows("manifest", sizes.page),
        target.polls(sizes.new, sizes.page, sizes.polls),
    )


def measure_load(results: Results, servers: Sequence[Works], sizes: Sizes, *, rounds: int, warm_up_s: float) -> None:
    """Full pulls and repeated reads, the servers in turns: what disturbs the machine for a while disturbs them all."""
    for _ in range(rounds):
        for server in servers:
            pulled = client.finish(client.start(server.pull))
            results.pulls.setdefault(server.name, []).append(pulled)
            results.answers[server.name] += pulled.pages
    for what, rates in (("green", results.green), ("amber", results.amber)):
        asked = [server for server in servers if getattr(server, what)]
        for number in range(rounds):
            for server in asked:
                for_s = (warm_up_s, sizes.load_s) if number == 0 and warm_up_s else (sizes.load_s,)
                measured = [repeat(server.port, getattr(server, what), sizes, each) for each in for_s]
                results.answers[server.name] += sum(len(each.request_s) for each in measured)
                rates.setdefault(server.name, []).append(measured[-1].rate)


def measure_times(results: Results, server: Works, most_s: float) -> None:
    """What is asked on one connection."""
    results.singles[server.name] = times(server.port, server.singles, most_s)
    results.manifests[server.name] = times(server.port, server.manifests, most_s)
    results.polls[server.name] = times(server.port, server.polls, most_s)


def repeat(port: int, requests: Sequence[bytes], sizes: Sizes, for_s: float) -> Measured:
    """These requests, over and over, on all connections at once.

    Raises:
        AssertionError: one was refused.
    """
    threads = sizes.connections // CLIENT_PROCESSES
    measured = run_load(port, requests, processes=CLIENT_PROCESSES, threads=threads, for_s=for_s)
    if set(measured.statuses) != {200}:
        raise AssertionError(f"not every page was answered: {measured.statuses}")
    return measured


def times(port: int, requests: Sequence[bytes], most_s: float) -> list[float]:
    """Seconds of each request on one connection, one after the other, of as many as can be asked within `most_s`.

    Raises:
        AssertionError: one was refused.
    """
    taken: list[float] = []
    with closing(Connection(port)) as link:
        until = time.perf_counter() + most_s
        for request in requests:
            began = time.perf_counter()
            status = link.skim(request)
            ended = time.perf_counter()
            if status != 200:
                raise AssertionError(f"a page was answered {status}")
            taken.append(ended - began)
            if ended > until and len(taken) >= LEAST_ANSWERS:
                break
    return taken


def check_poll(target: Target, sizes: Sizes) -> bytes:
    """The answer to a poll.

    Raises:
        AssertionError: it holds other than the new objects.
    """
    with closing(Connection(target.port)) as link:
        answer = link.send(target.polls(sizes.new, sizes.page, 1)[0])
    found = len(target.read(answer)["objects"])
    if found != sizes.new:
        raise AssertionError(f"{target.name} answered a poll with {found} objects, not {sizes.new}")
    return answer.body
