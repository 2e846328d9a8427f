"""Backtesting the eight sample signatures, against DuckDB's own time for the plain aggregates that they need.

Rows are made by DuckDB itself, by arithmetic on their numbers, and lie in one Parquet file. The command runs as a lab
runs it, in a process of its own, start and answer included; the aggregates run one after the other in this process on
the same file with as many threads. Beside that: how long ten thousand signatures take to be validated.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.backtest_rows import AGGREGATES, write_rows
from benchmarks.comparison import median
from benchmarks.report import Report, Row
from benchmarks.sizes import CORES, FULL, Sizes
from signatures.samples import SAMPLE_SIGNATURES
from signatures.sigma import inspect_rule

THREADS = min(CORES, 4)
MEMORY = "3GB"

GOAL_RATIO = 5.0
GOAL_MEMORY_MB = 4_096
GOAL_VALIDATION_S = 30.0


def main() -> None:
    """Run alone and print."""
    measure(Report("backtesting"), FULL)


def measure(report: Report, sizes: Sizes) -> None:
    """Add the lines about backtesting."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "rows.parquet"
        write_rows(logs, sizes.backtest_rows, THREADS)
        plain, ours = [], []
        for _round in range(sizes.rounds):
            plain.append(_aggregates(logs))
            ours.append(_backtest(logs))
    seconds, plain_s = median([run.seconds for run in ours]), median([each[0] for each in plain])
    cpu_s, plain_cpu_s = median([run.cpu_s for run in ours]), median([each[1] for each in plain])
    what = f"backtest of the eight samples over {sizes.backtest_rows:,} rows, {THREADS} threads"
    report.add(
        Row(
            what,
            f"{seconds:.1f} s",
            f"{seconds / plain_s:.2f} times the plain aggregates ({plain_s:.1f} s); goal: at most {GOAL_RATIO:.0f}",
        )
    )
    hits = ", ".join(str(each) for each in ours[-1].hits)
    against = f"{cpu_s / plain_cpu_s:.2f} times that of the plain aggregates ({plain_cpu_s:.1f} s); hits: {hits}"
    report.add(Row("the same, processor time", f"{cpu_s:.1f} s", against))
    memory = max(run.memory_mb for run in ours)
    report.add(Row("the same, highest memory", f"{memory:,.0f} MB", f"goal: under {GOAL_MEMORY_MB:,} MB"))
    _validate(report, sizes)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command: wall clock, processor time, highest resident memory, hits of each signature."""

    seconds: float
    cpu_s: float
    memory_mb: float
    hits: list[int]


def _backtest(logs: Path) -> Run:
    signatures = [str(sample.path) for sample in SAMPLE_SIGNATURES.values()]
    command = [sys.executable, "-m", "exchange.labtool.main", "backtest", "--json", "--label", "llmx.label.campaign"]
    command += ["--memory", MEMORY, "--threads", str(THREADS), "--temporary", str(logs.parent), "--logs", str(logs)]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as answer:
        process = subprocess.Popen([*command, "--signatures", *signatures], stdout=answer)
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        if process.returncode:
            raise AssertionError(f"the backtest ended with {process.returncode}")
        answer.seek(0)
        read = json.load(answer)
    hits = [signature["hits"] for signature in read["signatures"]]
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1_024, hits)


def _aggregates(logs: Path) -> tuple[float, float]:
    """Seconds by the clock and of processors for the plain aggregates, one query each, with the same memory."""
    with duckdb.connect(":memory:", config={"threads": THREADS, "memory_limit": MEMORY}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET temp_directory = '{logs.parent}'")
        began, cpu_began = time.perf_counter(), time.process_time()
        for select in AGGREGATES:
            query = select.format(logs=f"read_parquet('{logs}')")
            connection.execute(f"CREATE OR REPLACE TEMP TABLE answer AS {query}")
        return time.perf_counter() - began, time.process_time() - cpu_began


def _validate(report: Report, sizes: Sizes) -> None:
    texts = list(_different_texts(sizes.validated))
    # One thread of this process: its processor time is what a core that is not shared would take.
    began = time.process_time()
    for text in texts:
        inspect_rule(text)
    seconds = time.process_time() - began
    report.add(
        Row(
            f"signatures validated, {len(texts):,} different texts, processor time of one core",
            f"{len(texts) / seconds:,.0f}/s",
            f"10,000 in {10_000 / len(texts) * seconds:.0f} s; goal: under {GOAL_VALIDATION_S:.0f} s",
        )
    )


def _different_texts(count: int) -> Iterator[str]:
    samples = [sample.text for sample in SAMPLE_SIGNATURES.values()]
    for number in range(count):
        text = samples[number % len(samples)]
        # Other ids, titles and values, so that nothing that was kept of one serves another.
        yield (
            text.replace("-1c1d2f7a", f"-{number:08x}")
            .replace("title: ", f"title: {number} ")
            .replace("extract_", f"extract_{number}_")
        )


if __name__ == "__main__":
    main()
