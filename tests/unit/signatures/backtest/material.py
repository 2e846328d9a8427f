"""Small logs and signatures for the tests of backtests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from signatures.backtest.collecting import collect_signatures
from signatures.backtest.results import Results
from signatures.backtest.running import Settings, backtest
from signatures.duckdb_backend.literals import text

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
INDICATOR = "indicator--7a1b0c5e-3c1a-4f0e-9a3b-2d7c5b8e1a0{}"

RULE = """title: Chat
id: 6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a0{number}
name: chat_{number}
logsource:
  category: llm_api
  product: llm_gateway
detection:
  sel:
    gen_ai.operation.name: chat
  condition: sel
"""
BURST = (
    RULE
    + """---
title: Burst {number}
id: 7f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a0{number}
correlation:
  type: event_count
  rules:
    - chat_{number}
  group-by:
    - user.id
  timespan: 1m
  condition:
    gte: 3
"""
)


def rule(number: int = 1, template: str = BURST) -> str:
    """A Sigma text of a number."""
    return template.format(number=number)


def row(second: int, user: str | None = "u1", campaign: str | None = None, **others: Any) -> dict[str, Any]:
    """An event at a second after the beginning."""
    return {
        "timestamp": (BEGIN + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "llmx.event.category": "llm_api",
        "user.id": user,
        "gen_ai.operation.name": "chat",
        "llmx.label.campaign": campaign,
        **others,
    }


# Two bursts of u1, of which the first belongs to a campaign; u2 is slow; u3 bursts once, with one labelled event.
ROWS = [
    *(row(second, "u1", "red") for second in (0, 10, 20, 30)),
    *(row(second, "u1") for second in (1000, 1010, 1020)),
    *(row(second, "u2", "blue") for second in (0, 100, 200)),
    *(row(second, "u3", "red" if second == 5000 else None) for second in (5000, 5001, 5002)),
]


def write_json(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path


def write_like(path: Path, rows: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """Write rows as Parquet or CSV, by the ending; times are texts in CSV and TIMESTAMPTZ in Parquet."""
    lines = write_json(folder / f"{path.name}.source.jsonl", rows)
    form = path.suffix.lstrip(".")
    with duckdb.connect(":memory:") as connection:
        typed = "{timestamp: 'TIMESTAMPTZ', " + ", ".join(
            f"'{name}': 'VARCHAR'" for name in rows[0] if name != "timestamp"
        )
        source = f"read_json({text(str(lines))}, format = 'newline_delimited', columns = {typed}}})"
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY (SELECT * FROM {source}) TO {text(str(path))} (FORMAT {form})")
    return path


def write_rule(path: Path, number: int = 1, template: str = BURST) -> Path:
    """Write a Sigma file."""
    path.write_text(rule(number, template), encoding="utf-8")
    return path


def indicator(number: int, **members: Any) -> dict[str, Any]:
    """A STIX indicator that carries a rule."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": INDICATOR.format(number),
        "created": "2026-01-01T00:00:00.000Z",
        "modified": "2026-01-01T00:00:00.000Z",
        "valid_from": "2026-01-01T00:00:00Z",
        "name": f"Indicator {number}",
        "pattern_type": "sigma",
        "pattern": rule(number),
        **members,
    }


def run(signatures: Sequence[Path], logs: Sequence[Path | str], label: str = "") -> Results:
    """A backtest with one thread."""
    found = collect_signatures(signatures, now=NOW)
    settings = Settings(memory="500MB", threads=1)
    return backtest(found, [str(each) for each in logs], label=label, settings=settings, progress=lambda _text: None)
