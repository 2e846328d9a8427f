"""Plots as SVG that stands in a page: bars by day, and bars of shares. No script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from html import escape
from typing import Final

_WIDTH: Final = 720
_LEFT: Final = 56
# Beyond this a bar is thinner than a point, so several days share one.
_MAX_BARS: Final = 120


def days_chart(days: Mapping[date, int], first: date, last: date) -> str:
    """Hits by the day on which they begin, from the first to the last day of the log."""
    height, base = 150, 122
    length = max(1, (last - first).days + 1)
    step = -(-length // _MAX_BARS)
    counts = [days.get(first + timedelta(days=place), 0) for place in range(length)]
    sums = [sum(counts[place : place + step]) for place in range(0, length, step)]
    most = max([*sums, 1])
    width = (_WIDTH - _LEFT - 8) / len(sums)
    parts = [_axis(most, base, f"{step} days each" if step > 1 else "hits a day")]
    for place, hits in enumerate(sums):
        if not hits:
            continue
        tall = max(1.0, hits / most * (base - 16))
        begin = first + timedelta(days=place * step)
        place_of = f'x="{_LEFT + place * width:.1f}" y="{base - tall:.1f}"'
        size = f'width="{max(0.8, width - 1):.1f}" height="{tall:.1f}"'
        parts.append(f'<rect class="bar" {place_of} {size}><title>{begin.isoformat()}: {hits}</title></rect>')
    parts.append(f'<text x="{_LEFT}" y="{base + 18}">{first.isoformat()}</text>')
    parts.append(f'<text x="{_WIDTH - 8}" y="{base + 18}" text-anchor="end">{last.isoformat()}</text>')
    return _svg(height, "Hits by day", parts)


def _axis(most: int, base: int, caption: str) -> str:
    return (
        f'<line x1="{_LEFT}" y1="{base}" x2="{_WIDTH - 8}" y2="{base}"/>'
        f'<text x="{_LEFT - 6}" y="20" text-anchor="end">{most}</text>'
        f'<text x="{_LEFT - 6}" y="{base}" text-anchor="end">0</text><text x="{_LEFT}" y="10">{escape(caption)}</text>'
    )


def shares_chart(title: str, shares: Sequence[tuple[str, float | None]]) -> str:
    """A bar from 0 to 1 for each name; a dash where there is no share."""
    left, row = 300, 22
    parts = []
    for place, (name, value) in enumerate(shares):
        y = 8 + place * row
        parts.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(_short(name))}</text>')
        if value is not None:
            width = value * (_WIDTH - left - 70)
            parts.append(f'<rect class="bar" x="{left}" y="{y}" width="{max(width, 0.5):.1f}" height="{row - 6}"/>')
        shown = "-" if value is None else f"{value:.1%}"
        x = left + (value or 0) * (_WIDTH - left - 70) + 6
        parts.append(f'<text x="{x:.1f}" y="{y + 13}">{shown}</text>')
    return _svg(16 + row * len(shares), title, parts)


def loads_chart(loads: Sequence[tuple[str, float]]) -> str:
    """A bar for the alerts a day of each signature, on one scale."""
    left, row = 300, 22
    most = max([load for _name, load in loads] + [1e-9])
    parts = []
    for place, (name, load) in enumerate(loads):
        y = 8 + place * row
        width = load / most * (_WIDTH - left - 90)
        parts.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(_short(name))}</text>')
        parts.append(f'<rect class="bar" x="{left}" y="{y}" width="{max(width, 0.5):.1f}" height="{row - 6}"/>')
        parts.append(f'<text x="{left + width + 6:.1f}" y="{y + 13}">{load:,.2f}</text>')
    return _svg(16 + row * len(loads), "Alerts a day", parts)


def _short(name: str) -> str:
    return name if len(name) <= 46 else name[:43] + "..."


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )
