"""What a backtest finds in small logs of every form, and what it says of logs that cannot be used."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from signatures.backtest.collecting import collect_signatures
from signatures.backtest.engine import Engine
from signatures.backtest.errors import BacktestError
from signatures.backtest.results import MAX_ENTITIES
from signatures.backtest.running import Settings, backtest
from tests.unit.signatures.backtest.material import (
    NOW,
    ROWS,
    RULE,
    row,
    rule,
    run,
    write_json,
    write_like,
    write_rule,
)


def test_hits_entities_windows_and_judgement_by_labels(tmp_path: Path) -> None:
    (outcome,) = run(
        [write_rule(tmp_path / "one.yml")], [write_json(tmp_path / "a.jsonl", ROWS)], "llmx.label.campaign"
    ).outcomes

    assert (outcome.hits, outcome.events, outcome.entity_count, outcome.account_count) == (3, 10, 2, 2)
    assert [(dict(each.fields), each.hits, each.events) for each in outcome.entities] == [
        ({"user.id": "u1"}, 2, 7),
        ({"user.id": "u3"}, 1, 3),
    ]
    assert [(each.fields["user.id"], each.start.second, each.events, each.accounts) for each in outcome.windows] == [
        ("u1", 0, 4, ["u1"]),
        ("u1", 40, 3, ["u1"]),
        ("u3", 20, 3, ["u3"]),
    ]
    assert outcome.days == {date(2026, 1, 1): 3}
    judged = outcome.judgement
    assert judged is not None
    # One hit of three is mostly labelled, and it is of one of the two campaigns.
    assert (judged.precision, judged.recall) == (1 / 3, 0.5)
    assert (judged.event_precision, judged.event_recall) == (5 / 10, 5 / 8)
    assert [(each.name, each.events, each.events_found, each.accounts_found) for each in judged.campaigns] == [
        ("blue", 3, 0, 0),
        ("red", 5, 4, 1),
    ]


def test_a_rule_on_single_events_has_a_hit_for_each(tmp_path: Path) -> None:
    logs = write_json(tmp_path / "a.jsonl", ROWS)
    (outcome,) = run([write_rule(tmp_path / "one.yml", template=RULE)], [logs], "llmx.label.campaign").outcomes
    assert (outcome.hits, outcome.events, outcome.entity_count) == (13, 13, 3)
    assert outcome.judgement is not None
    assert (outcome.judgement.precision, outcome.judgement.recall) == (8 / 13, 1.0)


def test_every_form_and_a_mixture_give_the_same(tmp_path: Path) -> None:
    signature = write_rule(tmp_path / "one.yml")
    parts = [ROWS[:4], ROWS[4:9], ROWS[9:]]
    mixed: list[Path | str] = [
        write_like(tmp_path / "a[1]*.parquet", parts[0], tmp_path),
        write_like(tmp_path / "it's.csv", parts[1], tmp_path),
        write_json(tmp_path / "c.jsonl", parts[2]),
    ]
    assert run([signature], mixed).outcomes[0].hits == 3
    for name in ("all.parquet", "all.csv"):
        assert run([signature], [write_like(tmp_path / name, ROWS, tmp_path)]).outcomes[0].hits == 3
    for number, part in enumerate(parts):
        write_json(tmp_path / f"part-{number}.jsonl", part)
    assert run([signature], [str(tmp_path / "part-*.jsonl")]).rows == len(ROWS)


def test_a_missing_column_is_said_and_matches_nothing(tmp_path: Path) -> None:
    logs = write_like(tmp_path / "a.parquet", ROWS, tmp_path)
    text = rule(1, RULE).replace("gen_ai.operation.name: chat", "llmx.prompt.lang: en")
    (tmp_path / "one.yml").write_text(text)
    (outcome,) = run([tmp_path / "one.yml"], [logs]).outcomes
    assert outcome.hits == 0
    assert outcome.signature.remarks == ["no file has 'llmx.prompt.lang': such a field matches nothing"]
    (tmp_path / "one.yml").write_text(text.replace("sel\n", "not sel\n"))
    assert run([tmp_path / "one.yml"], [logs]).outcomes[0].hits == len(ROWS)


def test_without_the_column_to_group_by_nothing_can_be_tested(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(rule(1).replace("- user.id", "- llmx.cluster.id"))
    (outcome,) = run([tmp_path / "one.yml"], [write_like(tmp_path / "a.parquet", ROWS, tmp_path)]).outcomes
    assert outcome.signature.reason.startswith("no file has the column 'llmx.cluster.id'")


def test_keywords_are_looked_for_in_every_column_of_text(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(rule(1, RULE).replace("    gen_ai.operation.name: chat", "    - U3"))
    assert run([tmp_path / "one.yml"], [write_json(tmp_path / "a.jsonl", ROWS)]).outcomes[0].hits == 3


def test_rows_without_a_time_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [*ROWS, {**row(1, "u2"), "timestamp": None}]
    results = run([write_rule(tmp_path / "one.yml", template=RULE)], [write_json(tmp_path / "a.jsonl", rows)])
    assert (results.rows, results.outcomes[0].hits) == (len(rows), len(ROWS))
    assert "1 rows have no timestamp and were left out" in results.remarks


def test_the_column_of_a_label_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(BacktestError, match="no file has the label column 'campaign'"):
        run([write_rule(tmp_path / "one.yml")], [write_json(tmp_path / "a.jsonl", ROWS)], "campaign")


def _write_typed(path: Path, columns: str) -> Path:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"COPY (SELECT TIMESTAMP '2026-01-01' AS timestamp, {columns}) TO '{path}' (FORMAT parquet)")
    return path


def test_a_column_of_another_kind_is_named_with_file_and_types(tmp_path: Path) -> None:
    signature = write_rule(tmp_path / "one.yml")
    logs = _write_typed(tmp_path / "a.parquet", '5 AS "user.id", \'chat\' AS "gen_ai.operation.name"')
    with pytest.raises(
        BacktestError, match=r"a\.parquet: column 'user\.id' holds values of type 'INTEGER'; text is wanted"
    ):
        run([signature], [logs])
    # A field that the vocabulary does not know has the kind of the first file.
    (tmp_path / "two.yml").write_text(rule(2, RULE).replace("gen_ai.operation.name", "x.own"))
    logs_one, logs_two = (
        _write_typed(tmp_path / f"{name}.parquet", f'{value} AS "x.own"')
        for name, value in (("b", "'x'"), ("c", "true"))
    )
    with pytest.raises(BacktestError, match=r"c\.parquet: .*'x\.own'.*kind boolean; text is wanted.*b\.parquet"):
        run([tmp_path / "two.yml"], [logs_one, logs_two])


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("a.parquet", b"PAR1 and no more", "a.parquet"),
        ("a.parquet", b"", "is empty"),
        ("a.jsonl", b'{"timestamp": "2026-01-01T00:00:00Z"}\n{"timestamp": \n', "a.jsonl"),
        ("a.jsonl", b'{"timestamp": "yesterday", "user.id": "x"}\n', "a.jsonl"),
        ("a.csv", b"timestamp,user.id,llmx.event.category,gen_ai.operation.name\nnever,x,y,z\n", "a.csv"),
        ("a.csv", b"timestamp,user.id\n", "no row"),
        ("a.jsonl", b'{"user.id": "x"}\n', "no row has a"),
        ("a.txt", b"x", "the ending has to be one of"),
        ("missing.csv", None, "no such file"),
        ("folder", None, "is a folder"),
    ],
)
def test_a_log_that_cannot_be_used_is_one_line_with_its_name(
    tmp_path: Path, name: str, body: bytes | None, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    if body is not None:
        (tmp_path / name).write_bytes(body)
    with pytest.raises(BacktestError) as error:
        run([write_rule(tmp_path / "one.yml")], [tmp_path / name])
    assert said in str(error.value)
    assert name in str(error.value) or "no row" in said
    assert "\n" not in str(error.value)
    assert "commonwatch-backtest" not in str(error.value)


def test_a_parquet_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    logs = write_like(tmp_path / "a.parquet", ROWS, tmp_path)
    whole = logs.read_bytes()
    logs.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BacktestError, match=r"a\.parquet"):
        run([write_rule(tmp_path / "one.yml")], [logs])


def test_many_signatures_share_passes_over_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signatures.backtest.staging.MAX_FLAGS", 2)
    for number in range(3):
        text = (
            rule(number)
            .replace("gte: 3", f"gte: {number + 2}")
            .replace("chat\n", f"chat\n    user.id|neq: x{number}\n", 1)
        )
        (tmp_path / f"{number}.yml").write_text(text)
    results = run(sorted(tmp_path.glob("*.yml")), [write_json(tmp_path / "a.jsonl", ROWS)])
    assert [outcome.hits for outcome in results.outcomes] == [3, 3, 1]


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    logs = write_json(tmp_path / "a.jsonl", ROWS)
    (tmp_path / "work").mkdir()
    with Engine([logs], memory="200MB", temporary=tmp_path / "work", threads=1, progress=lambda _text: None) as opened:
        yield opened


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_json('{folder}/other.jsonl')",
        "COPY (SELECT 1) TO '{folder}/written.csv'",
        "ATTACH '{folder}/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_json('https://127.0.0.1:9/x')",
        "SET enable_external_access = true",
        "SET memory_limit = '9GB'",
        "SET allowed_paths = ['/etc/passwd']",
    ],
)
def test_the_engine_reads_the_logs_and_nothing_else(engine: Engine, tmp_path: Path, statement: str) -> None:
    write_json(tmp_path / "other.jsonl", ROWS)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BacktestError):
        engine.run(statement.format(folder=tmp_path), "")
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    run([write_rule(tmp_path / "one.yml")], [write_json(tmp_path / "a.jsonl", ROWS)])
    assert list((tmp_path / "work").iterdir()) == []
    shutil.rmtree(tmp_path / "work")
    with pytest.raises(BacktestError, match="cannot use"):
        run([tmp_path / "one.yml"], [tmp_path / "a.jsonl"])


def test_what_is_larger_than_memory_is_put_aside(tmp_path: Path) -> None:
    logs, users, rows = tmp_path / "many.parquet", 5_000, 200_000
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "COPY (SELECT make_timestamp(1767225600000000 + range * 1000000) AS timestamp, "
            '\'chat\' AS "gen_ai.operation.name", md5(CAST(range % {users} AS VARCHAR)) AS "user.id" '
            f"FROM range({rows})) TO '{logs}' (FORMAT parquet)".replace("{users}", str(users))
        )
    (tmp_path / "one.yml").write_text(rule(1).replace("timespan: 1m", "timespan: 7d").replace("gte: 3", "gte: 8"))
    with_little = Settings(memory="40MB", threads=1)
    signatures = collect_signatures([tmp_path / "one.yml"], now=NOW)
    (found,) = backtest(signatures, [str(logs)], label="", settings=with_little, progress=lambda _text: None).outcomes
    assert (found.hits, found.events, found.entity_count) == (users, rows, users)
    assert len(found.entities) == MAX_ENTITIES
