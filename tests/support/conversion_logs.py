"""A few hundred events with everything in them that query languages disagree about, and engines that hold them."""

import random
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

Event = dict[str, Any]
START = datetime(2026, 11, 2, tzinfo=UTC)
# Column and type, of DuckDB; SQLite has the same names without types.
COLUMNS = {
    "row": "BIGINT",
    "timestamp": "TIMESTAMP",
    "llmx.event.category": "VARCHAR",
    "gen_ai.request.model": "VARCHAR",
    "gen_ai.response.model": "VARCHAR",
    "user.id": "VARCHAR",
    "llmx.org.id": "VARCHAR",
    "llmx.cluster.id": "VARCHAR",
    "llmx.prompt.template_family": "VARCHAR",
    "client.address": "VARCHAR",
    "llmx.request.batch": "BOOLEAN",
    "gen_ai.usage.output_tokens": "BIGINT",
    "llmx.window.quota_ratio": "DOUBLE",
    "x.mixed": "VARCHAR",
}
MODELS = (
    None, "", "gpt", "GPT", "gpt-4.1", "gpt-441", "GPT_4", "gptX4", "a%b", "aXb", "a_b", "a*b", "a?b", "a[b]c", "ab",
    "a\\b", "it's", 'say "so"', "Übung", "übung", "ÜBUNG", "ubung", "模型-1", "line\nbreak", "${x}", "$5", "`tick`",
    "[a-z]", "!_x", "200", "true",
)  # fmt: skip
ADDRESSES = (
    None, "", "10.0.0.1", "10.0.0.1.example", "10.255.255.255", "11.0.0.0", "192.0.2.127", "192.0.2.128", "192.0.2.129",
    "1920.0.2.128", "2001:db8::1", "host.example", "010.0.0.1", "10.0.0", "203.0.113.9",
)  # fmt: skip
MIXED = (None, "", "5", "5.0", "5.5", "abc", "1e3", "-7", "200", "0200", "9abc", "999999")


def make_events(count: int = 360, seed: int = 7) -> list[Event]:
    """Events of two days that go through every odd value again and again; the rest is drawn."""
    draw = random.Random(seed)
    events = []
    at = START
    for row in range(count):
        # Ties, a millisecond, and steps that make windows end exactly at an event.
        at += timedelta(milliseconds=draw.choice([0, 1, 1000, 60_000, 299_999, 300_000, 3_600_000 // 4]))
        events.append(
            {
                "row": row,
                "timestamp": at,
                "llmx.event.category": draw.choice(["llm_api"] * 5 + ["llm_account"]),
                "gen_ai.request.model": MODELS[row % len(MODELS)],
                "gen_ai.response.model": draw.choice([None, "gpt", "GPT", MODELS[row % len(MODELS)]]),
                "user.id": draw.choice([None, "u1", "u2", "U2", "u3", "ü"]),
                "llmx.org.id": draw.choice(["o1", "o1", "o2", "", None]),
                "llmx.cluster.id": draw.choice(["u1", "u2", "o1", None]),
                "llmx.prompt.template_family": draw.choice([None, "extract_a", "Extract_B", "chat"]),
                "client.address": ADDRESSES[row % len(ADDRESSES)],
                "llmx.request.batch": draw.choice([None, True, False]),
                "gen_ai.usage.output_tokens": draw.choice([None, 0, 1, 5, 200, 4096, -7]),
                "llmx.window.quota_ratio": draw.choice([None, 0.0, 0.5, 0.9, 1.0]),
                "x.mixed": MIXED[row % len(MIXED)],
            }
        )
    return events


def open_sqlite(events: Sequence[Event]) -> sqlite3.Connection:
    """The events in a table without types, times in ISO 8601."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE llm_gateway ({', '.join(f'`{name}`' for name in COLUMNS)})")
    rows = [
        [each.isoformat(timespec="milliseconds") if isinstance(each, datetime) else each for each in event.values()]
        for event in events
    ]
    connection.executemany(f"INSERT INTO llm_gateway VALUES ({', '.join('?' * len(COLUMNS))})", rows)
    return connection


def open_duckdb(events: Sequence[Event]) -> duckdb.DuckDBPyConnection:
    """The events in a typed table."""
    connection = duckdb.connect()
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE llm_gateway ({columns})")
    values = [
        each.replace(tzinfo=None) if isinstance(each, datetime) else each for event in events for each in event.values()
    ]
    row = f"({', '.join('?' * len(COLUMNS))})"
    connection.execute(f"INSERT INTO llm_gateway VALUES {', '.join([row] * len(events))}", values)
    return connection
