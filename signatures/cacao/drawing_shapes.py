"""The shapes of a chart: how large each is, and its SVG."""

from collections.abc import Iterator
from typing import Final

from signatures.cacao.chart import Figure, Shape
from signatures.cacao.drawing_style import CLASS_OF
from signatures.cacao.layout import Size
from signatures.cacao.lettering import escaped, harmless, width_of, wrapped

WIDTH: Final = 236.0
PADDING: Final = 12.0
TITLE_SIZE: Final = 13.0
BOLD: Final = 1.12
"""How much wider bold letters are."""
SMALL_SIZE: Final = 11.0
TITLE_LINE: Final = 17.0
SMALL_LINE: Final = 14.5
LABEL_SIZE: Final = 11.0
MAX_LABEL_WIDTH: Final = 120.0

_MAX_TITLE_LINES: Final = 3
_MAX_TEST_LINES: Final = 4
_MAX_CAPTION_LINES: Final = 2
_HEXAGONS: Final = frozenset({Shape.CHOICE, Shape.LOOP})
_PILLS: Final = frozenset({Shape.START, Shape.END, Shape.ERROR})
# The slanted sides of a hexagon, the stripe of an action.
_INDENT: Final = 14.0

TextLine = tuple[str, str, float]
"""(class, text, height)"""


def figure_size(figure: Figure) -> Size:
    """How much room a figure takes."""
    if figure.shape is Shape.DOT:
        return Size(12, 12)
    if figure.shape is Shape.JOINT:
        return Size(16, 16)
    height = sum(line[2] for line in _text_of(figure))
    if figure.shape in _PILLS:
        longest = max(width_of(text, TITLE_SIZE) * BOLD for _class, text, _height in _text_of(figure))
        return Size(min(WIDTH, max(72.0, longest + 36)), height + 14)
    return Size(WIDTH, height + 2 * PADDING - 4)


def figure_svg(figure: Figure, centre: tuple[float, float]) -> str:
    """A figure around its centre, with a title for those who point at it or do not see it."""
    size = figure_size(figure)
    told = " · ".join(filter(None, [harmless(figure.title), harmless(figure.caption)])) or figure.shape.value
    parts = [
        f'<g transform="translate({centre[0]:.1f} {centre[1]:.1f})">',
        f"<title>{escaped(told)}</title>",
        _outline(figure, size),
    ]
    if figure.effect is not None and figure.shape is Shape.ACTION:
        left, top = -size.width / 2, -size.height / 2
        kind = CLASS_OF[figure.effect]
        parts.append(
            f'<rect class="mark {kind}" x="{left:.1f}" y="{top + 5:.1f}" width="5" height="{size.height - 10:.1f}"/>'
        )
    parts += _text_svg(figure, size)
    parts.append("</g>")
    return "".join(parts)


def label_width(label: str) -> float:
    """Room that a label on a line takes."""
    return min(MAX_LABEL_WIDTH, width_of(harmless(label), LABEL_SIZE)) + 10


def label_svg(label: str, centre: tuple[float, float]) -> str:
    """A label on a line, on a ground of its own."""
    (text, *_) = wrapped(harmless(label), LABEL_SIZE, MAX_LABEL_WIDTH, 1) or [""]
    width, height = label_width(label), LABEL_SIZE + 5
    x, y = centre
    place = f'x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}"'
    ground = f'<rect class="paper" {place}/>'
    return f'{ground}<text class="label" x="{x:.1f}" y="{y + 4:.1f}">{escaped(text)}</text>'


def _outline(figure: Figure, size: Size) -> str:
    x, y, width, height = -size.width / 2, -size.height / 2, size.width, size.height
    flag = f" {figure.severity.value}" if figure.severity is not None else ""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    match figure.shape:
        case Shape.DOT:
            return f'<circle class="dot" r="{width / 2 - 1:.1f}"/>'
        case Shape.JOINT:
            return f'<path class="joint" d="M0 {y:.1f} L{-x:.1f} 0 L0 {-y:.1f} L{x:.1f} 0 Z"/>'
        case Shape.CHOICE | Shape.LOOP:
            kind = "box choice loop" if figure.shape is Shape.LOOP else "box choice"
            inner = width / 2 - _INDENT
            points = f"M{-inner:.1f} {y:.1f} H{inner:.1f} L{-x:.1f} 0 L{inner:.1f} {-y:.1f} H{-inner:.1f} L{x:.1f} 0 Z"
            return f'<path class="{kind}{flag}" d="{points}"/>'
        case Shape.PARALLEL:
            return f'<rect class="box bar{flag}" {place}/>'
        case Shape.PLAYBOOK:
            sides = f"M{x + 6:.1f} {y:.1f} V{-y:.1f} M{-x - 6:.1f} {y:.1f} V{-y:.1f}"
            return f'<rect class="box{flag}" {place}/><path class="line" d="{sides}"/>'
        case Shape.START | Shape.END | Shape.ERROR:
            kind = {Shape.START: "box", Shape.END: "box end", Shape.ERROR: "box error"}[figure.shape]
            return f'<rect class="{kind}{flag}" {place} rx="{height / 2:.1f}"/>'
        case _:
            return f'<rect class="box{flag}" {place} rx="6"/>'


def _text_of(figure: Figure) -> list[TextLine]:
    room = WIDTH - 2 * PADDING - (_INDENT if figure.shape in _HEXAGONS else 6)
    title = harmless(figure.title)
    found: list[TextLine] = [
        ("title", line, TITLE_LINE) for line in wrapped(title, TITLE_SIZE, room / BOLD, _MAX_TITLE_LINES)
    ]
    test = wrapped(harmless(figure.test), SMALL_SIZE, room, _MAX_TEST_LINES, is_mono=True)
    found += [("test", line, SMALL_LINE) for line in test]
    if figure.shape not in _PILLS:
        caption = wrapped(harmless(figure.caption), SMALL_SIZE, room, _MAX_CAPTION_LINES)
        found += [("caption", line, SMALL_LINE) for line in caption]
    if figure.effect is not None and figure.shape is Shape.ACTION:
        found.append((f"effect {CLASS_OF[figure.effect]}", figure.effect.value, SMALL_LINE))
    return found or [("title", figure.shape.value, TITLE_LINE)]


def _text_svg(figure: Figure, size: Size) -> Iterator[str]:
    if figure.shape in (Shape.DOT, Shape.JOINT):
        return
    lines = _text_of(figure)
    y = -sum(height for _class, _text, height in lines) / 2
    is_left = figure.shape is Shape.ACTION
    x = -size.width / 2 + PADDING + 4 if is_left else 0.0
    for kind, text, height in lines:
        y += height
        anchor = kind if is_left else f"{kind} middle"
        yield f'<text class="{anchor}" x="{x:.1f}" y="{y - 4:.1f}">{escaped(text)}</text>'
