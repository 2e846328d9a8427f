"""The README that a run writes, and the plot beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import plot
from benchmarks.comparison import OURS, Comparison, Figure
from benchmarks.plot import MemoryPoint
from benchmarks.report import BEGIN, END, Report, Row, with_measured

COMPARISON = Comparison("full pull", "objects/s", {OURS: Figure(50_000.0), "nginx": Figure(100_000.0)})


def test_a_run_replaces_what_stands_between_the_markers_and_nothing_else() -> None:
    document = f"# Title\n\nBefore\n{BEGIN}\nold\n{END}\nAfter\n"
    assert with_measured(document, "new") == f"# Title\n\nBefore\n{BEGIN}\nnew\n{END}\nAfter\n"


@pytest.mark.parametrize("document", ["", f"{BEGIN}\nold\n", f"old\n{END}\n"])
def test_a_document_without_markers_is_not_written_over(document: str) -> None:
    with pytest.raises(ValueError, match="has no"):
        with_measured(document, "new")


def test_a_report_names_what_each_server_ran_on_and_what_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("- some machine")
    report.name("nginx 1.22.1, 2 processes")
    report.name("left out: medallion is not installed: make peers")
    report.compare(COMPARISON)
    report.add(Row("statements", "9", "COMMIT included"))
    text = report.text()
    assert text.startswith("- some machine\n- nginx 1.22.1, 2 processes\n- left out: medallion is not installed")
    assert "| full pull | 50,000 objects/s | 100,000 objects/s |  |" in text
    assert "| statements | 9 | COMMIT included |" in text
    assert "50,000 objects/s" in capsys.readouterr().out


def test_the_committed_readme_has_a_place_for_the_figures() -> None:
    readme = Path(plot.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert with_measured(readme, "new").count("new") >= 1


def test_the_same_figures_draw_the_same_bytes() -> None:
    pytest.importorskip("matplotlib", reason="the plotting library comes with make bench alone")
    memory = [MemoryPoint(number * 1_000.0, 400.0 + number % 3) for number in range(50)]
    drawn = plot.draw([COMPARISON], memory)
    assert drawn == plot.draw([COMPARISON], memory)
    assert b"full pull" in drawn
    assert b"dc:date" not in drawn
