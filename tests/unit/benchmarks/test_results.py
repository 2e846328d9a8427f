"""The lines of the comparison, from what each server is said to have done."""

from __future__ import annotations

from benchmarks.client import Pulled
from benchmarks.comparison import OURS
from benchmarks.results import NGINX, Results, latencies
from benchmarks.sizes import FULL


def results() -> Results:
    return Results(
        pulls={
            OURS: [Pulled(100_017, 101, seconds, whole=True) for seconds in (2.0, 9.0, 2.5)],
            NGINX: [Pulled(100_017, 101, 1.0, whole=True)],
            "OpenTAXII": [Pulled(25_000, 25, 50.0, whole=False)],
        },
        green={OURS: [1_000.0, 2_000.0, 3_000.0], NGINX: [4_000.0]},
        amber={OURS: [900.0], NGINX: [3_600.0]},
        singles={OURS: [0.02] * 40, NGINX: [0.001] * 40},
        manifests={OURS: [0.01] * 40},
        polls={OURS: [0.003] * 99 + [0.9], "OpenTAXII": [0.4, 0.5, 0.6]},
        bare_rows={False: 100_000.0, True: 200_000.0},
    )


def test_each_work_of_the_issue_has_its_line_and_its_goal() -> None:
    pull, green, amber, uncached, manifest, poll = results().comparisons(FULL)
    assert pull.cell(OURS) == "40,007 objects/s"
    assert pull.goal_text() == "goal at least 0.6 of nginx (100,017): 0.40, missed"
    assert green.goal_text() == "goal at least 0.4 of nginx (4,000): 0.50, met"
    assert amber.goal_text() == "goal at least 0.25 of nginx (3,600): 0.25, met"
    assert uncached.goal_text() == (
        "goal at least 0.35 of PostgreSQL's bare rows as text (100,000): 0.50, met; "
        "goal at least 0.35 of PostgreSQL's bare rows as binary (200,000): 0.25, missed"
    )
    assert manifest.goal_text() == "goal at most 1 of our objects page (20.0): 0.50, met"
    assert poll.goal_text() == "goal at most 4.00 ms: 3.00, met"


def test_a_pull_that_was_cut_off_says_how_far_it_came() -> None:
    assert results().comparisons(FULL)[0].cell("OpenTAXII") == "500 objects/s (25,000 in 50 s)"


def test_few_answers_have_no_percentile() -> None:
    line = latencies("poll", results().polls, [])
    assert line.cell("OpenTAXII") == "500 ms (of 3)"
    assert line.cell(OURS) == "3.00 ms (p99 900)"


def test_without_nginx_its_goals_are_not_measured() -> None:
    alone = results()
    for each in (alone.pulls, alone.green, alone.amber, alone.singles):
        each.pop(NGINX, None)
    assert [line.goal_text() for line in alone.comparisons(FULL)[:3]] == [
        "goal at least 0.6 of nginx: not measured",
        "goal at least 0.4 of nginx: not measured",
        "goal at least 0.25 of nginx: not measured",
    ]
