"""Runs every benchmark and writes the table and the plot of this folder: `make bench`, some thirty minutes.

With `--quick` all of it on small sizes in a minute: the figures say nothing, and nothing here is overwritten.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import attribution, backtesting, federation, publishing, reading, stix_reading, voprf
from benchmarks.machine import machine
from benchmarks.node import running_node
from benchmarks.peers.environments import PROJECT
from benchmarks.report import BEGIN, END, Report
from benchmarks.sizes import FULL, QUICK, WEB_WORKERS

README = Path(__file__).with_name("README.md")


def main() -> None:
    """Measure, print as it comes, write the table and the plot at the end."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes; writes below .bench/ instead of here")
    is_quick = parser.parse_args().quick
    sizes = QUICK if is_quick else FULL
    if not is_quick:
        stix_reading.main()
    with running_node(workers=WEB_WORKERS) as node:
        report = Report(machine())
        print(report.about)
        publishing.measure(node, report, sizes)
    with running_node(workers=WEB_WORKERS) as node:
        reading.measure(node, report, sizes)
    with running_node(workers=WEB_WORKERS) as node:
        federation.measure(node, report, sizes)
    with running_node(workers=WEB_WORKERS) as node:
        attribution.measure(node, report, sizes)
    backtesting.measure(report, sizes)
    voprf.measure(report, sizes)
    report.write(_quick_readme() if is_quick else README)


def _quick_readme() -> Path:
    path = PROJECT / ".bench" / "quick" / "README.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# A quick run\n{BEGIN}\n{END}\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
