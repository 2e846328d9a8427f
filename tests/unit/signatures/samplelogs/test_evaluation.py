"""Hits made by hand, judged by the labels of a log."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from signatures.samplelogs import WrongLogError
from signatures.samplelogs.evaluation import Hit, evaluate, hits_of

START = datetime(2026, 9, 7, tzinfo=UTC)
# minute, account, template, organisation, campaign, look-alike
EVENTS = [
    (0, "a1", "t1", "o1", "d1-plain", ""),
    (1, "a2", "t1", "o1", "d1-plain", ""),
    (2, "b1", "t1", "o2", "", "public_harness"),
    (3, "a3", "t1", None, "d1-plain", ""),
    (10, "b1", "t2", "o2", "", "public_harness"),
    (11, "b2", "t2", "o2", "", "public_harness"),
    (12, "b3", "t2", "o3", "", ""),
    (13, "c1", "t2", "o3", "d2-slow", ""),
    (14, "c1", "t2", "o3", "d2-slow", ""),
    (60, "a4", "t1", "o1", "d1-plain", ""),
    (61, "e1", "t3", "o4", "d3-mutated", ""),
]


def hit(signature: str, entity: Mapping[str, str], first: int, last: int) -> Hit:
    return Hit(signature, entity, START + timedelta(minutes=first), START + timedelta(minutes=last))


def template(name: str) -> dict[str, str]:
    return {"llmx.prompt.template_hash": name}


@pytest.fixture(scope="module", params=["parquet", "csv", "jsonl"])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hits") / f"log.{request.param}"
    minutes, accounts, templates, orgs, campaigns, lookalikes = zip(*EVENTS, strict=True)
    columns = {
        "timestamp": pa.array([START + timedelta(minutes=minute) for minute in minutes], pa.timestamp("ms", "UTC")),
        "user.id": pa.array(accounts),
        "llmx.prompt.template_hash": pa.array(templates),
        "llmx.org.id": pa.array(orgs),
        "llmx.client.asn": pa.array([64_500] * len(EVENTS)),
        "llmx.label.campaign": pa.array(campaigns),
        "llmx.label.lookalike": pa.array(lookalikes),
    }
    table = pa.table(columns)
    if request.param == "parquet":
        pq.write_table(table, out, row_group_size=4)
    elif request.param == "csv":
        pyarrow.csv.write_csv(table, out)
    else:
        lines = [
            "{" + ",".join(f'"{key}":{_json(value)}' for key, value in row.items() if value is not None) + "}\n"
            for row in table.to_pylist()
        ]
        out.write_text("".join(lines))
    return out


def _json(value: object) -> str:
    if isinstance(value, datetime):
        return f'"{value:%Y-%m-%dT%H:%M:%SZ}"'
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_hits_are_true_false_or_empty_and_accounts_found_by_the_true_ones(log: Path) -> None:
    result = evaluate(
        [
            hit("spread", template("t1"), 0, 5),
            hit("spread", template("t2"), 10, 20),
            hit("spread", template("t9"), 0, 90),
            hit("spread", template("t1"), 20, 30),
        ],
        log,
        ["spread", "silent"],
    )
    spread = result.signatures["spread"]
    assert result.rows == len(EVENTS)
    assert result.accounts == {"d1-plain": 4, "d2-slow": 1, "d3-mutated": 1}
    assert (spread.hits, spread.true_hits, spread.empty, spread.precision) == (4, 1, 2, 0.5)
    # a4 came later; c1 lies in a hit that is false, because three of its four accounts are benign.
    assert spread.recall == {"d1-plain": 0.75, "d2-slow": 0.0, "d3-mutated": 0.0}
    assert spread.false == {"public_harness": 1}
    assert result.missed == ("d2-slow", "d3-mutated")
    assert result.signatures["silent"].precision is None


def test_entities_of_several_fields_and_of_numbers(log: Path) -> None:
    both = {**template("t2"), "llmx.org.id": "o3"}
    number = {"llmx.client.asn": "64500", "user.id": "e1"}
    result = evaluate([hit("both", both, 10, 20), hit("number", number, 61, 61)], log)
    # b3 and c1: half of the accounts are a campaign's.
    assert result.signatures["both"].recall["d2-slow"] == 1.0
    assert result.signatures["number"].recall == {"d1-plain": 0.0, "d2-slow": 0.0, "d3-mutated": 1.0}
    assert result.missed == ("d1-plain",)


def test_a_false_hit_among_customers_who_look_like_nothing_is_counted_as_ordinary(log: Path) -> None:
    result = evaluate([hit("plain", {"user.id": "b3"}, 0, 90)], log)
    assert result.signatures["plain"].false == {"ordinary": 1}
    assert result.to_json()["missed"] == ["d1-plain", "d2-slow", "d3-mutated"]


def test_without_hits_everything_is_missed(log: Path) -> None:
    result = evaluate([], log)
    assert (result.signatures, result.rows) == ({}, len(EVENTS))
    assert set(result.missed) == set(result.accounts)


def test_a_log_without_a_column_or_that_is_none_is_refused(log: Path, tmp_path: Path) -> None:
    if log.suffix != ".jsonl":
        with pytest.raises(WrongLogError, match=r"no column llmx\.cluster\.id|llmx\.cluster\.id"):
            evaluate([hit("x", {"llmx.cluster.id": "c"}, 0, 1)], log)
    with pytest.raises(WrongLogError, match="no such file"):
        evaluate([], log.with_name(f"none{log.suffix}"))
    broken = tmp_path / log.name
    broken.write_bytes(log.read_bytes()[:-40] + b"\x00rubbish")
    with pytest.raises(WrongLogError, match="cannot read"):
        evaluate([], broken)
    with pytest.raises(WrongLogError, match="is no log"):
        evaluate([], tmp_path / "log.txt")


def test_the_answer_of_a_backtest_is_read_as_hits() -> None:
    window = {"fields": template("t1"), "start": "2026-09-07T00:00:00.000000Z", "end": "2026-09-07T00:05:00.000000Z"}
    nobody = window | {"fields": {}}
    report = {"signatures": [{"id": "spread", "windows": [window, nobody]}, {"id": "silent", "windows": []}]}
    assert hits_of(report) == [hit("spread", template("t1"), 0, 5)]
