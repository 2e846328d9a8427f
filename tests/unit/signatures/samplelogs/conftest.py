"""One log that all campaigns fit in, made once."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from signatures.samplelogs import SampleOptions, SampleReport, write_sample_log

ROWS = 86_000


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> SampleReport:
    """What was said of the log; `out` is its file."""
    out = tmp_path_factory.mktemp("log") / "log.parquet"
    return write_sample_log(SampleOptions(rows=ROWS, seed=20, out=out))


@pytest.fixture(scope="session")
def log(report: SampleReport) -> pa.Table:
    """All of it."""
    return pq.read_table(report.out)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of three thousand events, as JSON lines."""
    out = tmp_path_factory.mktemp("log") / "small.jsonl"
    write_sample_log(SampleOptions(rows=3_000, seed=20, out=out, campaigns=("d8-plain",)))
    return out
