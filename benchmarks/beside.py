"""The other servers on the same machine: nginx with our bytes in turns with ours, the peers one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import psycopg

from benchmarks import works
from benchmarks.comparison import OURS
from benchmarks.connection import Connection
from benchmarks.node import Node
from benchmarks.peers import medallion, nginx, opentaxii
from benchmarks.peers.environments import AbsentError
from benchmarks.report import Report, Row
from benchmarks.results import NGINX, Results
from benchmarks.sizes import WEB_WORKERS, Sizes
from benchmarks.target import Target
from benchmarks.works import Works

WARM_UP_S = 1.0
MOST_S = 600.0
PEER_CHAIN = 4
"""Distinct pages of a peer that are read over and over: few, because it is long in finding them."""

PEER_FIRST = 1
"""The first number of the corpus that a peer holds."""


def measure_with_nginx(
    node: Node, report: Report, results: Results, *, green: Target, amber: Target, sizes: Sizes
) -> None:
    """Full pulls and repeated reads of both, the rest of nginx; without nginx ours alone."""
    with nginx.folder_of_pages() as pages:
        ours = _record(pages, green, amber, sizes)
        try:
            with nginx.serving(pages) as port:
                report.name(f"nginx {nginx.version()}, {WEB_WORKERS} processes, our answers as files")
                theirs = _nginx_works(port, ours, sizes)
                _measure_noting(node, report, results, [ours, theirs], sizes)
                works.measure_times(results, theirs, MOST_S)
        except AbsentError as error:
            report.name(f"left out: {error}")
            _measure_noting(node, report, results, [ours], sizes)


def measure_peers(node: Node, report: Report, results: Results, sizes: Sizes) -> None:
    """OpenTAXII and medallion, each as far as it comes in its time."""
    with tempfile.TemporaryDirectory(prefix="commonwatch-peers-") as name:
        folder = Path(name)
        try:
            with opentaxii.serving(node, folder, first=PEER_FIRST, last=sizes.objects) as target:
                _measure_peer(report, results, target, sizes, chain=PEER_CHAIN)
        except AbsentError as error:
            report.name(f"left out: {error}")
        try:
            with medallion.serving(folder, first=PEER_FIRST, last=sizes.medallion_objects, page=sizes.page) as target:
                # One process that takes seconds for a page: sixteen connections would wait, and say nothing new.
                _measure_peer(report, results, target, sizes, chain=0)
        except AbsentError as error:
            report.name(f"left out: {error}")


def _measure_peer(report: Report, results: Results, target: Target, sizes: Sizes, *, chain: int) -> None:
    stored = "" if target.stored == sizes.objects else f", {target.stored:,} objects stored"
    report.name(f"{target.runs_on}{stored}")
    works.check_poll(target, sizes)
    asked = works.works_of(target, sizes, chain=chain, most_s=sizes.peer_s)
    works.measure_load(results, [asked], sizes, rounds=1, warm_up_s=0.0)
    works.measure_times(results, asked, sizes.peer_s)


def _record(pages: nginx.Pages, green: Target, amber: Target, sizes: Sizes) -> Works:
    """Write our answers as files, and give the works that lead to the same answers from us."""
    count, repeats = sizes.repeated_pages, dict[str, list[bytes]]()
    for name, target, followed in (("green", green, None), ("amber", amber, count)):
        walk = list(islice(target.follow(sizes.page), followed))
        pages.write(name, [answer.body for _request, answer in walk])
        repeats[name] = [request for request, _answer in walk[:count]]
    manifests = green.windows("manifest", sizes.page)
    with closing(Connection(green.port)) as link:
        pages.write("manifests", [link.send(request).body for request in manifests])
    pages.write("poll", [works.check_poll(green, sizes)])
    # What ours is asked on one connection was measured before anything had been read.
    pull = green.pull(sizes.page, MOST_S)
    return Works(green.name, green.port, pull, repeats["green"], repeats["amber"], [], manifests, [])


def _nginx_works(port: int, ours: Works, sizes: Sizes) -> Works:
    def served(name: str) -> Target:
        return Target(NGINX, "", port, f"/{name}/", ours.pull.authorization, 0, 0)

    def asked(name: str, what: str, count: int) -> list[bytes]:
        first = served(name).request(what, limit=sizes.page)
        return [first, *(served(name).request(what, limit=sizes.page, next=number) for number in range(1, count))]

    everything = asked("green", "objects", sizes.objects // sizes.page)
    return Works(
        NGINX,
        port,
        served("green").pull(sizes.page, MOST_S),
        everything[: len(ours.green)],
        asked("amber", "objects", len(ours.amber)),
        everything,
        asked("manifests", "manifest", len(ours.manifests)),
        asked("poll", "objects", 1) * sizes.polls,
    )


def _measure_noting(node: Node, report: Report, results: Results, servers: Sequence[Works], sizes: Sizes) -> None:
    """Measure, and count how many answers of ours stand in the delivery log."""
    before = _deliveries(node)
    works.measure_load(results, servers, sizes, rounds=sizes.rounds, warm_up_s=WARM_UP_S)
    noted, answers = _deliveries(node) - before, results.answers[OURS]
    report.add(Row("pages of these loads in the delivery log", f"{noted:,} of {answers:,}", "one row for each answer"))


def _deliveries(node: Node) -> int:
    with psycopg.connect(node.services.owner_url) as connection:
        row = connection.execute("SELECT count(*) FROM delivery").fetchone()
    return int(row[0]) if row is not None else 0
