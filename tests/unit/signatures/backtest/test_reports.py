"""Reports: what stands in them, and that hostile text does no harm there."""

from __future__ import annotations

import json
import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from signatures.backtest.engine import printable
from signatures.backtest.reports.lines import to_lines
from signatures.backtest.reports.page import to_page
from signatures.backtest.reports.values import to_json
from signatures.backtest.results import Results
from tests.unit.signatures.backtest.material import INDICATOR, ROWS, indicator, row, rule, run, write_json

HOSTILE = "</title><script>alert(1)</script><img src=http://x.example/a onerror=b> \x1b[2J & \u202e'\""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("hostile")
    title = json.dumps(HOSTILE)
    (folder / "one.yml").write_text(rule(1).replace("title: Burst 1", f"title: {title}"))
    (folder / "bad.yml").write_text("title: <b>")
    rows = [*ROWS, *(row(9000 + second, HOSTILE, HOSTILE) for second in range(4))]
    return run(sorted(folder.glob("*.yml")), [write_json(folder / "a.jsonl", rows)], "llmx.label.campaign")


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _value in attrs)


def test_the_page_stands_alone_and_escapes_everything(results: Results) -> None:
    page = to_page(results).decode()
    read = _Tags()
    read.feed(page)
    assert read.tags.isdisjoint({"script", "img", "b", "link", "iframe", "object", "a"})
    assert read.attributes.isdisjoint({"src", "href", "onerror", "onload"})
    assert "default-src 'none'" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert page.count("<svg") >= 4
    assert page.count("<svg") == page.count("</svg>")


def test_lines_move_no_cursor_and_say_why_something_was_not_tested(results: Results) -> None:
    text = "\n".join(to_lines(results))
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", text) is None
    assert "not tested: Document 1, line 1, column 1" in text
    assert f"{len(ROWS) + 4} rows" in text


def test_json_has_the_names_of_the_contract(results: Results) -> None:
    read = json.loads(json.dumps(to_json(results)))
    assert {"rows", "seconds", "signatures"} <= read.keys()
    bad, good = read["signatures"]
    for signature in (bad, good):
        assert {"id", "name", "hits", "entities", "precision", "recall"} <= signature.keys()
    assert (bad["tested"], bad["state"], bad["precision"]) == (False, "invalid", None)
    assert (good["hits"], good["precision"], good["alerts_per_day"]) == (4, 0.5, 4.0)
    assert [each["name"] for each in good["labels"]["campaigns"]] == sorted({"blue", "red", HOSTILE})


def test_every_report_carries_version_state_dispute_and_what_changed(tmp_path: Path) -> None:
    newer = indicator(
        1,
        modified="2026-02-01T00:00:00.000Z",
        confidence=70,
        pattern=rule(1).replace("gte: 3", "gte: 4"),
        kill_chain_phases=[{"kill_chain_name": "mitre-atlas", "phase_name": "exfiltration"}],
        external_references=[{"source_name": "mitre-atlas", "external_id": "AML.T0024.002"}],
        valid_until="2026-02-20T00:00:00Z",
    )
    against = {
        "type": "opinion",
        "id": "opinion--x",
        "created_by_ref": "identity--x",
        "opinion": "strongly-disagree",
        "modified": "2026-02-28T00:00:00Z",
        "object_refs": [INDICATOR.format(1)],
        "explanation": HOSTILE,
    }
    identity = {"type": "identity", "id": "identity--x", "name": "Borealis"}
    (tmp_path / "all.json").write_text(json.dumps([indicator(1), newer, against, identity]))
    found = run([tmp_path / "all.json"], [write_json(tmp_path / "a.jsonl", ROWS)])

    carried = [(each["name"], each["text"]) for each in to_json(found)["signatures"][0]["carried"]]
    assert {
        ("version", "2026-02-01T00:00:00.000Z"),
        ("state", "expired, disputed"),
        ("confidence", "70"),
        ("ATLAS techniques", "AML.T0024.002"),
        ("kill chain", "mitre-atlas/exfiltration"),
        ("valid until", "2026-02-20T00:00:00Z"),
        ("disputed by", f"Borealis (identity--x): {HOSTILE}"),
        ("version before", "2026-01-01T00:00:00.000Z"),
        ("changed since", "/confidence: added 70"),
        ("changed since", "+     gte: 4"),
    } <= set(carried)
    text, page = "\n".join(to_lines(found)), to_page(found).decode()
    for name, said in carried:
        assert f"  {name}: {printable(said)}" in text
        assert f"<td>{name}</td><td>{escape(printable(said))}</td>" in page
