"""Queries for engines that run here, executed over the same events as the reference, and compared row by row."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
import sqlglot
from sigma.rule import SigmaRule

from signatures.conversion import Signature, convert_signature, find_target
from tests.support.conversion_cases import correlation_text, read_cases, rule_text
from tests.support.conversion_logs import Event, make_events, open_duckdb, open_sqlite
from tests.support.sigma_reference import Window, matching_events, windows

DETECTIONS = read_cases("detections.yml")
WIDER_DETECTIONS = DETECTIONS | read_cases("detections_beyond_sqlite.yml")
CORRELATIONS = read_cases("correlations.yml")


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return make_events()


@pytest.fixture(scope="module")
def sqlite(events: list[Event]) -> Iterator[sqlite3.Connection]:
    connection = open_sqlite(events)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def spark(events: list[Event]) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in Spark's place: it runs what sqlglot makes of Spark SQL."""
    connection = open_duckdb(events)
    yield connection
    connection.close()


def query_for(target: str, text: str) -> str:
    found = find_target(target)
    conversions = convert_signature(Signature(text), found, found.options(None, None))
    return next(each.query for each in conversions if each.header.title == "T")


def expected_rows(text: str, events: list[Event]) -> list[int]:
    return [event["row"] for event in matching_events(SigmaRule.from_yaml(text), events)]


def run_spark(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(sqlglot.transpile(query, read="spark", write="duckdb")[0]).fetchall()


def spark_windows(rows: list[tuple[Any, ...]]) -> set[Window]:
    return {(row[:-3], row[-2].replace(tzinfo=UTC), row[-1]) for row in rows}


@pytest.mark.parametrize("detection", WIDER_DETECTIONS.values(), ids=WIDER_DETECTIONS)
def test_duckdb_finds_the_events_of_the_reference(
    spark: duckdb.DuckDBPyConnection, events: list[Event], detection: dict[str, Any]
) -> None:
    text = rule_text(detection)
    expected = expected_rows(text, events)

    assert sorted(row[0] for row in spark.execute(query_for("duckdb", text)).fetchall()) == expected
    assert 0 < len(expected) < len(events)


@pytest.mark.parametrize("correlation", CORRELATIONS.values(), ids=CORRELATIONS)
def test_duckdb_finds_the_windows_of_the_reference(
    spark: duckdb.DuckDBPyConnection, events: list[Event], correlation: dict[str, Any]
) -> None:
    text = correlation_text(correlation)
    rows = spark.execute(query_for("duckdb", text)).fetchall()
    expected = windows(text, "T", events)

    assert spark_windows(rows) == expected
    assert len(rows) == len(expected) > 0


def sqlite_windows(rows: list[tuple[Any, ...]]) -> set[Window]:
    return {(row[:-3], datetime.fromisoformat(row[-2]), row[-1]) for row in rows}


@pytest.mark.parametrize("detection", DETECTIONS.values(), ids=DETECTIONS)
def test_sqlite_finds_the_events_of_the_reference(
    sqlite: sqlite3.Connection, events: list[Event], detection: dict[str, Any]
) -> None:
    text = rule_text(detection)
    expected = expected_rows(text, events)

    assert [row[0] for row in sqlite.execute(query_for("sqlite", text))] == expected
    assert 0 < len(expected) < len(events)


@pytest.mark.parametrize("detection", WIDER_DETECTIONS.values(), ids=WIDER_DETECTIONS)
def test_spark_finds_the_events_of_the_reference(
    spark: duckdb.DuckDBPyConnection, events: list[Event], detection: dict[str, Any]
) -> None:
    text = rule_text(detection)
    expected = expected_rows(text, events)

    assert sorted(row[0] for row in run_spark(spark, query_for("spark", text))) == expected
    assert 0 < len(expected) < len(events)


@pytest.mark.parametrize("correlation", CORRELATIONS.values(), ids=CORRELATIONS)
def test_sqlite_finds_the_windows_of_the_reference(
    sqlite: sqlite3.Connection, events: list[Event], correlation: dict[str, Any]
) -> None:
    text = correlation_text(correlation)
    rows = sqlite.execute(query_for("sqlite", text)).fetchall()
    expected = windows(text, "T", events)

    assert sqlite_windows(rows) == expected
    assert len(rows) == len(expected) > 0


@pytest.mark.parametrize("correlation", CORRELATIONS.values(), ids=CORRELATIONS)
def test_spark_finds_the_windows_of_the_reference(
    spark: duckdb.DuckDBPyConnection, events: list[Event], correlation: dict[str, Any]
) -> None:
    text = correlation_text(correlation)
    rows = run_spark(spark, query_for("spark", text))
    expected = windows(text, "T", events)

    assert spark_windows(rows) == expected
    assert len(rows) == len(expected) > 0
