"""The flow chart: everything is in it, nothing lies over anything else, and no text becomes markup."""

from __future__ import annotations

import random
import re
from itertools import combinations, pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signatures.cacao import check_safety, inspect_playbook
from signatures.cacao.chart import ERROR, chart_of
from signatures.cacao.drawing import MAX_DRAWN_FIGURES, draw_playbook
from signatures.cacao.drawing_shapes import figure_size
from signatures.cacao.layout import GraphTooLargeError, Size, lay_out
from signatures.cacao.lettering import harmless, width_of, wrapped
from signatures.samples.playbooks import NAMES, playbook_bytes
from tests.support.playbooks import Playbook, manual, raw, workflow

SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "desc", "style", "g", "rect", "path", "circle", "text"}
ATTRIBUTES = {
    "viewBox", "width", "height", "role", "aria-labelledby", "aria-hidden", "id", "class", "x", "y", "rx", "cx", "cy",
    "r", "d", "transform",
}  # fmt: skip


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - of our own making


def drawn(book: Playbook) -> ElementTree.Element:
    members = inspect_playbook(raw(book)).members
    return parsed(draw_playbook(members, check_safety(members)))


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def forty_steps() -> Playbook:
    """All kinds of steps, nested three deep, 40 of them."""
    branch = {f"a{n}": manual("scan-system", on_completion=f"a{n + 1}" if n < 6 else "end_a") for n in range(7)}
    other = {f"b{n}": manual("scan-system", on_completion=f"b{n + 1}" if n < 6 else "end_b") for n in range(7)}
    tail = {f"c{n}": manual("scan-system", on_completion=f"c{n + 1}" if n < 4 else "end") for n in range(5)}
    condition = {"condition": "__score__:value > 80 AND __evidence_families__:value >= 2"}
    return workflow(
        "error",
        top={"type": "parallel", "next_steps": ["switch", "loop"], "on_success": "c0", "on_failure": "lost"},
        switch={
            "type": "switch-condition", "switch": "__kind__:value",
            "cases": {"enterprise": "a0", "reseller": "b0", "default": "x0"}, "on_completion": "end_switch",
        },
        **branch,
        **other,
        x0=manual("deliver-content", on_success="x1", on_failure="end_x0"),
        x1=manual("scan-system", on_completion="end_x"),
        loop={"type": "while-condition", **condition, "on_true": "choice", "on_completion": "l0"},
        choice={"type": "if-condition", **condition, "on_true": "y0", "on_completion": "end_loop"},
        y0=manual("scan-system", on_completion="end_y"),
        l0=manual("scan-system", on_completion="end_l"),
        lost=manual("scan-system", on_completion="end_lost"),
        **tail,
        error=manual("restore-data", on_completion="end_error"),
    )  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, "forty steps"])
def test_every_step_is_drawn_and_no_shape_lies_over_another(name: str) -> None:
    book: Any = inspect_playbook(playbook_bytes(name)).members if name in NAMES else forty_steps()
    chart = chart_of(book)
    assert set(book["workflow"]) <= set(chart.figures)
    assert len(chart.figures) <= len(book["workflow"]) + 2
    sizes = {name: figure_size(figure) for name, figure in chart.figures.items()}
    layout = lay_out(sizes, [(line.source, line.target) for line in chart.lines])
    boxes = [(layout.centres[name], size) for name, size in sizes.items()]
    for ((x, y), one), ((other_x, other_y), other) in combinations(boxes, 2):
        beside = abs(x - other_x) >= (one.width + other.width) / 2 + 8
        assert beside or abs(y - other_y) >= (one.height + other.height) / 2 + 8
    for (x, y), size in boxes:
        assert size.width / 2 - 0.1 <= x <= layout.width - size.width / 2 + 0.1
        assert y + size.height / 2 <= layout.height + 0.1


def test_forty_steps_of_every_kind_fit_a_page_width_and_say_their_labels() -> None:
    book = forty_steps()
    assert len(book["workflow"]) >= 40
    root = drawn(book)
    assert float(root.get("width", "0")) < 2_000
    assert float(root.get("height", "0")) < 4_000
    labels = texts(root)
    for label in ("on success", "on failure", "yes", "no", "done", "again", "as long as", "enterprise", "otherwise"):
        assert label in labels
    for word in ("On an error", "Start", "End", "tells the customer", "undoes", "if, switch"):
        assert word in labels


def test_it_has_a_title_a_description_and_a_style_for_light_and_dark() -> None:
    root = drawn(forty_steps())
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "chart-title chart-description")
    title, description, style = (root.find(f"{SVG}{name}") for name in ("title", "desc", "style"))
    assert title is not None
    assert title.text == "A playbook under test"
    assert description is not None
    assert "Flow chart" in (description.text or "")
    assert style is not None
    assert "prefers-color-scheme:dark" in (style.text or "")


def test_it_is_drawn_the_same_every_time() -> None:
    book = inspect_playbook(raw(forty_steps())).members
    assert draw_playbook(book) == draw_playbook(inspect_playbook(raw(forty_steps())).members)


def test_a_step_that_breaks_a_rule_is_marked() -> None:
    book = workflow(act=manual("eliminate-risk", on_completion="end"))
    assert 'class="box refuse"' in draw_playbook(book, check_safety(inspect_playbook(raw(book)).members))
    assert len(re.findall('class="box refuse"', draw_playbook(book))) == 1  # in the legend


HOSTILE = [
    "<script>alert(1)</script>",
    "]]><script/>",
    "</text></svg><svg onload='x'>",
    '" onmouseover="alert(1)',
    "&lt;b&gt; &amp; &#x3c;",
    "<!-- --><?x ?><!DOCTYPE y>",
    "\u202egnp.exe\u202c \u0000\u0007\ufffe",
    "日本語の長い名前" * 30,
    "W" * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts(text: str) -> None:
    book = workflow(
        act=manual("scan-system", on_completion="choice", name=text),
        choice={
            "type": "switch-condition", "switch": "__kind__:value", "cases": {text: "yes"}, "on_completion": "end",
            "name": text,
        },
        yes=manual("scan-system", on_completion="end_yes"),
    )  # fmt: skip
    book["name"] = text
    for agent in book["agent_definitions"].values():
        agent["name"] = text
    svg = draw_playbook(book, check_safety(book))
    root = parsed(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ELEMENTS
    assert {name for element in root.iter() for name in element.attrib} <= ATTRIBUTES
    assert "\u202e" not in svg
    assert len(svg) < 40_000


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_well_formed_xml_in_its_room(text: str) -> None:
    book = workflow(act=manual("scan-system", on_completion="end", name=text or "x"))
    parsed(draw_playbook({**book, "name": text or "x"}))
    lines = wrapped(harmless(text), 13.0, 180.0, 3)
    assert len(lines) <= 3
    assert all(width_of(line, 13.0) <= 180.0 for line in lines)


def test_a_playbook_too_large_for_a_picture_says_so() -> None:
    steps = {f"s{n}": manual("scan-system", on_completion=f"s{n + 1}") for n in range(MAX_DRAWN_FIGURES)}
    book = workflow(**steps, **{f"s{MAX_DRAWN_FIGURES}": manual("scan-system", on_completion="end")})
    assert any("too many for a chart" in text for text in texts(drawn(book)))


def test_a_graph_is_placed_without_overlap_whatever_it_is() -> None:
    for seed in range(25):
        rng = random.Random(seed)
        names = [f"n{number}" for number in range(rng.randrange(1, 30))]
        edges = sorted(
            {(names[a], names[b]) for a, b in combinations(range(len(names)), 2) if rng.random() < 2 / len(names)}
        )
        sizes = {name: Size(rng.choice((12.0, 80.0, 236.0)), rng.choice((12.0, 60.0))) for name in names}
        layout = lay_out(sizes, edges)
        for (one, other), route in zip(edges, layout.routes, strict=True):
            assert layout.centres[one][1] < layout.centres[other][1]
            assert [y for _x, y in route] == sorted(y for _x, y in route)
        for one, other in combinations(names, 2):
            (x, y), (other_x, other_y) = layout.centres[one], layout.centres[other]
            apart = abs(x - other_x) >= (sizes[one].width + sizes[other].width) / 2
            assert apart or abs(y - other_y) >= (sizes[one].height + sizes[other].height) / 2


def test_a_graph_whose_edges_pass_too_many_layers_is_not_placed() -> None:
    names = [f"n{number}" for number in range(200)]
    edges = [*pairwise(names), *((names[0], name) for name in names[2:])]
    with pytest.raises(GraphTooLargeError):
        lay_out(dict.fromkeys(names, Size(10, 10)), edges)


def test_the_exception_step_hangs_from_a_shape_of_its_own() -> None:
    chart = chart_of(inspect_playbook(playbook_bytes("rate_limits")).members)
    assert [line.source for line in chart.lines if line.source == ERROR] == [ERROR]
