"""The command `backtest`: exit codes, answers, and that nothing half written stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.labtool.main import main
from tests.unit.signatures.backtest.material import ROWS, indicator, write_json, write_rule


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
