"""Attribution: import with signing, lookups one by one and in streams, and whether time tells absent from forbidden.

The stream is held against a loop over pytricia, a radix tree in C, in a process of its own with the same networks and
addresses: without HTTP, JSON, rights or evidence. It needs a compiler, and is left out where it cannot be built.
"""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.comparison import median
from benchmarks.machine import machine
from benchmarks.node import Node, running_node
from benchmarks.peers.environments import AbsentError, Environment
from benchmarks.report import Report, Row
from benchmarks.sizes import FULL, WEB_WORKERS, Sizes
from exchange.labtool.key_files import write_key_file
from exchange.stix.extension_ids import RANGES_EXTENSION
from exchange.stix.markings import Tlp

IMPORT_GOAL_S, LOOKUP_GOAL_MS = 60.0, 3.0
STREAM_GOAL, TREE_GOAL = 100_000.0, 0.2
AUC_GOAL = 0.55

LINES = 100_000
"""The most that one stream takes."""

HIDDEN = 2_000
"""Networks that the reader may not see."""

_TREE = Path(__file__).parent / "peers" / "apps" / "radix_loop.py"


@dataclass(frozen=True, slots=True)
class Reader:
    """One connection of a lab."""

    connection: http.client.HTTPConnection
    token: str

    def ask(self, address: str) -> tuple[float, bytes]:
        """Seconds of one lookup, and the answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        begun = time.perf_counter()
        self.connection.request("GET", f"/api/v1/attribution/lookup?ip={address}", headers=headers)
        response = self.connection.getresponse()
        body = response.read()
        taken = time.perf_counter() - begun
        if response.status != 200:
            raise AssertionError(f"{response.status}: {body[:200]!r}")
        return taken, body

    def stream(self, addresses: Sequence[str]) -> tuple[float, int]:
        """Seconds of a stream to its last byte, and how many lines found something."""
        body = b"".join(b'{"ip":"%b"}\n' % each.encode() for each in addresses)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/x-ndjson"}
        begun = time.perf_counter()
        self.connection.request("POST", "/api/v1/attribution/lookup/", body=body, headers=headers)
        answer = self.connection.getresponse().read()
        taken = time.perf_counter() - begun
        lines = answer.splitlines()
        if len(lines) != len(addresses):
            raise AssertionError(f"{len(lines)} answers to {len(addresses)} lines: {answer[:200]!r}")
        return taken, sum(not line.endswith(b'"matches":[]}') for line in lines)


def main() -> None:
    """Run alone and print."""
    with running_node(workers=WEB_WORKERS) as node:
        measure(node, Report(machine()), FULL)


def measure(node: Node, report: Report, sizes: Sizes) -> None:
    """Add the rows about attribution."""
    draw = random.Random(6)
    nets = [_net(number) for number in range(sizes.ranges)]
    with tempfile.TemporaryDirectory() as folder:
        _import(node, report, Path(folder), nets)
        hidden = _hide(node)
        # As many requests are for one address as a stream has lines at most.
        reader = Reader(http.client.HTTPConnection("127.0.0.1", node.server.port), node.community.cobalt.token)
        asked = [_address(draw, nets) for _ in range(LINES)]
        _report_single(report, reader, asked[: sizes.lookups])
        ours = _report_stream(report, reader, asked, sizes.rounds)
        _report_tree(report, Path(folder), nets, asked, ours)
        _report_auc(report, reader, hidden, sizes.timed_lookups, draw)


def _net(number: int) -> str:
    """One of a million networks of /24 to /28 that are apart, below 16.0.0.0/4 and around."""
    return f"{16 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.0/{24 + number % 5}"


def _address(draw: random.Random, nets: Sequence[str]) -> str:
    """Half of them lie in a network."""
    if draw.random() < 0.5:
        return draw.choice(nets).partition("/")[0]
    return f"{draw.randrange(128, 224)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}"


def _import(node: Node, report: Report, folder: Path, nets: Sequence[str]) -> None:
    aurora = node.community.aurora
    write_key_file(folder / "key.json", aurora.keys.signing)
    (folder / "identity.json").write_bytes(aurora.keys.identity_bytes)
    rows = (f"{net},proxy,64500,70,2026-11-01,{time.strftime('%Y-%m-%d')},feed\n" for net in nets)
    (folder / "feed.csv").write_text("range,kind,asn,confidence,first_seen,last_seen,source\n" + "".join(rows))
    base = ["ranges", str(folder / "feed.csv"), "--marking", "green", "--key", str(folder / "key.json")]
    imported_s = _run(*base, "--to", str(folder / "signed.json"))
    report.add(
        Row(f"import of {len(nets):,} ranges with signing", f"{imported_s:.1f} s", f"goal: under {IMPORT_GOAL_S:.0f} s")
    )
    options = ["--node", node.server.url, "--token", aurora.token]
    published_s = _run("publish", str(folder / "signed.json"), *options)
    report.add(Row(f"publishing the objects with these {len(nets):,}", f"{published_s:.1f} s"))


def _run(*arguments: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "exchange.labtool.main", *arguments], check=True, capture_output=True)
    return time.perf_counter() - begun


def _hide(node: Node) -> list[str]:
    """Networks that aurora shows to borealis alone; answers an address of each."""
    aurora, borealis, _ = node.community.labs
    marking = aurora.distribution(borealis.identity)
    aurora.publish(aurora.signed(marking))
    ranges = [{"net": f"10.{n >> 8}.{n & 255}.0/24", "kind": "proxy"} for n in range(HIDDEN)]
    secret = aurora.indicator(
        Tlp.AMBER,
        object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]],
        extensions={RANGES_EXTENSION: {"extension_type": "property-extension", "ranges": ranges}},
    )
    (outcome,) = aurora.publish(aurora.signed(secret))
    if outcome.error is not None:
        raise AssertionError(str(outcome.error))
    return [f"10.{n >> 8}.{n & 255}.9" for n in range(HIDDEN)]


def _report_single(report: Report, reader: Reader, asked: Sequence[str]) -> None:
    for address in asked[:50]:
        reader.ask(address)
    taken = sorted(reader.ask(address)[0] * 1e3 for address in asked)
    figure = f"p50 {median(taken):.2f} ms, p99 {taken[int(len(taken) * 0.99)]:.2f} ms"
    report.add(Row("lookup of one address by HTTP, 1 connection", figure, f"goal: p50 at most {LOOKUP_GOAL_MS:.0f} ms"))


def _report_stream(report: Report, reader: Reader, asked: Sequence[str], rounds: int) -> float:
    first_s, _ = reader.stream(asked)
    runs = [reader.stream(asked) for _ in range(max(rounds, 2))]
    rate = len(asked) / min(seconds for seconds, _ in runs)
    figure = f"{rate:,.0f} addresses/s"
    goal = f"goal: {STREAM_GOAL:,.0f}; the first, which reads the table: {len(asked) / first_s:,.0f}"
    report.add(Row(f"stream of {len(asked):,} addresses by HTTP, {runs[0][1]:,} found", figure, goal))
    return rate


def _report_tree(report: Report, folder: Path, nets: Sequence[str], asked: Sequence[str], ours: float) -> None:
    try:
        python = Environment("pytricia").python
    except AbsentError as error:
        report.name(f"the loop over pytricia is left out: {error}")
        return
    (folder / "nets").write_text("\n".join(nets))
    (folder / "asked").write_text("\n".join(asked))
    done = subprocess.run([python, _TREE, folder / "nets", folder / "asked"], check=True, capture_output=True)
    rate = float(json.loads(done.stdout)["rate"])
    ratio = f"{ours / rate:.2f} of it is ours; goal: at least {TREE_GOAL}"
    report.add(Row("the same addresses in a loop over pytricia", f"{rate:,.0f} addresses/s", ratio))


def _report_auc(report: Report, reader: Reader, hidden: Sequence[str], count: int, draw: random.Random) -> None:
    taken: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(count):
        # In an order that nobody can know, so that nothing on the machine goes with it.
        is_hidden = draw.random() < 0.5
        other = f"11.{draw.randrange(256)}.{draw.randrange(256)}.9"
        seconds, body = reader.ask(draw.choice(hidden) if is_hidden else other)
        if b'"matches":[]' not in body:
            raise AssertionError("the reader sees what is hidden")
        taken[is_hidden].append(seconds)
    area = auc(taken[True], taken[False])
    what = f"time of {count:,} lookups as a sign of hidden matches, AUC"
    report.add(Row(what, f"{area:.3f}", f"goal: at most {AUC_GOAL}; 0.5 is chance"))


def auc(one: Sequence[float], other: Sequence[float]) -> float:
    """The chance that a time of one kind is longer than one of the other, or shorter if that is more likely."""
    values: Any = np.concatenate([one, other])
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    above = ranks[: len(one)].sum() - len(one) * (len(one) + 1) / 2
    area = float(above / (len(one) * len(other)))
    return max(area, 1 - area)


if __name__ == "__main__":
    main()
