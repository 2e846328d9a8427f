"""Ratios, goals and the table of a benchmark run: figures that are given, no clock."""

from __future__ import annotations

import pytest

from benchmarks.comparison import OURS, Comparison, Figure, Goal, median, percentile, servers_of, shown, table


def test_a_goal_is_held_against_what_was_measured_of_its_reference() -> None:
    goal = Goal(0.6, "nginx", 100_000.0)
    assert goal.reached(43_000.0) == pytest.approx(0.43)
    assert goal.is_met(43_000.0) is False
    assert goal.is_met(60_000.0) is True
    assert goal.text(43_000.0, "objects/s") == "goal at least 0.6 of nginx (100,000): 0.43, missed"


def test_a_goal_of_at_most_is_met_by_less() -> None:
    goal = Goal(1.2, "that among 10,000", 3.0, at_most=True)
    assert goal.is_met(3.5) is True
    assert goal.is_met(3.7) is False
    assert goal.text(3.3, "ms") == "goal at most 1.2 of that among 10,000 (3.00): 1.10, met"


def test_a_goal_without_a_reference_is_the_value_itself() -> None:
    assert Goal(4.0, at_most=True).text(12.5, "ms") == "goal at most 4.00 ms: 12.5, missed"
    assert Goal(6_000).text(7_000.0, "objects/s") == "goal at least 6,000 objects/s: 7,000, met"


@pytest.mark.parametrize("value", [None, 0.0])
def test_a_goal_whose_reference_was_left_out_is_neither_met_nor_missed(value: float | None) -> None:
    goal = Goal(0.6, "nginx", value)
    assert goal.reached(5.0) is None
    assert goal.is_met(5.0) is None
    assert goal.text(5.0, "pages/s") == "goal at least 0.6 of nginx: not measured"


def test_a_table_has_a_column_for_each_server_that_was_measured_and_empty_cells_for_what_it_did_not_do() -> None:
    comparisons = [
        Comparison(
            "pull", "objects/s", {OURS: Figure(50_000.0), "nginx": Figure(100_000.0)}, [Goal(0.6, "nginx", 1e5)]
        ),
        Comparison("poll", "ms", {OURS: Figure(3.456, "p99 4.00"), "OpenTAXII": Figure(430.4)}),
    ]
    assert servers_of(comparisons) == [OURS, "nginx", "OpenTAXII"]
    assert table(comparisons).splitlines() == [
        "| work | commonwatch | nginx | OpenTAXII | goal, and what of it was reached |",
        "|---|---|---|---|---|",
        "| pull | 50,000 objects/s | 100,000 objects/s |  | goal at least 0.6 of nginx (100,000): 0.50, missed |",
        "| poll | 3.46 ms (p99 4.00) |  | 430 ms |  |",
    ]


def test_without_a_figure_of_ours_no_goal_is_spoken_of() -> None:
    assert Comparison("pull", "objects/s", {"nginx": Figure(1.0)}, [Goal(0.6, "nginx", 1.0)]).goal_text() == ""


def test_values_are_shown_with_three_digits_that_say_something() -> None:
    assert [shown(value) for value in (0.064, 9.876, 98.76, 987.6, 98_765.4)] == [
        "0.06",
        "9.88",
        "98.8",
        "988",
        "98,765",
    ]


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert (median(values), percentile(values, 99), percentile(values, 100)) == (51.0, 100.0, 100.0)
    assert percentile([7.0], 99) == 7.0
