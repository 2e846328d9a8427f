"""Puts what was measured into a table: on the terminal as it comes, and into benchmarks/README.md at the end."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from django.db import connections

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
PACKAGES = ("django", "psycopg", "granian", "cryptography", "jsonschema-rs", "orjson")


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: the figure, and what it is to be held against."""

    what: str
    figure: str
    held_against: str = ""

    def show(self) -> None:
        print(f"{self.what:52}{self.figure:>30}   {self.held_against}", flush=True)


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def percentile(values: Sequence[float], rank: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) * rank // 100, len(ordered) - 1)]


def machine() -> str:
    """Processor, cores, system and versions: one line each. Needs a database that runs."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = cursor.fetchone()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return "\n".join(
        (
            f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average at the start {os.getloadavg()[0]:.1f}",
            f"- {_processor()}, {os.cpu_count()} cores shared by client, web server and database",
            f"- Linux {platform.release()}, Python {platform.python_version()}, PostgreSQL {postgres}",
            f"- {packages}",
        )
    )


def write_readme(about: str, rows: Sequence[Row]) -> None:
    """Replace the measured part of the README."""
    lines = ["| measured | figure | held against, in the same run |", "|---|---|---|"]
    lines += [f"| {row.what} | {row.figure} | {row.held_against} |" for row in rows]
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(lines)
    README.write_text(f"{before}{BEGIN}\n{about}\n\n{table}\n{END}{after}", encoding="utf-8")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
