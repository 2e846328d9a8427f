"""What sample logs promise: the same for the same seed, whole, labelled, and honest about how they were made."""

import hashlib
import json
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from signatures.samplelogs import (
    CAMPAIGNS,
    LOOKALIKES,
    CannotWriteError,
    SampleOptions,
    SampleReport,
    WrongOptionError,
    write_sample_log,
)
from signatures.samplelogs.planning import make_plan
from signatures.vocabulary import VOCABULARY, FieldType
from tests.unit.signatures.samplelogs.conftest import ROWS

ARROW = {
    FieldType.STRING: pa.string(),
    FieldType.INTEGER: pa.int64(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.TIMESTAMP: pa.timestamp("ms", tz="UTC"),
}
# Of JSON lines; the same with Python 3.11 to 3.13 and whatever numpy they get. It changes with the actors.
KNOWN_ANSWER = "e36fd6e65410787d69f8d45ba3bafbc264333f8ec21850e939d770f1c22701b0"


def test_a_log_has_the_rows_that_were_asked_for_in_order_of_time(report: SampleReport, log: pa.Table) -> None:
    assert report.rows == len(log) == ROWS
    at = log["timestamp"].cast(pa.int64()).to_numpy()
    assert (at[1:] >= at[:-1]).all()
    assert at[-1] - at[0] < report.days * 86_400_000


def test_columns_have_the_names_and_types_of_the_vocabulary(log: pa.Table) -> None:
    assert [(field.name, field.type) for field in log.schema] == [
        (name, ARROW[field.type]) for name, field in VOCABULARY.fields.items() if name in log.column_names
    ]
    assert all(log[name].null_count < len(log) for name in log.column_names)


def test_every_campaign_and_every_look_alike_is_there_and_benign_events_are_a_hundred_to_one(
    report: SampleReport, log: pa.Table
) -> None:
    assert set(report.campaigns) == set(CAMPAIGNS)
    assert set(report.lookalikes) == set(LOOKALIKES)
    assert report.left_out == ()
    assert 90 <= report.benign / (report.rows - report.benign) <= 110
    labels = Counter(log["llmx.label.campaign"].to_pylist())
    assert {name: count for name, count in labels.items() if name} == report.campaigns
    both = pc.and_(pc.not_equal(log["llmx.label.campaign"], ""), pc.not_equal(log["llmx.label.lookalike"], ""))
    assert not pc.any(both).as_py()


def test_another_seed_is_another_log_and_the_same_seed_the_same(tmp_path: Path, small: Path) -> None:
    def made(seed: int, name: str) -> bytes:
        out = tmp_path / name
        write_sample_log(SampleOptions(rows=3_000, seed=seed, out=out, campaigns=("d8-plain",)))
        return out.read_bytes()

    assert made(20, "again.jsonl") == small.read_bytes()
    assert made(21, "other.jsonl") != small.read_bytes()
    assert hashlib.sha256(small.read_bytes()).hexdigest() == KNOWN_ANSWER


def test_all_formats_hold_the_same_events(tmp_path: Path, small: Path) -> None:
    events = [json.loads(line) for line in small.read_text().splitlines()]
    write_sample_log(SampleOptions(rows=3_000, seed=20, out=tmp_path / "log.parquet", campaigns=("d8-plain",)))
    write_sample_log(SampleOptions(rows=3_000, seed=20, out=tmp_path / "log.csv", campaigns=("d8-plain",)))
    table = pq.read_table(tmp_path / "log.parquet")
    comma = pyarrow.csv.read_csv(tmp_path / "log.csv")
    assert table.column_names == comma.column_names
    assert len(events) == len(table) == len(comma) == 3_000
    for name in ("user.id", "llmx.prompt.template_hash", "http.response.status_code", "llmx.label.campaign"):
        values = [event.get(name) for event in events]
        assert table[name].to_pylist() == values
        assert [value or None for value in comma[name].to_pylist()] == [value or None for value in values]
    assert table["llmx.window.quota_ratio"].to_pylist() == [event.get("llmx.window.quota_ratio") for event in events]
    stamps = [event["timestamp"] for event in events]
    assert [when.isoformat(timespec="milliseconds") for when in table["timestamp"].to_pylist()] == [
        stamp.replace("Z", "+00:00") for stamp in stamps
    ]


def test_labels_stand_in_every_line_of_json(small: Path) -> None:
    assert all(
        {"llmx.label.campaign", "llmx.label.lookalike"} <= json.loads(line).keys()
        for line in small.read_text().splitlines()
    )


def test_aggregates_are_those_of_the_accounts_own_events(log: pa.Table) -> None:
    """Computed anew, slowly, from the events alone."""
    requests = log.filter(pc.equal(log["llmx.event.category"], "llm_api"))
    seen: dict[str, list[int]] = defaultdict(list)
    for row in requests.select(
        ["user.id", "timestamp", "llmx.window.requests", "llmx.window.active_hours", "llmx.window.idle_max_s"]
    ).to_pylist()[:6_000]:
        at = int(row["timestamp"].timestamp() * 1000 + 0.5)
        past = seen[row["user.id"]]
        past.append(at)
        hour = at // 3_600_000
        assert row["llmx.window.requests"] == sum(each // 3_600_000 == hour for each in past)
        assert row["llmx.window.active_hours"] == len({h for each in past if (h := each // 3_600_000) > hour - 24})
        pauses = [
            min(later - earlier, 86_400_000) for earlier, later in pairwise(past) if later // 3_600_000 > hour - 24
        ]
        longest = max(pauses, default=0)
        assert row["llmx.window.idle_max_s"] == (longest / 1000 if longest else None)


def test_the_first_peak_is_when_the_quota_was_first_used(log: pa.Table) -> None:
    created = {
        row["user.id"]: row["timestamp"]
        for row in log.filter(pc.equal(log["llmx.event.name"], "account_created"))
        .select(["user.id", "timestamp"])
        .to_pylist()
    }
    first: dict[str, float] = {}
    peaked: set[str] = set()
    for row in log.select(
        ["user.id", "timestamp", "llmx.window.quota_ratio", "llmx.account.first_peak_latency_s"]
    ).to_pylist():
        account, latency = row["user.id"], row["llmx.account.first_peak_latency_s"]
        if row["llmx.window.quota_ratio"] is None:
            continue
        if account not in peaked and row["llmx.window.quota_ratio"] < 0.9:
            assert latency is None
            continue
        peaked.add(account)
        if account in created:
            first.setdefault(account, (row["timestamp"] - created[account]).total_seconds())
            assert latency == pytest.approx(first[account])
    assert first


def test_after_a_block_an_account_gets_no_answers_and_the_failover_is_measured(log: pa.Table) -> None:
    shut: dict[str, object] = {}
    blocks: dict[str, tuple[object, str]] = {}
    measured = 0
    names = ["timestamp", "user.id", "llmx.event.category", "llmx.event.name", "http.response.status_code"]
    for row in log.select([*names, "llmx.prompt.template_hash", "llmx.block.failover_s"]).to_pylist():
        if row["llmx.event.name"] == "account_blocked":
            shut[row["user.id"]] = row["timestamp"]
            blocks[row["llmx.prompt.template_hash"]] = (row["timestamp"], row["user.id"])
        elif row["llmx.event.name"] == "account_unblocked":
            shut.pop(row["user.id"], None)
        elif row["llmx.event.category"] == "llm_api":
            assert (row["http.response.status_code"] == 403) == (row["user.id"] in shut)
            if row["llmx.block.failover_s"] is not None:
                when, blocked = blocks[row["llmx.prompt.template_hash"]]
                assert row["user.id"] != blocked
                assert row["llmx.block.failover_s"] == pytest.approx((row["timestamp"] - when).total_seconds())
                measured += 1
    assert measured


def test_countries_do_not_tell_campaigns_from_customers(log: pa.Table) -> None:
    benign = set(log.filter(pc.equal(log["llmx.label.campaign"], ""))["geo.country.iso_code"].to_pylist())
    planted = set(log.filter(pc.not_equal(log["llmx.label.campaign"], ""))["geo.country.iso_code"].to_pylist())
    assert planted == benign


def test_a_small_log_has_fewer_campaigns_and_says_so(tmp_path: Path) -> None:
    report = write_sample_log(SampleOptions(rows=6_000, seed=1, out=tmp_path / "log.csv"))
    assert set(report.campaigns) == {"d1-plain", "d2-plain"}
    assert (*report.campaigns, *report.left_out) == CAMPAIGNS


def test_a_large_log_is_longer_and_has_several_campaigns_of_a_name(tmp_path: Path) -> None:
    small, large = (make_plan(SampleOptions(rows=rows, seed=1, out=tmp_path / "l.csv")) for rows in (10**5, 10**7))
    assert (small.span.days, large.span.days) == (7, 30)
    assert max(each.number for each in small.campaigns) == 1
    assert max(each.number for each in large.campaigns) == 2


def test_campaigns_start_and_length_can_be_chosen(tmp_path: Path) -> None:
    options = SampleOptions(rows=2_000, seed=1, out=tmp_path / "log.parquet", days=3, campaigns=())
    report = write_sample_log(options)
    assert (report.campaigns, report.days, report.rows) == ({}, 3, 2_000)
    assert pc.min(pq.read_table(options.out)["timestamp"]).as_py() >= options.start


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rows": 999}, "--rows is from 1,000"),
        ({"rows": 10**10}, "--rows is from 1,000"),
        ({"seed": -1}, "--seed is from 0"),
        ({"days": 1}, "--days is from 2"),
        ({"out": Path("log.txt")}, "log.txt ends in none of .parquet, .jsonl"),
        ({"campaigns": ("d9-slow",)}, "'d9-slow' is none of d1-plain"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(change: dict[str, object], said: str) -> None:
    options = {"rows": 2_000, "seed": 1, "out": Path("log.csv")} | change
    with pytest.raises(WrongOptionError, match=said):
        write_sample_log(SampleOptions(**options))  # type: ignore[arg-type]


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for out, said in {tmp_path / "none" / "log.csv": "No such file", tmp_path / "folder.csv": "it is a folder"}.items():
        with pytest.raises(CannotWriteError, match=said):
            write_sample_log(SampleOptions(rows=2_000, seed=1, out=out))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_a_log_that_is_broken_off_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "log.csv"
    out.write_text("before")

    def stop(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample_log(SampleOptions(rows=2_000, seed=1, out=out), stop)
    assert [path.name for path in tmp_path.iterdir()] == ["log.csv"]
    assert out.read_text() == "before"
