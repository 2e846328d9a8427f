"""Which signatures there are in files and folders, and in which state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from signatures.backtest.collecting import collect_signatures
from signatures.backtest.errors import BacktestError
from signatures.backtest.signatures import Signature
from tests.unit.signatures.backtest.material import INDICATOR, NOW, RULE, indicator, rule, write_rule


def collect(*paths: Path) -> list[Signature]:
    return collect_signatures(paths, now=NOW)


def test_outermost_rules_are_signatures_and_generated_ones_too(tmp_path: Path) -> None:
    write_rule(tmp_path / "one.yml")
    (tmp_path / "two.yaml").write_text(rule(2).replace("condition:\n    gte", "generate: true\n  condition:\n    gte"))
    assert [(each.name, each.reason) for each in collect(tmp_path)] == [("Burst 1", ""), ("Chat", ""), ("Burst 2", "")]


def test_indicators_are_read_from_an_object_a_list_and_a_bundle(tmp_path: Path) -> None:
    forms: list[Any] = [indicator(1), [indicator(2)], {"type": "bundle", "id": "x", "objects": [indicator(3)]}]
    for number, form in enumerate(forms):
        (tmp_path / f"{number}.json").write_text(json.dumps(form))
    assert [(each.id, each.name) for each in collect(tmp_path)] == [
        (INDICATOR.format(number), f"Indicator {number}") for number in (1, 2, 3)
    ]


def test_a_pulled_folder_gives_what_is_in_force_and_the_newest_version(tmp_path: Path) -> None:
    objects = {
        "objects/a/1.json": indicator(1, name="old"),
        "objects/a/2.json": indicator(1, name="new", modified="2026-01-02T00:00:00Z"),
        "quarantine/3.json": indicator(3),
        "withdrawn/a/4.json": indicator(4),
        ".state/5.json": indicator(5),
        "objects/a/6.reason.json": indicator(6),
        "objects/a/.7.json": indicator(7),
        "objects/a/8.json": {"type": "identity", "id": "identity--x"},
    }
    for name, members in objects.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(json.dumps(members))
    new, aside = collect(tmp_path)
    assert (new.name, new.reason) == ("new", "")
    assert (aside.name, aside.state, aside.is_aside) == ("Indicator 4", "withdrawn", True)


def test_states_are_shown_and_what_is_revoked_is_not_run_unless_asked_for(tmp_path: Path) -> None:
    opinion = {
        "type": "opinion",
        "id": "opinion--x",
        "opinion": "disagree",
        "modified": "2026-02-28T00:00:00Z",
        "object_refs": [INDICATOR.format(3)],
    }
    objects = [
        indicator(1, revoked=True),
        indicator(2, valid_until="2026-02-01T00:00:00Z"),
        indicator(3),
        indicator(4, valid_until="2026-04-01T00:00:00Z"),
        indicator(5),
        opinion,
        {**opinion, "modified": "2026-02-01T00:00:00Z", "object_refs": [INDICATOR.format(5)]},
    ]
    (tmp_path / "all.json").write_text(json.dumps(objects))
    found = collect(tmp_path)
    assert [each.state for each in found] == ["revoked", "expired", "disputed", "current", "current"]
    assert [each.reason for each in found] == ["revoked: ask for it with --revoked", "", "", "", ""]
    asked = collect_signatures([tmp_path], now=NOW, include_revoked=True)
    assert [(each.state, each.reason) for each in asked] == [(each.state, "") for each in found]


def test_a_stix_pattern_is_reported_as_not_testable(tmp_path: Path) -> None:
    members = indicator(1, pattern_type="stix", pattern="[ipv4-addr:value = '198.51.100.7']")
    (tmp_path / "one.json").write_text(json.dumps(members))
    (signature,) = collect(tmp_path)
    assert (signature.test, signature.is_invalid) == (None, False)
    assert signature.reason == "patterns of type 'stix' are not tested on logs"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + place)}: &{chr(98 + place)} [{', '.join([f'*{chr(97 + place)}'] * 9)}]\n" for place in range(7)
)
CYCLE = """title: {one}
name: {one}
correlation:
  type: temporal
  rules: [{two}]
  group-by: [user.id]
  timespan: 1m
"""


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("title: [", "line 2, column 1"),
        (BOMB, "aliases expand to more nodes"),
        (rule(1, RULE) + "description: " + "x" * 1_000_000, "more than 262144 bytes"),
        (CYCLE.format(one="a", two="b") + "---\n" + CYCLE.format(one="b", two="a"), "the references run in a circle"),
        (rule(1, RULE).replace("chat\n  c", "chat\n    x|nonsense: 1\n  c"), "line 8"),
        ("", "holds no document"),
    ],
)
def test_what_is_no_rule_is_one_line_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "bad.yml").write_text(text)
    write_rule(tmp_path / "good.yml")
    bad, good = collect(tmp_path)
    assert bad.is_invalid
    assert bad.state == "invalid"
    assert place in bad.reason
    assert "\n" not in bad.reason
    assert good.test is not None


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_bytes(b"title: \xff")
    (tmp_path / "bad.json").write_bytes(b'{"type": ')
    assert ["no STIX" in each.reason or each.reason for each in collect(tmp_path)] == [
        True,
        "the text is not UTF-8 (byte 7)",
    ]


def test_a_refused_construct_is_named_with_rule_and_line(tmp_path: Path) -> None:
    text = (
        rule(1)
        .replace("type: event_count", "type: value_percentile")
        .replace("gte: 3", "gte: 3\n    percentile: 95\n    field: gen_ai.usage.output_tokens")
    )
    (tmp_path / "one.yml").write_text(text)
    (signature,) = collect(tmp_path)
    assert "Rule 'Burst 1': the correlation type value_percentile" in signature.reason
    assert "line 15, column 3" in signature.reason


def test_a_rule_for_another_product_is_not_tested(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(rule(1, RULE).replace("llm_gateway", "windows"))
    (signature,) = collect(tmp_path)
    assert "'windows'" in signature.reason


@pytest.mark.parametrize("changed", ["6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a01", "chat_1"])
def test_two_files_may_not_use_one_name_or_id(tmp_path: Path, changed: str) -> None:
    write_rule(tmp_path / "one.yml", 1)
    text = rule(2).replace("chat_2" if changed == "chat_1" else "6f1b0d5e-3c1a-4f0e-9a3b-2d7c5b8e1a02", changed)
    (tmp_path / "two.yml").write_text(text)
    with pytest.raises(BacktestError, match=f"two.yml.*{changed}.*one.yml"):
        collect(tmp_path)


@pytest.mark.parametrize("name", ["missing.yml", "other.txt", "plain.json", "empty"])
def test_a_path_without_signatures_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.txt").write_text("x")
    (tmp_path / "plain.json").write_text('{"a": 1}')
    (tmp_path / "empty").mkdir()
    with pytest.raises(BacktestError):
        collect(tmp_path / name)
