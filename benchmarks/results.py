"""What each server did of each work, and the lines of the table that follow from it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.client import Pulled
from benchmarks.comparison import OURS, Comparison, Figure, Goal, median, percentile, shown
from benchmarks.sizes import Sizes

NGINX = "nginx"
FEW = 20
"""With fewer answers a percentile says nothing, and their number is shown instead."""


@dataclass(slots=True)
class Results:
    """By name of the server. `green` and `amber` are pages a second of each round; `singles`, `manifests` and `polls`
    are the seconds of each request on one connection. bare_rows: PostgreSQL's rows a second, by whether in binary."""

    pulls: dict[str, list[Pulled]] = field(default_factory=dict)
    green: dict[str, list[float]] = field(default_factory=dict)
    amber: dict[str, list[float]] = field(default_factory=dict)
    singles: dict[str, list[float]] = field(default_factory=dict)
    manifests: dict[str, list[float]] = field(default_factory=dict)
    polls: dict[str, list[float]] = field(default_factory=dict)
    bare_rows: dict[bool, float] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    """To full pulls and repeated reads, those of the warm-up included."""

    def comparisons(self, sizes: Sizes) -> list[Comparison]:
        """The lines of the table that several servers share."""
        page = f"{sizes.page:,}"
        return [
            self._full_pull(f"full pull of {sizes.objects:,}, limit {page}, one client that parses", sizes.objects),
            self._repeated("GREEN", self.green, 0.4, sizes),
            self._repeated("AMBER", self.amber, 0.25, sizes),
            self._uncached(f"pages of {page}, 1 connection, nothing cached", sizes.page),
            latencies(f"manifest page of {page}, 1 connection", self.manifests, [self._objects_page()]),
            latencies(
                f"poll of {sizes.new} new among {sizes.objects:,}, 1 connection", self.polls, [Goal(4.0, at_most=True)]
            ),
        ]

    def _full_pull(self, work: str, objects: int) -> Comparison:
        figures = {}
        for name, pulls in self.pulls.items():
            middle = sorted(pulls, key=lambda pulled: pulled.rate)[len(pulls) // 2]
            part = "" if middle.objects >= objects else f"{middle.objects:,} in {middle.seconds:.0f} s"
            figures[name] = Figure(middle.rate, part)
        return Comparison(work, "objects/s", figures, [_goal(0.6, figures)])

    def _repeated(self, label: str, rounds: Mapping[str, Sequence[float]], factor: float, sizes: Sizes) -> Comparison:
        work = f"{sizes.repeated_pages} pages of {sizes.page:,} again and again, {sizes.connections} connections"
        figures = {name: Figure(median(rates)) for name, rates in rounds.items()}
        return Comparison(f"{work}, {label}", "pages/s", figures, [_goal(factor, figures)])

    def _uncached(self, work: str, page: int) -> Comparison:
        figures = {name: Figure(page * len(taken) / sum(taken)) for name, taken in self.singles.items()}
        bare = "PostgreSQL's bare rows as"
        goals = [Goal(0.35, f"{bare} {'binary' if form else 'text'}", rows) for form, rows in self.bare_rows.items()]
        return Comparison(work, "objects/s", figures, goals)

    def _objects_page(self) -> Goal:
        ours = self.singles.get(OURS)
        return Goal(1.0, "our objects page", median(ours) * 1e3 if ours else None, at_most=True)


def latencies(work: str, taken: Mapping[str, Sequence[float]], goals: Sequence[Goal]) -> Comparison:
    """A line of medians in milliseconds, with the 99th percentile behind each. taken: seconds of each request."""
    figures = {name: Figure(median(each) * 1e3, _tail(each)) for name, each in taken.items()}
    return Comparison(work, "ms", figures, goals, more_is_better=False)


def _tail(taken: Sequence[float]) -> str:
    return f"of {len(taken)}" if len(taken) < FEW else f"p99 {shown(percentile(taken, 99) * 1e3)}"


def _goal(factor: float, figures: Mapping[str, Figure]) -> Goal:
    return Goal(factor, NGINX, figures[NGINX].value if NGINX in figures else None)
