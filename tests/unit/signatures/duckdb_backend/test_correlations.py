"""Correlations as SQL, and as a backtest finds them, against the evaluator in Python: random ones over random rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule

from signatures.backtest.running import Settings, backtest
from signatures.backtest.signatures import Signature
from signatures.duckdb_backend import DuckDbBackend, RefusedError
from signatures.duckdb_backend.plans import plan_of
from tests.support import sigma_evaluator
from tests.support.sigma_evaluator import Hit

USER, ORG, CLUSTER, TOKENS, KIND = (
    "user.id",
    "llmx.org.id",
    "llmx.cluster.id",
    "gen_ai.usage.output_tokens",
    "gen_ai.operation.name",
)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ROW_COUNT = 220
COLUMNS = {USER: "VARCHAR", ORG: "VARCHAR", CLUSTER: "VARCHAR", TOKENS: "BIGINT", KIND: "VARCHAR"}
BASE: list[dict[str, Any]] = [
    {
        "title": kind,
        "name": kind,
        "logsource": {"product": "llm_gateway"},
        "detection": {"s": {KIND: values}, "condition": "s"},
    }
    for kind, values in {"one": "a", "two": ["a", "b"], "three": "c"}.items()
]


def _rows() -> list[dict[str, Any]]:
    chance = random.Random(11)
    rows: list[dict[str, Any]] = []
    t = 0
    for _ in range(ROW_COUNT):
        # Bursts, pauses, and several events in one second.
        t += chance.choice([0, 0, 1, 1, 2, 5, 9, 40])
        rows.append(
            {
                "t": t,
                USER: chance.choice(["u1", "u2", "u3", "U1", None]),
                ORG: chance.choice(["o1", "o2", None]),
                CLUSTER: chance.choice(["o1", "o2"]),
                TOKENS: chance.choice([-5, 0, 1, 2, 8, 20, None]),
                KIND: chance.choice(["a", "b", "c", "d"]),
            }
        )
    return rows


ROWS = _rows()


def _random_correlation(chance: random.Random) -> list[dict[str, Any]]:
    """The documents of a correlation, with one below it now and then."""
    inner = _flat(chance, "inner", [USER, ORG])
    if chance.random() < 0.7:
        return [_flat(chance, "outer", chance.choice([[USER], [ORG], [USER, ORG]]))]
    kind = chance.choice(["event_count", "value_count", "temporal", "temporal_ordered"])
    condition: dict[str, Any] = {chance.choice(["gte", "gt"]): chance.choice([1, 2])}
    outer: dict[str, Any] = {
        "type": kind,
        "rules": ["inner"],
        "group-by": [chance.choice([USER, ORG])],
        "timespan": "30s",
    }
    if kind.startswith("temporal"):
        outer["rules"] = chance.choice([["inner", "three"], ["three", "inner"], ["one", "inner", "three"]])
    elif kind == "value_count":
        outer["condition"] = {**condition, "field": USER}
        outer["group-by"] = [ORG]
    else:
        outer["condition"] = condition
    return [inner, {"title": "outer", "name": "outer", "correlation": outer}]


def _flat(chance: random.Random, name: str, group: list[str]) -> dict[str, Any]:
    kind = chance.choice(["event_count", "value_count", "value_sum", "value_avg", "temporal", "temporal_ordered"])
    rules = chance.choice([["one"], ["two"], ["one", "two"], ["two", "three"], ["one", "two", "three"]])
    correlation: dict[str, Any] = {
        "type": kind,
        "rules": rules,
        "group-by": group,
        "timespan": chance.choice(["1s", "3s", "10s", "1m", "5m"]),
    }
    operators = ["gte", "gt", "eq", "lt", "lte", "neq"] if kind in {"value_sum", "value_avg"} else ["gte", "gt"]
    operator = chance.choice(operators)
    if kind == "temporal" and chance.random() < 0.3:
        correlation["condition"] = chance.choice([" and ", " or "]).join(rules)
    elif kind == "temporal" and chance.random() < 0.3:
        correlation["condition"] = {operator: chance.choice([1, 2])}
    elif not kind.startswith("temporal"):
        correlation["condition"] = {operator: chance.choice([1, 2, 3, 5, 10, 30])}
    if kind.startswith("value_"):
        correlation["condition"]["field"] = USER if kind == "value_count" else TOKENS
    if chance.random() < 0.2 and ORG in group:
        correlation["group-by"] = ["alias" if field == ORG else field for field in group] if name == "outer" else group
        correlation["aliases"] = {"alias": {rule: chance.choice([ORG, CLUSTER]) for rule in rules}}
    return {"title": name, "name": name, "correlation": correlation}


CASES = [_random_correlation(random.Random(seed)) for seed in range(24)]
# A backtest takes more steps for each.
BACKTESTED = CASES[:10]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    path = tmp_path_factory.mktemp("logs") / "rows.parquet"
    with duckdb.connect(":memory:") as connection:
        listed = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        connection.execute(f'CREATE TABLE logs ("timestamp" TIMESTAMP, {listed})')
        values = [
            [(BEGIN + timedelta(seconds=row["t"])).replace(tzinfo=None), *(row[name] for name in COLUMNS)]
            for row in ROWS
        ]
        connection.executemany(f"INSERT INTO logs VALUES ({', '.join('?' * 6)})", values)
        connection.execute(f"COPY logs TO '{path}' (FORMAT parquet)")
        yield connection, path


def _collection(documents: list[dict[str, Any]]) -> SigmaCollection:
    return SigmaCollection.from_dicts([*BASE, *documents])


def _outer(collection: SigmaCollection) -> SigmaCorrelationRule:
    rule = collection["outer"]
    assert isinstance(rule, SigmaCorrelationRule)
    return rule


def _seconds(moment: datetime) -> int:
    return round((moment.replace(tzinfo=UTC) - BEGIN).total_seconds())


def test_a_query_finds_the_hits_that_the_evaluator_finds(logs: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    hits = 0
    for documents in CASES:
        collection = _collection(documents)
        query = DuckDbBackend().convert(collection)[-1]
        rows = logs[0].execute(query).fetchall()
        found = [Hit(row[:-3], _seconds(row[-3]), _seconds(row[-2]), row[-1]) for row in rows]
        wanted = sigma_evaluator.hits(_outer(collection), ROWS)
        assert sorted(found, key=lambda hit: (hit.group, hit.start)) == wanted, documents
        hits += len(wanted)
    assert hits > len(CASES)


def test_a_backtest_counts_the_same_hits_and_events(logs: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    """It rules spans of time out first, which changes nothing."""
    wanted, signatures = [], []
    for number, documents in enumerate(BACKTESTED):
        rule = _outer(_collection(documents))
        wanted.append(sigma_evaluator.hits(rule, ROWS))
        fields = frozenset(COLUMNS)
        signatures.append(Signature(str(number), "outer", "here", test=plan_of(rule), fields=fields))
    results = backtest(signatures, [str(logs[1])], label="", settings=Settings(threads=1), progress=lambda _text: None)
    for outcome, hits, documents in zip(results.outcomes, wanted, BACKTESTED, strict=True):
        assert outcome.signature.reason == ""
        assert (outcome.hits, outcome.events) == (len(hits), sum(hit.events for hit in hits)), documents
        assert outcome.entity_count == len({hit.group for hit in hits})


@pytest.mark.parametrize(
    ("correlation", "named"),
    [
        ({"type": "value_percentile", "condition": {"field": TOKENS, "gte": 3, "percentile": 95}}, "value_percentile"),
        ({"type": "value_median", "condition": {"field": TOKENS, "gte": 3}}, "value_median"),
        ({"type": "event_count", "group-by": [], "condition": {"gte": 3}}, "without group-by"),
        ({"type": "temporal_ordered", "condition": "one and two"}, "temporal_ordered with an expression"),
        ({"type": "temporal", "condition": "one and not two"}, "not in a temporal condition"),
        ({"type": "event_count", "condition": {"lt": 3}}, "a count with lt"),
        ({"type": "temporal_ordered", "condition": {"gte": 1}}, "temporal_ordered with a count"),
        (
            {"type": "value_sum", "condition": {"field": "gen_ai.request.stream", "gte": 1}},
            "value_sum of a field that is no number",
        ),
        ({"type": "value_count", "condition": {"field": [USER, ORG], "gte": 1}}, "a list as the field"),
        ({"type": "event_count", "rules": ["inner"], "condition": {"gte": 1}, "group-by": [ORG]}, "own group-by alone"),
        (
            {"type": "event_count", "condition": {"gte": 1}, "group-by": ["x"], "aliases": {"x": {"one": USER}}},
            "names no field of the rule",
        ),
    ],
)
def test_what_cannot_be_correlated_exactly_is_refused_by_its_name(correlation: dict[str, Any], named: str) -> None:
    whole = {"rules": ["one", "two"], "group-by": [USER], "timespan": "1m", **correlation}
    inner = {"type": "event_count", "rules": ["one"], "group-by": [USER], "timespan": "1m", "condition": {"gte": 2}}
    documents = [
        {"title": "inner", "name": "inner", "correlation": inner},
        {"title": "outer", "name": "outer", "correlation": whole},
    ]
    with pytest.raises(RefusedError) as refused:
        DuckDbBackend().convert(_collection(documents))
    assert named in str(refused.value)
    assert "Rule 'outer'" in str(refused.value)


def test_rules_that_are_generated_are_queries_too() -> None:
    correlation = {
        "type": "event_count",
        "rules": ["one"],
        "group-by": [USER],
        "timespan": "1m",
        "condition": {"gte": 2},
    }
    for generate, queries in ((False, 3), (True, 4)):
        documents = [{"title": "outer", "name": "outer", "correlation": {**correlation, "generate": generate}}]
        assert len(DuckDbBackend().convert(_collection(documents))) == queries
