"""What was measured of servers at the same work, and what of the goals was reached. Pure: no clock, no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

OURS = "commonwatch"


@dataclass(frozen=True, slots=True)
class Figure:
    """A value in the unit of its comparison; `detail` is shown behind it."""

    value: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """`factor` times what was measured of `reference` in the same run, or `factor` itself where `reference` is empty.

    value: of the reference, None if it was not measured. at_most: the less the better.
    """

    factor: float
    reference: str = ""
    value: float | None = None
    at_most: bool = False

    def reached(self, ours: float) -> float | None:
        """Our part of the reference, or our own value if there is none; None if it was not measured."""
        if not self.reference:
            return ours
        return ours / self.value if self.value else None

    def is_met(self, ours: float) -> bool | None:
        """None if the reference was not measured."""
        reached = self.reached(ours)
        if reached is None:
            return None
        return reached <= self.factor if self.at_most else reached >= self.factor

    def text(self, ours: float, unit: str) -> str:
        """The goal, what was reached, and whether that is enough."""
        bound = "at most" if self.at_most else "at least"
        if not self.reference:
            goal = f"{bound} {shown(self.factor)} {unit}"
            return f"goal {goal}: {shown(ours)}, {'met' if self.is_met(ours) else 'missed'}"
        goal = f"goal {bound} {self.factor:g} of {self.reference}"
        reached = self.reached(ours)
        if reached is None or self.value is None:
            return f"{goal}: not measured"
        return f"{goal} ({shown(self.value)}): {reached:.2f}, {'met' if self.is_met(ours) else 'missed'}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the table: the same work by several servers.

    figures: by name of the server. more_is_better: of the values, for the plot.
    """

    work: str
    unit: str
    figures: Mapping[str, Figure]
    goals: Sequence[Goal] = ()
    more_is_better: bool = field(default=True, kw_only=True)

    def cell(self, server: str) -> str:
        """The figure of one server as text, empty if there is none."""
        figure = self.figures.get(server)
        if figure is None:
            return ""
        return f"{shown(figure.value)} {self.unit}" + (f" ({figure.detail})" if figure.detail else "")

    def goal_text(self) -> str:
        """All goals and what was reached, empty if there are none or ours was not measured."""
        ours = self.figures.get(OURS)
        return "; ".join(goal.text(ours.value, self.unit) for goal in self.goals) if ours else ""


def servers_of(comparisons: Sequence[Comparison]) -> list[str]:
    """All that were measured, in the order in which they first appear."""
    return list(dict.fromkeys(name for each in comparisons for name in each.figures))


def table(comparisons: Sequence[Comparison]) -> str:
    """The comparisons as a table in Markdown; a server that was left out has no column."""
    servers = servers_of(comparisons)
    lines = ["| work | " + " | ".join([*servers, "goal, and what of it was reached"]) + " |"]
    lines.append("|---" * (len(servers) + 2) + "|")
    for each in comparisons:
        cells = [each.work, *(each.cell(server) for server in servers), each.goal_text()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shown(value: float) -> str:
    """Three digits that say something, and no decimals from a hundred on."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percentile(values: Sequence[float], rank: int) -> float:
    """The value below which `rank` percent lie; `values` is not empty."""
    ordered = sorted(values)
    return ordered[min(len(ordered) * rank // 100, len(ordered) - 1)]


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)
