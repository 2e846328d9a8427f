"""The style of a chart, light and dark, and its legend."""

from collections.abc import Mapping
from typing import Final

from signatures.cacao.effects import Effect
from signatures.cacao.lettering import escaped, width_of

FONT: Final = "system-ui,-apple-system,'Segoe UI','DejaVu Sans',Arial,sans-serif"
MONO: Final = "ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace"

CLASS_OF: Final[Mapping[Effect, str]] = {
    Effect.PREPARE: "quiet",
    Effect.OBSERVE: "observe",
    Effect.NOTIFY: "notify",
    Effect.ASK: "ask",
    Effect.ROLL_BACK: "undo",
    Effect.LIMIT: "limit",
    Effect.BLOCK: "block",
    Effect.IRREVERSIBLE: "final",
}

# (light, dark) of each colour; contrast of text on its ground is above 4.5 in both.
_COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "paper": ("#ffffff", "#14181d"),
    "ink": ("#1b2530", "#e8edf2"),
    "soft": ("#52606d", "#a9b5c1"),
    "rim": ("#8696a7", "#66778a"),
    "fill": ("#f7f9fb", "#1e252d"),
    "test": ("#eef2fb", "#202b3f"),
    "bar": ("#e9e4f5", "#2f2942"),
    "quiet": ("#8696a7", "#8696a7"),
    "observe": ("#5b7083", "#90a7bb"),
    "notify": ("#1f6fb2", "#5fb0f0"),
    "ask": ("#7a3fb5", "#c193f0"),
    "undo": ("#1e7f4f", "#55c78c"),
    "limit": ("#a86f00", "#e5b040"),
    "block": ("#c2500a", "#ff9a57"),
    "final": ("#b81d2d", "#ff7581"),
}


def _variables(column: int) -> str:
    return "".join(f"--{name}:{pair[column]};" for name, pair in _COLOURS.items())


def _rules() -> str:
    effects = "".join(
        f".mark.{name}{{fill:var(--{name})}}.effect.{name}{{fill:var(--{name})}}" for name in CLASS_OF.values()
    )
    return (
        f"text{{font-family:{FONT};fill:var(--ink)}}"
        ".paper{fill:var(--paper)}"
        ".heading{font-size:18px;font-weight:600}"
        ".title{font-size:13px;font-weight:600}"
        f".test{{font-size:11px;font-family:{MONO};fill:var(--ink)}}"
        ".caption{font-size:11px;fill:var(--soft)}"
        ".effect{font-size:11px;font-weight:600}"
        ".label{font-size:11px;fill:var(--soft);text-anchor:middle}"
        ".middle{text-anchor:middle}"
        ".box{fill:var(--fill);stroke:var(--rim);stroke-width:1.2}"
        ".choice{fill:var(--test)}.bar{fill:var(--bar)}"
        ".end{stroke-width:2.4}.dot{fill:var(--rim)}.joint{fill:var(--paper);stroke:var(--rim)}"
        ".loop{stroke-dasharray:6 3}.error{stroke:var(--final);stroke-dasharray:3 3}"
        ".refuse{stroke:var(--final);stroke-width:2.6}.warn{stroke:var(--limit);stroke-width:2}"
        ".line{fill:none;stroke:var(--rim);stroke-width:1.3}.back{stroke-dasharray:5 4}"
        ".arrow{fill:var(--rim)}" + effects
    )


STYLE: Final = (
    f":root{{color-scheme:light dark;{_variables(0)}}}"
    f"@media (prefers-color-scheme:dark){{:root{{{_variables(1)}}}}}" + _rules()
)
"""All of it; nothing is loaded."""

_ITEM_GAP: Final = 22.0
_MARK_WIDTH: Final = 16.0
_ROW: Final = 24.0

_SHAPES: Final = (
    ('<rect class="box" x="0" y="-6" width="18" height="12" rx="3"/>', "action"),
    ('<path class="box choice" d="M5 -6 H15 L20 0 L15 6 H5 L0 0 Z"/>', "if, switch"),
    ('<path class="box choice loop" d="M5 -6 H15 L20 0 L15 6 H5 L0 0 Z"/>', "loop"),
    ('<rect class="box bar" x="0" y="-6" width="18" height="12"/>', "side by side"),
    ('<path class="box" d="M0 -6 H18 V6 H0 Z M3 -6 V6 M15 -6 V6"/>', "other playbook"),
    ('<circle class="dot" cx="9" cy="0" r="4.5"/>', "end of a branch"),
    ('<rect class="box refuse" x="0" y="-6" width="18" height="12" rx="3"/>', "not safe"),
    ('<rect class="box warn" x="0" y="-6" width="18" height="12" rx="3"/>', "look at this"),
)
LEGEND_HEIGHT: Final = 2 * _ROW + 8


def legend_width() -> float:
    """Room that the wider row of the legend takes."""
    return max(
        sum(_room(word) for _drawn, word in _SHAPES),
        sum(_room(effect.value) for effect in CLASS_OF if effect is not Effect.PREPARE),
    )


def legend_svg(x: float, y: float) -> str:
    """The legend: a row of shapes, a row of what steps do."""
    parts = [f'<g transform="translate({x:.1f} {y:.1f})" aria-hidden="true">']
    at = 0.0
    for drawn, word in _SHAPES:
        parts.append(
            f'<g transform="translate({at:.1f} 8)">{drawn}<text class="caption" x="26" y="4">{word}</text></g>'
        )
        at += _room(word)
    at = 0.0
    for effect, name in CLASS_OF.items():
        if effect is Effect.PREPARE:
            continue
        mark = f'<rect class="mark {name}" x="0" y="-6" width="6" height="12" rx="1"/>'
        word = f'<text class="effect {name}" x="12" y="4">{escaped(effect.value)}</text>'
        parts.append(f'<g transform="translate({at:.1f} {8 + _ROW:.1f})">{mark}{word}</g>')
        at += _room(effect.value)
    return "".join([*parts, "</g>"])


def _room(word: str) -> float:
    return _MARK_WIDTH + 1.12 * width_of(word, 11.0) + _ITEM_GAP
