"""Draws a playbook as a flow chart in SVG: shapes by type of step, lines with labels, a title and a legend.

Pure and deterministic. The drawing has a style of its own for light and dark, no script, no link, and nothing that is
loaded; whatever a playbook says becomes text and never markup. Colours are repeated by words.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from signatures.cacao.chart import Chart, Figure, Line, Shape, chart_of
from signatures.cacao.drawing_shapes import BOLD, LABEL_SIZE, figure_size, figure_svg, label_svg, label_width
from signatures.cacao.drawing_style import LEGEND_HEIGHT, STYLE, legend_svg, legend_width
from signatures.cacao.layout import GraphTooLargeError, Layout, Size, lay_out
from signatures.cacao.lettering import escaped, harmless, width_of, wrapped
from signatures.cacao.safety import Finding
from signatures.cacao.shape import Members

MARGIN: Final = 28.0
TITLE_SIZE: Final = 18.0
TITLE_LINE: Final = 24.0
MAX_DRAWN_FIGURES: Final = 200
"""More steps than this are a list, not a picture; and the drawing stays small enough for a page."""

Point = tuple[float, float]


def draw_playbook(playbook: Members, findings: Sequence[Finding] = ()) -> str:
    """Return a checked playbook as an SVG document. findings: of its safety check; the steps at fault are marked.

    Raises: ObjectInvalidError for a workflow whose steps wait for one another.
    """
    chart = chart_of(playbook, findings)
    title = harmless(chart.title)
    if len(chart.figures) > MAX_DRAWN_FIGURES:
        return _without_chart(title, len(playbook["workflow"]))
    sizes: dict[str, Size] = {name: figure_size(figure) for name, figure in chart.figures.items()}
    edges: list[tuple[str, str]] = []
    for number, line in enumerate(chart.lines):
        if line.label:
            # A label has a place of its own in the layout, so that nothing runs over it.
            sizes[_label_name(number)] = Size(label_width(line.label), LABEL_SIZE + 5)
            edges += [(line.source, _label_name(number)), (_label_name(number), line.target)]
        else:
            edges.append((line.source, line.target))
    try:
        layout = lay_out(sizes, edges)
    except GraphTooLargeError:
        return _without_chart(title, len(playbook["workflow"]))
    return _document(title, chart, sizes, layout)


def _label_name(number: int) -> str:
    return f"\1label {number}"


def _document(title: str, chart: Chart, sizes: Mapping[str, Size], layout: Layout) -> str:
    width = max(layout.width, legend_width(), 320.0) + 2 * MARGIN
    lines = wrapped(title, TITLE_SIZE, (width - 2 * MARGIN) / BOLD, 2)
    top = MARGIN + TITLE_LINE * len(lines) + 12
    left = (width - layout.width) / 2
    height = top + layout.height + 24 + LEGEND_HEIGHT + MARGIN
    parts = [*_heading(title, lines, _description(chart), width, height)]
    parts.append(f'<g transform="translate({_n(left)} {_n(top)})">')
    parts += _lines(chart, sizes, layout)
    parts += [figure_svg(figure, layout.centres[name]) for name, figure in chart.figures.items()]
    parts.append("</g>")
    parts.append(legend_svg(MARGIN, top + layout.height + 24))
    parts.append("</svg>\n")
    return "\n".join(parts)


def _heading(title: str, lines: Sequence[str], description: str, width: float, height: float) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" role="img" aria-labelledby="chart-title chart-description">'
    )
    yield f'<title id="chart-title">{escaped(title)}</title>'
    yield f'<desc id="chart-description">{escaped(description)}</desc>'
    yield f"<style>{STYLE}</style>"
    yield f'<rect class="paper" width="{_n(width)}" height="{_n(height)}"/>'
    for number, line in enumerate(lines):
        y = MARGIN + TITLE_SIZE + number * TITLE_LINE
        yield f'<text class="heading" x="{_n(MARGIN)}" y="{_n(y)}">{escaped(line)}</text>'


def _description(chart: Chart) -> str:
    """The chart in words, for those who do not see it."""
    told = [figure for figure in chart.figures.values() if figure.shape not in (Shape.DOT, Shape.JOINT)]
    steps = "; ".join(_in_words(figure) for figure in told)
    return f"Flow chart of a playbook with {len(told)} shapes, from above to below. {steps}."


def _in_words(figure: Figure) -> str:
    parts = [figure.shape.value, harmless(figure.title)]
    parts += [f"({figure.effect.value})"] if figure.effect is not None else []
    return " ".join(parts)


def _lines(chart: Chart, sizes: Mapping[str, Size], layout: Layout) -> Iterator[str]:
    ports = _Ports(chart.lines, sizes, layout)
    routes = iter(layout.routes)
    for number, line in enumerate(chart.lines):
        points = list(next(routes))
        name = _label_name(number)
        if line.label:
            # Through the label: one line on both sides of it.
            points = points[:-1] + list(next(routes))[1:]
        # The first two points are below the source, the last two above the target.
        points[:2] = [(ports.at(number, is_end=False), y) for _x, y in points[:2]]
        points[-2:] = [(ports.at(number, is_end=True), y) for _x, y in points[-2:]]
        yield _path(list(reversed(points)) if line.goes_back else points, goes_back=line.goes_back)
        if line.label:
            yield label_svg(line.label, layout.centres[name])


class _Ports:
    """Where lines leave and reach a shape: side by side, in the order of what they lead to."""

    def __init__(self, lines: Sequence[Line], sizes: Mapping[str, Size], layout: Layout) -> None:
        self._at: dict[tuple[int, bool], float] = {}
        meeting: dict[tuple[str, bool], list[tuple[float, int]]] = {}
        routes = iter(layout.routes)
        for number, line in enumerate(lines):
            route = list(next(routes))
            route += next(routes) if line.label else ()
            beyond = _first_other(route)
            before = _first_other(list(reversed(route)))
            meeting.setdefault((line.source, False), []).append((beyond, number))
            meeting.setdefault((line.target, True), []).append((before, number))
        for (name, is_end), found in meeting.items():
            centre = layout.centres[name][0]
            room = min(sizes[name].width * 0.6, 26.0 * (len(found) - 1))
            for place, (_x, number) in enumerate(sorted(found)):
                offset = room * (place / (len(found) - 1) - 0.5) if len(found) > 1 else 0.0
                self._at[number, is_end] = centre + offset

    def at(self, number: int, *, is_end: bool) -> float:
        """The x of a line's end."""
        return self._at[number, is_end]


def _first_other(route: Sequence[Point]) -> float:
    """The x that a route goes to from its beginning."""
    start = route[0][0]
    return next((x for x, _y in route if abs(x - start) > 0.5), start)


def _path(points: Sequence[Point], *, goes_back: bool) -> str:
    """A line that leaves and arrives upright and bends between."""
    (x, y), *rest = points
    commands = [f"M{_n(x)} {_n(y)}"]
    for next_x, next_y in rest:
        if (next_x, next_y) == (x, y):
            continue
        if abs(next_x - x) < 0.5:
            commands.append(f"L{_n(next_x)} {_n(next_y)}")
        else:
            middle = (y + next_y) / 2
            commands.append(f"C{_n(x)} {_n(middle)} {_n(next_x)} {_n(middle)} {_n(next_x)} {_n(next_y)}")
        x, y = next_x, next_y
    kind = "line back" if goes_back else "line"
    return f'<path class="{kind}" d="{" ".join(commands)}"/>{_arrow(points)}'


def _arrow(points: Sequence[Point]) -> str:
    x, y = points[-1]
    before = next((other for _x, other in reversed(points) if other != y), y - 1)
    back = -7 if before < y else 7
    return f'<path class="arrow" d="M{_n(x)} {_n(y)} L{_n(x - 4)} {_n(y + back)} L{_n(x + 4)} {_n(y + back)} Z"/>'


def _without_chart(title: str, steps: int) -> str:
    """What is shown of a playbook that is too large for a chart."""
    text = f"{steps} steps are too many for a chart."
    width = max(width_of(text, 14.0), 420.0) + 2 * MARGIN
    lines = wrapped(title, TITLE_SIZE, (width - 2 * MARGIN) / BOLD, 2)
    height = 2 * MARGIN + TITLE_LINE * (len(lines) + 1)
    parts = [*_heading(title, lines, text, width, height)]
    y = MARGIN + TITLE_LINE * (len(lines) + 1)
    return "\n".join([*parts, f'<text class="title" x="{_n(MARGIN)}" y="{_n(y)}">{text}</text>', "</svg>\n"])


def _n(number: float) -> str:
    """A number in few characters, the same on every machine."""
    return f"{number:.1f}".removesuffix(".0")
