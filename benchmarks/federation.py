"""Two exchanges: a first sync, what crosses while objects are published one by one, and peers that have nothing new.

Both have PostgreSQL with fsync, a web server and workers of their own, and share the machine with the publisher.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from benchmarks.comparison import OURS, Comparison, Figure, Goal, percentile
from benchmarks.connection import Connection, make_request
from benchmarks.load import run_load
from benchmarks.machine import machine
from benchmarks.node import Node, process_seconds, running_node
from benchmarks.objects import signed_objects
from benchmarks.publishing import ADDRESS, BATCH_CONNECTIONS
from benchmarks.report import Report, Row
from benchmarks.sizes import FULL, WEB_WORKERS, Sizes
from exchange.models import Peer, PeerChannel
from exchange.services.outbound import allow_host
from exchange.services.peers import Credentials, add_channel, create_peer
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp
from tests.support.database import TestServices
from tests.support.other_node import add_way, admit_known, home_of, register, set_up, started_node, working_on
from tests.support.server import server_environment
from tests.support.worker import Worker

BATCH = 1_000
PER_SECOND = 50
LOOK_S = 0.02
SETTLE_S = 5.0
LONGEST_S = 900.0
IDLE_INTERVAL_S = 60
ALIAS = "attribution"

GOAL_PART = 0.5
GOAL_S = 3.0
GOAL_IDLE_S = 1.0


def main() -> None:
    """Run alone and print."""
    with running_node(workers=WEB_WORKERS) as node:
        measure(node, Report(machine()), FULL)


def measure(node: Node, report: Report, sizes: Sizes) -> None:
    """Add the lines about federation: from `node` to a second exchange."""
    with tempfile.TemporaryDirectory(prefix="commonwatch-bench-") as folder, _joined(node, Path(folder)) as there:
        published = _publish(node, sizes.crossing_objects)
        _measure_first_sync(there, report, sizes.crossing_objects, published)
        _measure_crossing(node, there, report, Path(folder), sizes)
        _measure_idle(node, there, report, Path(folder), sizes)


@contextmanager
def _joined(node: Node, folder: Path) -> Iterator[TestServices]:
    """A second exchange in the same community, which pulls from the first one and has its identities."""
    # As root, PostgreSQL runs as a user who must be able to enter it.
    folder.chmod(0o755)
    with started_node(folder, node.services, durable=True) as (services, server):
        other, _dorado = set_up(services, server, node.services)
        if other.root_key is None or node.community.node.root_key is None:
            raise AssertionError("a node was set up before")
        token_there = register("harbour", other.root_key.kid)
        with working_on(services, home=node.services):
            token_here = register("home", node.community.node.root_key.kid)
            for lab in node.community.labs:
                admit_known(lab.lab.slug, lab.keys.root.kid)
            add_way("home", node.server.url, token_there)
        add_way("harbour", server.url, token_here)
        _sync(services)
        yield services


def _publish(node: Node, count: int) -> float:
    """Publish so many signed objects that may cross; objects a second."""
    lab = node.community.aurora
    objects = signed_objects(lab.identity, lab.keys.signing, 0, count, Tlp.GREEN)
    requests = [
        make_request(
            "POST",
            ADDRESS,
            f"Bearer {lab.token}",
            b'{"objects":[' + b",".join(objects[start : start + BATCH]) + b"]}",
        )
        for start in range(0, count, BATCH)
    ]
    measured = run_load(node.server.port, requests, processes=BATCH_CONNECTIONS, threads=1)
    if set(measured.statuses) != {202}:
        raise AssertionError(f"not everything was taken: {measured.statuses}")
    return count / measured.seconds


def _measure_first_sync(there: TestServices, report: Report, count: int, published: float) -> None:
    before, began = _stored(there), time.perf_counter()
    while _stored(there) - before < count:
        if time.perf_counter() - began > LONGEST_S:
            raise AssertionError(f"only {_stored(there) - before} of {count} objects crossed")
        _sync(there)
    rate = count / (time.perf_counter() - began)
    goal = Goal(GOAL_PART, "publishing the same objects", published)
    work = f"first sync of {count:,} signed objects, every signature verified"
    report.compare(Comparison(work, "objects/s", {OURS: Figure(rate)}, [goal]))


def _measure_crossing(node: Node, there: TestServices, report: Report, folder: Path, sizes: Sizes) -> None:
    workers = [
        Worker(services, folder / f"{name}.log", tasks=2, beat=True)
        for name, services in (("here", node.services), ("there", there))
    ]
    for worker in workers:
        worker.start()
    try:
        time.sleep(SETTLE_S)
        taken = _cross_one_by_one(node, there, int(PER_SECOND * sizes.crossing_s), sizes.crossing_objects)
    finally:
        for worker in workers:
            worker.stop()
    work = f"from publishing here to verified there, {PER_SECOND} objects/s one by one"
    figure = Figure(percentile(taken, 99), f"p50 {percentile(taken, 50):.2f}, of {len(taken):,}")
    report.compare(Comparison(work, "s", {OURS: figure}, [Goal(GOAL_S, at_most=True)], more_is_better=False))


def _cross_one_by_one(node: Node, there: TestServices, count: int, place: int) -> list[float]:
    """Seconds from each request's beginning to the moment at which its object is seen in the other database."""
    lab = node.community.aurora
    objects = signed_objects(lab.identity, lab.keys.signing, place, count, Tlp.GREEN)
    sent: list[float] = []
    seen: list[float] = []
    before = _stored(there)
    watcher = threading.Thread(target=_watch, args=(there, before, count, seen))
    watcher.start()
    began = time.perf_counter()
    with closing(Connection(node.server.port)) as link:
        for number, body in enumerate(objects):
            time.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
            sent.append(time.perf_counter())
            status = link.skim(make_request("POST", ADDRESS, f"Bearer {lab.token}", b'{"objects":[' + body + b"]}"))
            if status != 202:
                raise AssertionError(f"an object was not taken: {status}")
    watcher.join()
    if len(seen) != count:
        raise AssertionError(f"only {len(seen)} of {count} objects crossed")
    # One connection publishes in order, and a channel takes in order: the n-th that comes is the n-th that was sent.
    return [there_at - sent_at for sent_at, there_at in zip(sent, seen, strict=True)]


def _watch(there: TestServices, before: int, count: int, seen: list[float]) -> None:
    ends_at = time.perf_counter() + LONGEST_S
    with psycopg.connect(there.owner_url, autocommit=True) as connection:
        while len(seen) < count and time.perf_counter() < ends_at:
            stored = _count(connection) - before
            moment = time.perf_counter()
            seen.extend([moment] * (stored - len(seen)))
            time.sleep(LOOK_S)


def _measure_idle(node: Node, there: TestServices, report: Report, folder: Path, sizes: Sizes) -> None:
    """Processor time of worker and beat while peers have nothing new, beyond what they use without any peer."""
    with working_on(there, home=node.services):
        PeerChannel.objects.all().delete()
    alone = _idle_minute(node, there, folder, sizes, peers=0)
    with working_on(there, home=node.services):
        allow_host(actor=OPERATOR, host="localhost")
        for number in range(sizes.idle_peers):
            _add_feed(f"feed-{number}", node)
    among = _idle_minute(node, there, folder, sizes, peers=sizes.idle_peers)
    work = (
        f"{sizes.idle_peers} peers without anything new, each asked every {IDLE_INTERVAL_S} s: beyond the idle worker"
    )
    goal = Goal(GOAL_IDLE_S, at_most=True)
    figure = Figure(among - alone, f"{among:.2f} with beat, {alone:.2f} without peers")
    report.compare(Comparison(work, "core-s/min", {OURS: figure}, [goal], more_is_better=False))
    report.add(Row("idle peers: runs a minute", f"{sizes.idle_peers * 60 / IDLE_INTERVAL_S:.0f}"))


def _idle_minute(node: Node, there: TestServices, folder: Path, sizes: Sizes, *, peers: int) -> float:
    """Processor seconds a minute of a worker of its own, after every peer was asked once."""
    worker = Worker(there, folder / f"idle-{peers}.log", tasks=2, beat=True)
    worker.start()
    try:
        with working_on(there, home=node.services):
            _wait_for_first_runs(peers)
        time.sleep(SETTLE_S)
        before, began = process_seconds(worker.process), time.perf_counter()
        time.sleep(sizes.idle_s)
        used_s = process_seconds(worker.process) - before
        return used_s / (time.perf_counter() - began) * 60
    finally:
        worker.stop()


def _add_feed(slug: str, node: Node) -> None:
    create_peer(
        actor=OPERATOR,
        slug=slug,
        name=slug.title(),
        url=f"{node.server.url}/exchange/",
        credentials=Credentials(kind=Peer.Credentials.BEARER, token=node.community.borealis.token),
    )
    channel = add_channel(
        actor=OPERATOR,
        slug=slug,
        direction=PeerChannel.Direction.PULL,
        remote_collection=ALIAS,
        collection=home_of(ALIAS),
        interval_s=IDLE_INTERVAL_S,
    )
    # What is there already was taken from the other exchange.
    PeerChannel.objects.filter(pk=channel.pk).update(added_after="2090-01-01T00:00:00Z")


def _wait_for_first_runs(count: int) -> None:
    ends_at = time.perf_counter() + LONGEST_S
    while PeerChannel.objects.filter(last_success_at__isnull=False).count() < count:
        if time.perf_counter() > ends_at:
            raise AssertionError("not every peer was asked")
        time.sleep(1.0)


def _sync(services: TestServices) -> None:
    """`manage.py sync`, as an operator runs it."""
    command: Sequence[str] = [sys.executable, "manage.py", "sync"]
    subprocess.run(command, env=server_environment(services, 0), check=True, capture_output=True)


def _stored(services: TestServices) -> int:
    with psycopg.connect(services.owner_url, autocommit=True) as connection:
        return _count(connection)


def _count(connection: psycopg.Connection) -> int:
    """Objects that are stored: the sequence has one number for each here, where nothing is withdrawn."""
    row = connection.execute("SELECT last_seq FROM sequencer WHERE id = 1").fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    main()
