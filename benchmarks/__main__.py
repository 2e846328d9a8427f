"""Runs every benchmark and writes the table of benchmarks/README.md: `make bench`. Takes some minutes."""

from __future__ import annotations

from benchmarks import publishing, reading, stix_reading
from benchmarks.node import running_node
from benchmarks.report import Row, machine, write_readme

WEB_WORKERS = 2


def main() -> None:
    """Measure, print as it comes, write the table at the end."""
    stix_reading.main()
    rows: list[Row] = []
    with running_node(workers=WEB_WORKERS) as node:
        about = machine()
        print(about)
        rows += publishing.measure(node)
    with running_node(workers=1) as node:
        rows += reading.measure(node)
    write_readme(about, rows)


if __name__ == "__main__":
    main()
