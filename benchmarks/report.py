"""Collects what was measured: on the terminal as it comes, and into a README and a plot at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import plot
from benchmarks.comparison import Comparison, table

BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
PLOT_NAME = "reading.svg"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement of ours alone: the figure, and what it is to be held against."""

    what: str
    figure: str
    held_against: str = ""


@dataclass(slots=True)
class Report:
    """A run. `about` says on what, `servers` what each server ran on, `memory` is the curve of a long pull."""

    about: str
    comparisons: list[Comparison] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    servers: list[str] = field(default_factory=list)
    memory: list[plot.MemoryPoint] = field(default_factory=list)

    def compare(self, comparison: Comparison) -> None:
        """Add and print a line of the comparison."""
        self.comparisons.append(comparison)
        print(comparison.work, flush=True)
        for server in comparison.figures:
            print(f"    {server:14}{comparison.cell(server)}", flush=True)
        if comparison.goals:
            print(f"    {comparison.goal_text()}", flush=True)

    def add(self, row: Row) -> None:
        """Add and print a row about ours alone."""
        self.rows.append(row)
        print(f"{row.what:52}{row.figure:>30}   {row.held_against}", flush=True)

    def name(self, server: str) -> None:
        """Add and print what a server ran on, or that it was left out."""
        if server not in self.servers:
            self.servers.append(server)
            print(server, flush=True)

    def text(self) -> str:
        """The measured part of the README."""
        parts = [self.about + "".join(f"\n- {server}" for server in self.servers)]
        if self.comparisons:
            parts += [table(self.comparisons), f"![The same as a plot]({PLOT_NAME})"]
        if self.rows:
            parts.append(_rows_table(self.rows))
        return "\n\n".join(parts)

    def write(self, readme: Path) -> None:
        """Replace the measured part of a README, and the plot beside it."""
        readme.write_text(with_measured(readme.read_text(encoding="utf-8"), self.text()), encoding="utf-8")
        plot.write(readme.with_name(PLOT_NAME), self.comparisons, self.memory)


def with_measured(document: str, text: str) -> str:
    """The document with the part between the markers replaced; what stands around it is kept to the byte.

    Raises:
        ValueError: a marker is missing.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no {BEGIN} or no {END} behind it")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _rows_table(rows: Sequence[Row]) -> str:
    lines = ["| measured of ours alone | figure | held against, in the same run |", "|---|---|---|"]
    return "\n".join(lines + [f"| {row.what} | {row.figure} | {row.held_against} |" for row in rows])
