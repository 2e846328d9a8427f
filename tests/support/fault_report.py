"""The report of `make faults`: what was done to the servers in each long round, and what came of it.

A pytest plugin: `-p tests.support.fault_report --fault-report FILE`. Tests say what they did with pytest's own
`record_property`.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

_HEAD: Final = """# Long rounds of crashes and races

Written by `make faults` on {day}: {machine}, Python {python}. Every test has a smaller sister in `make test`.
Chance comes from the seeds; what a seed does depends on the moment too, so a round cannot be had again to the letter.

| what is promised | rounds | what was done | result | seconds |
|---|---|---|---|---|
"""


@dataclass(slots=True)
class _Promise:
    """One test function, in as many cases as it has."""

    sentence: str
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    done: list[str] = field(default_factory=list)

    @property
    def row(self) -> str:
        result = f"held in all {self.passed}" if not self.failed else f"**broken in {self.failed}**"
        if self.passed + self.failed == 1:
            result = "held" if self.passed else "**broken**"
        done = "; ".join(self.done) or "as the test says"
        return f"| {self.sentence} | {self.passed + self.failed} | {done} | {result} | {self.seconds:.0f} |"


class FaultReport:
    """Collects what the tests marked `faults` came to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._promises: dict[str, _Promise] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test; a test that was skipped promised nothing."""
        if "faults" not in report.keywords or report.skipped:
            return
        name = report.nodeid.partition("[")[0]
        sentence = name.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        promise = self._promises.setdefault(name, _Promise(sentence))
        promise.seconds += report.duration
        if report.failed:
            promise.failed += 1
        elif report.when == "call":
            promise.passed += 1
            promise.done += [f"{what} {value}" for what, value in report.user_properties]

    def pytest_sessionfinish(self) -> None:
        """Write it, whatever the end was; a run without such tests leaves the last report."""
        if self._promises:
            self._path.write_text(report_of(each.row for each in self._promises.values()), encoding="utf-8")


def report_of(rows: Iterable[str]) -> str:
    """The page."""
    cores = os.cpu_count() or 1
    head = _HEAD.format(
        day=datetime.now(UTC).strftime("%Y-%m-%d"),
        machine=f"{platform.system()} on {cores} cores",
        python=platform.python_version(),
    )
    return head + "".join(f"{row}\n" for row in rows)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option."""
    parser.addoption("--fault-report", required=True, metavar="FILE", help="where the report goes")


def pytest_configure(config: pytest.Config) -> None:
    """Collect from the beginning."""
    config.pluginmanager.register(FaultReport(config.rootpath / config.getoption("--fault-report")), "fault-report")
