"""On what a run was made: processor, cores, system and versions."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from django.db import connections

from benchmarks.sizes import CORES

PACKAGES = ("django", "psycopg", "granian", "cryptography", "jsonschema-rs", "orjson", "duckdb")


def machine() -> str:
    """One line of a Markdown list each. Needs a database that runs."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = cursor.fetchone()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return "\n".join(
        (
            f"- {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average at the start {os.getloadavg()[0]:.1f}",
            f"- {_processor()}, {CORES} cores shared by clients, servers and database",
            f"- Linux {platform.release()}, Python {platform.python_version()}, PostgreSQL {postgres}",
            f"- {packages}",
        )
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
