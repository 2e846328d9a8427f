"""Reading over HTTP: ours, nginx with the same bytes, OpenTAXII and medallion, one after the other on one machine."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import postgres_rows, statements, works
from benchmarks.beside import measure_peers, measure_with_nginx
from benchmarks.comparison import OURS, Comparison, Figure, Goal, median
from benchmarks.machine import machine
from benchmarks.memory import growth_mb, pull_and_watch
from benchmarks.node import Node, running_node
from benchmarks.report import Report, Row
from benchmarks.results import Results, latencies
from benchmarks.sizes import FULL, WEB_WORKERS, Sizes
from benchmarks.stored import GREEN, Stored
from benchmarks.target import Target

WARM_UP_POLLS = 100
MOST_S = 600.0
FLAT_PAGES = 10
"""A web process may hold so many pages more than at the start and still be called flat."""

POLL_GOAL = Goal(4.0, at_most=True)


def main() -> None:
    """Run alone and print."""
    with running_node(workers=WEB_WORKERS) as node:
        measure(node, Report(machine()), FULL)


def measure(node: Node, report: Report, sizes: Sizes) -> None:
    """Add the lines about reading. Fills the node with all that `sizes` says."""
    stored, results = Stored(node), Results()
    small = poll_ours(node, stored.green(sizes.small), sizes)
    target, amber = stored.green(sizes.objects), stored.amber(sizes.objects)
    report.name(target.runs_on)
    measure_once(node, target, stored.collection(GREEN).pk, results, sizes)
    measure_with_nginx(node, report, results, green=target, amber=amber, sizes=sizes)
    measure_peers(node, report, results, sizes)
    for comparison in results.comparisons(sizes):
        report.compare(comparison)
    large = stored.green(sizes.large)
    report_polls(report, small, poll_ours(node, large, sizes), sizes)
    measure_memory(node, report, large, sizes)
    token = node.community.borealis.token
    statements.measure(report, path=f"{target.path}objects/", token=token, limits=(1, sizes.page))


def measure_once(node: Node, target: Target, collection_id: int, results: Results, sizes: Sizes) -> None:
    """What has to come before anything else has been read: pages that no cache can know, and bare rows."""
    pages, url = sizes.objects // sizes.page, node.services.owner_url
    for is_binary in (False, True):
        rate = postgres_rows.rows_per_second(url, collection_id, page=sizes.page, pages=pages, binary=is_binary)
        results.bare_rows[is_binary] = rate
    results.singles[OURS] = works.times(target.port, target.windows("objects", sizes.page), MOST_S)
    results.manifests[OURS] = works.times(target.port, target.windows("manifest", sizes.page), MOST_S)
    results.polls[OURS] = poll_ours(node, target, sizes).taken


@dataclass(frozen=True, slots=True)
class Polled:
    """Seconds of each poll, and processor time of one over web server and PostgreSQL."""

    taken: list[float]
    cost_ms: float


def poll_ours(node: Node, target: Target, sizes: Sizes) -> Polled:
    """Polls, after some that do not count."""
    works.check_poll(target, sizes)
    polls = target.polls(sizes.new, sizes.page, WARM_UP_POLLS + sizes.polls)
    works.times(target.port, polls[:WARM_UP_POLLS], MOST_S)
    before = sum(node.cpu_s())
    taken = works.times(target.port, polls[WARM_UP_POLLS:], MOST_S)
    return Polled(taken, (sum(node.cpu_s()) - before) / len(taken) * 1e3)


def report_polls(report: Report, small: Polled, large: Polled, sizes: Sizes) -> None:
    """Polls beside ten thousand and beside a million versions."""
    work = f"poll of {sizes.new} new among {{:,}}, 1 connection"
    report.compare(latencies(work.format(sizes.small), {OURS: small.taken}, [POLL_GOAL]))
    grown = Goal(1.2, f"that among {sizes.small:,}", median(small.taken) * 1e3, at_most=True)
    report.compare(latencies(work.format(sizes.large), {OURS: large.taken}, [POLL_GOAL, grown]))
    what = f"processor time of a poll among {sizes.small:,} and {sizes.large:,}"
    times = f"{small.cost_ms:.1f} ms and {large.cost_ms:.1f} ms"
    report.add(Row(what, times, f"{large.cost_ms / small.cost_ms:.2f} of the first" if small.cost_ms else ""))


def measure_memory(node: Node, report: Report, target: Target, sizes: Sizes) -> None:
    """A full pull of everything, and what it does to the memory of the web processes."""
    pulled, report.memory = pull_and_watch(node, target.pull(sizes.page, MOST_S))
    what = f"memory that the web processes gain in a full pull of {sizes.large:,}"
    goal = Goal(FLAT_PAGES * WEB_WORKERS * sizes.page * 1e-3, at_most=True)
    most_mb = max(point.megabytes for point in report.memory)
    figure = Figure(growth_mb(report.memory), f"of {most_mb:,.0f} MB")
    report.compare(Comparison(what, "MB", {OURS: figure}, [goal], more_is_better=False))
    report.add(Row(f"full pull of {pulled.objects:,}", f"{pulled.rate:,.0f} objects/s", f"{pulled.seconds:.0f} s"))


if __name__ == "__main__":
    main()
