"""Draws a run: a panel for each work that several servers did, on a logarithmic scale, and memory over a long pull.

The picture depends on the figures alone: no date, no random names, text as text.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.comparison import Comparison, servers_of, shown

WIDTH_IN, PANEL_IN = 9.5, 1.6
COLOURS = ("#1b6ca8", "#7a7a7a", "#c8553d", "#588157", "#8e6c8a", "#b08900")
SETTINGS: dict[Any, Any] = {"svg.hashsalt": "commonwatch", "svg.fonttype": "none", "font.size": 9, "axes.titlesize": 9}


@dataclass(frozen=True, slots=True)
class MemoryPoint:
    """Objects pulled so far, and the resident memory of all web processes then."""

    objects: float
    megabytes: float


def write(path: Path, comparisons: Sequence[Comparison], memory: Sequence[MemoryPoint]) -> None:
    """Write the plot as SVG."""
    path.write_bytes(draw(comparisons, memory))


def draw(comparisons: Sequence[Comparison], memory: Sequence[MemoryPoint]) -> bytes:
    """The plot as SVG: the same figures give the same bytes."""
    # Here and not above: all else of the report works without the plotting library.
    import matplotlib
    from matplotlib.figure import Figure

    drawn = [each for each in comparisons if len(each.figures) > 1]
    colours = dict(zip(servers_of(drawn), COLOURS, strict=False))
    panels = len(drawn) + bool(memory)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH_IN, PANEL_IN * ((panels + 1) // 2)), layout="constrained")
        axes = figure.subplots((panels + 1) // 2, 2, squeeze=False).flatten()
        for panel, comparison in zip(axes, drawn, strict=False):
            _draw_bars(panel, comparison, colours)
        if memory:
            _draw_memory(axes[len(drawn)], memory)
        for panel in axes[panels:]:
            panel.set_axis_off()
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return b"\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + b"\n"


def _draw_bars(panel: Any, comparison: Comparison, colours: dict[str, str]) -> None:
    names = list(comparison.figures)[::-1]
    values = [comparison.figures[name].value for name in names]
    bars = panel.barh(names, values, color=[colours[name] for name in names])
    panel.bar_label(bars, [shown(value) for value in values], padding=3)
    panel.set_xscale("log")
    panel.set_xlim(min(values) / 3, max(values) * 6)
    # The values stand beside the bars.
    panel.minorticks_off()
    panel.set_xticks([])
    direction = "more" if comparison.more_is_better else "less"
    panel.set_title(f"{comparison.work}\n{comparison.unit}, logarithmic, {direction} is better", loc="left")
    panel.spines[["top", "right"]].set_visible(False)


def _draw_memory(panel: Any, memory: Sequence[MemoryPoint]) -> None:
    panel.plot([each.objects / 1_000 for each in memory], [each.megabytes for each in memory], color=COLOURS[0])
    panel.set_ylim(0, max(each.megabytes for each in memory) * 1.3)
    panel.set_title("memory of all web processes over a full pull\nMB resident, by thousand objects pulled", loc="left")
    panel.spines[["top", "right"]].set_visible(False)
