"""`commonwatch sample-logs` as a user meets it."""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from exchange.labtool.main import main


def test_a_log_is_made_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "log.parquet"
    call = ["sample-logs", "--rows", "6000", "--seed", "7", "--out", str(out), "--campaigns", "d8-plain,d1", "--json"]
    assert main([*call, "--days", "4", "--start", "2026-01-05"]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert set(answer["campaigns"]) == {"d1-plain", "d8-plain"}
    assert answer["left_out"] == ["d1-slow", "d1-jittered", "d1-mutated"]
    assert (answer["rows"], answer["days"], answer["start"]) == (6_000, 4.0, "2026-01-05T00:00:00.000000Z")
    assert captured.err == "commonwatch: 3 campaigns left out, which need more rows: d1-slow, d1-jittered, d1-mutated\n"
    assert pq.read_metadata(out).num_rows == 6_000


def test_people_get_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "log.jsonl"
    assert main(["sample-logs", "--rows", "1000", "--seed", "7", "--out", str(out), "--campaigns", "none"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{out}: 1,000 events of ")
    assert "  benign    ci_fleet" in said
    assert "campaign " not in said


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"--rows": "10"}, 2, "--rows is from 1,000 to 1,000,000,000, not 10"),
        ({"--rows": "many"}, 2, "argument --rows: invalid int value"),
        ({"--seed": "-3"}, 2, "--seed is from 0"),
        ({"--out": "log.txt"}, 2, "log.txt ends in none of .parquet, .jsonl"),
        ({"--campaigns": "d9"}, 2, "--campaigns: 'd9' is none of d1-plain"),
        ({"--start": "yesterday"}, 2, "--start is a date or a time in UTC"),
        ({"--start": "2026-01-05T00:30:00Z"}, 2, "--start is a full hour"),
        ({"--out": "/nowhere/log.csv"}, 1, "cannot write /nowhere/log.csv: No such file or directory"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    options: dict[str, str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"--rows": "1000", "--seed": "1", "--out": "log.csv"} | options
    call = ["sample-logs", *(f"{name}={value}" for name, value in asked.items())]
    try:
        ended = main(call)
    except SystemExit as end:
        ended = int(str(end.code))
    assert ended == code
    last = capsys.readouterr().err.splitlines()[-1]
    assert said in last


def test_other_commands_do_not_wait_for_the_generators_libraries() -> None:
    import subprocess

    code = "import sys, exchange.labtool.main; print([n for n in ('numpy', 'pyarrow', 'duckdb') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
