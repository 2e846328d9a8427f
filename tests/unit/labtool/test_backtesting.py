"""The command `backtest`: exit codes, answers, and that nothing half written stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from exchange.labtool.main import main
from tests.unit.labtool.test_converting import BAD
from tests.unit.signatures.backtest.material import ROWS, indicator, write_json, write_rule

SUM = """title: Requests
name: requests
logsource: {category: llm_api, product: llm_gateway}
detection: {sel: {gen_ai.operation.name: chat}, condition: sel}
---
title: Sum
correlation:
  type: value_sum
  rules: [requests]
  group-by: [user.id]
  timespan: 1d
  condition: {field: llmx.request.count, gte: 1}
"""


def lines(*rows: Mapping[str, object]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_parquet(path: Path, columns: str) -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"COPY (SELECT TIMESTAMP '2026-01-01' AS timestamp, {columns}) TO '{path}' (FORMAT parquet)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_rule(tmp_path / "one.yml")
    write_json(tmp_path / "a.jsonl", ROWS)
    return tmp_path


def backtest(folder: Path, *others: str, signatures: str = "one.yml", logs: str = "a.jsonl") -> int:
    return main(["backtest", "--signatures", str(folder / signatures), "--logs", str(folder / logs), *others])


def test_it_answers_for_people_for_programs_and_as_a_page(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backtest(folder) == 0
    assert "Burst 1" in capsys.readouterr().out
    assert backtest(folder, "--json", "--label", "llmx.label.campaign", "--html", str(folder / "r.html")) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["rows"], answer["signatures"][0]["hits"]) == (len(ROWS), 3)
    assert (folder / "r.html").read_text().endswith("</html>\n")


def test_a_signature_that_is_no_rule_is_told_and_ends_with_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.yml").write_text("title: [")
    assert backtest(folder, signatures=".") == 1
    said = capsys.readouterr()
    assert "bad.yml: line 2, column 1" in said.err
    assert said.err.count("\n") == 1
    assert "Burst 1" in said.out


def test_a_log_that_cannot_be_read_ends_with_one_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.jsonl").write_text("{")
    (folder / "r.html").write_text("before")
    assert backtest(folder, "--html", str(folder / "r.html"), logs="bad.jsonl") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "bad.jsonl" in said.err
    assert (folder / "r.html").read_text() == "before"


def test_signatures_of_which_none_can_be_tested_end_with_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "stix.json").write_text(json.dumps(indicator(1, pattern_type="stix", pattern="[a:b = 'c']")))
    assert backtest(folder, signatures="stix.json") == 1
    assert "none of the signatures can be tested" in capsys.readouterr().err


def test_senseless_options_end_with_two(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for others in (["--memory", "much"], ["--threads", "0"]):
        assert backtest(folder, *others) == 2
        assert "--memory takes a size" in capsys.readouterr().err
    assert backtest(folder, "--html", str(folder / "nowhere" / "r.html")) == 1


def test_a_revoked_signature_is_told_in_one_line_and_run_when_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "stix.json").write_text(
        json.dumps([indicator(1, revoked=True), indicator(2, valid_until="2026-01-02T00:00:00Z")])
    )
    assert backtest(folder, "--json", signatures="stix.json") == 0
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert f"{indicator(1)['id']}: revoked: ask for it with --revoked" in said.err
    assert [(each["state"], each["tested"]) for each in json.loads(said.out)["signatures"]] == [
        ("revoked", False),
        ("expired", True),
    ]

    assert backtest(folder, "--json", "--revoked", signatures="stix.json") == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert [(each["state"], each["hits"]) for each in json.loads(said.out)["signatures"]] == [
        ("revoked", 3),
        ("expired", 3),
    ]


ROW = {"timestamp": "2026-01-01T00:00:00Z", "user.id": "u1", "gen_ai.operation.name": "chat"}
HEADER = "timestamp,user.id,gen_ai.operation.name,llmx.request.count\n"
FINE = "2026-01-01T00:00:00Z,u1,chat,1\n"
BAD_LOGS = {
    "a number that is none, in JSON": ("a.jsonl", lines(ROW, ROW | {"llmx.request.count": "many"}), "line 2"),
    "a number that is none, in CSV": ("a.csv", HEADER + FINE + "2026-01-01T00:00:00Z,u1,chat,many\n", "line"),
    "a time that is none, in JSON": ("a.jsonl", lines(ROW, ROW | {"timestamp": "soon"}), 'field format: "soon"'),
    "a time that is none, in CSV": ("a.csv", HEADER + FINE + "soon,u1,chat,1\n", "line"),
    "a row that is no object": ("a.jsonl", lines(ROW) + "[1]\n", "a.jsonl"),
    "a row that breaks off": ("a.jsonl", lines(ROW) + '{"timestamp": "2026', "a.jsonl"),
    "no time": ("a.jsonl", lines({"user.id": "u1"}), "timestamp"),
    "no rows": ("a.csv", HEADER, "no row"),
    "too few cells": ("a.csv", HEADER + FINE + "2026-01-01T00:00:00Z,u1\n", "a.csv"),
    "nothing": ("a.jsonl", "", "is empty"),
    "no column to group by": ("a.csv", "timestamp\n2026-01-01T00:00:00Z\n", "none of the signatures"),
    "no Parquet": ("a.parquet", "PAR1 and no more", "a.parquet"),
    "not packed": ("a.jsonl.gz", lines(ROW), "a.jsonl.gz"),
    "an ending": ("a.log", lines(ROW), "the ending has to be one of"),
}


@pytest.mark.parametrize(("name", "text", "said"), BAD_LOGS.values(), ids=BAD_LOGS)
def test_a_bad_log_is_one_line_with_its_place_and_ends_with_one(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, said: str
) -> None:
    (folder / "sum.yml").write_text(SUM)
    (folder / name).write_text(text)

    assert backtest(folder, "--html", str(folder / "r.html"), signatures="sum.yml", logs=name) == 1

    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert said in told.err
    assert len(told.err) < 400
    assert not (folder / "r.html").exists() or "none of the signatures" in told.err


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ('5 AS "user.id"', "column 'user.id' holds values of type 'INTEGER'; text is wanted"),
        ("'x' AS \"user.id\", 'many' AS \"llmx.request.count\"", "column 'llmx.request.count' holds values of type"),
        ("['x'] AS \"user.id\"", "column 'user.id' holds values of type"),
    ],
)
def test_a_parquet_column_of_another_kind_is_named_with_its_file(
    folder: Path, capsys: pytest.CaptureFixture[str], sql: str, said: str
) -> None:
    (folder / "sum.yml").write_text(SUM)
    write_parquet(folder / "a.parquet", sql)

    assert backtest(folder, signatures="sum.yml", logs="a.parquet") == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert f"a.parquet: {said}" in told.err


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_parquet_file_that_breaks_off_is_named_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], kept: float
) -> None:
    write_parquet(folder / "a.parquet", "'u1' AS \"user.id\", 'chat' AS \"gen_ai.operation.name\"")
    whole = (folder / "a.parquet").read_bytes()
    (folder / "a.parquet").write_bytes(whole[: int(len(whole) * kept)])

    assert backtest(folder, logs="a.parquet") == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert str(folder / "a.parquet") in told.err


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_rule_is_one_line_with_its_place_and_the_others_are_run(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (folder / "bad.yml").write_text(text)

    assert backtest(folder, "--json", signatures=".") == 1

    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert str(folder / "bad.yml") in told.err
    assert said in told.err
    assert [each["hits"] for each in json.loads(told.out)["signatures"] if each["tested"]] == [3]
