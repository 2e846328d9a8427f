"""`commonwatch convert`: files in, queries out, one line for what cannot be."""

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from exchange.labtool.main import main
from signatures.samples import SAMPLE_SIGNATURES

PAGE = Path(__file__).parents[3] / "docs" / "conversion.md"
RULE = "title: T\nlogsource: {category: llm_api}\ndetection: {sel: {user.id: u1}, condition: sel}\n"
SUM = """title: A
name: a
logsource: {category: llm_api}
detection: {sel: {user.id|exists: true}, condition: sel}
---
title: Sum
correlation:
  type: value_sum
  rules: [a]
  group-by: [user.id]
  timespan: 1d
  condition: {field: gen_ai.usage.output_tokens, gt: 5}
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
)
CYCLE = """title: A
name: a
correlation: {type: event_count, rules: [b], group-by: [user.id], timespan: 1h, condition: {gte: 1}}
---
title: B
name: b
correlation: {type: event_count, rules: [a], group-by: [user.id], timespan: 1h, condition: {gte: 1}}
"""
BAD = {
    "bomb": (BOMB, "line "),
    "too large": (RULE + f"description: {'x' * 1_000_000}\n", "has more than 262144 bytes"),
    "unknown modifier": (RULE.replace("user.id", "user.id|sounds_like"), "Document 1, line 3, column "),
    "circle": (CYCLE, "Document 1, line 3, column "),
    "duplicate name": (SUM.replace("title: Sum", "title: Sum\nname: a"), "Document 2, line 7, column 7"),
    "no YAML": ("title: [", "line "),
    "no Sigma": ("- a\n- b\n", "Document 1, line 1, column 1"),
    "unknown rule": (SUM.replace("[a]", "[c]"), "'c' is no rule of this text"),
}


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Answer]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("HOME", str(tmp_path))

    def call(*arguments: object) -> Answer:
        try:
            code = main(["convert", *map(str, arguments)])
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


def write(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def indicator(number: int, **members: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "id": f"indicator--00000000-0000-4000-8000-{number:012}",
        "created_by_ref": "identity--11111111-1111-4111-8111-111111111111",
        "modified": "2026-11-20T00:00:00.000Z",
        "pattern_type": "sigma",
        "pattern": RULE,
        **members,
    }


def test_the_targets_are_listed_for_people_and_for_programs(run: Run) -> None:
    names = [line.split()[0] for line in run("--list").out.splitlines()]
    listed = json.loads(run("--list", "--json").out)["targets"]

    assert names == [each["name"] for each in listed]
    assert {"splunk", "esql", "eql", "opensearch", "loki", "kusto", "spark", "sqlite", "duckdb"} <= set(names)


def test_a_rule_comes_out_as_a_query_under_what_it_carries(run: Run, tmp_path: Path) -> None:
    answer = run(write(tmp_path, "rule.yml", RULE), "--target", "sqlite")

    assert (answer.code, answer.err) == (0, "")
    *comments, query, blank = answer.out.splitlines()
    assert comments[0] == "-- title: T"
    assert query.startswith("SELECT * FROM `llm_gateway` WHERE")
    assert blank == ""


def test_the_samples_convert_to_what_can_express_them(run: Run, tmp_path: Path) -> None:
    for sample in SAMPLE_SIGNATURES.values():
        write(tmp_path, sample.file, sample.text)

    for target, count in (
        ("sqlite", 8),
        ("spark", 8),
        ("kusto", 8),
        ("splunk", 6),
        ("esql", 6),
        ("loki", 5),
        ("eql", 3),
    ):
        answer = run(tmp_path, "--target", target, "--json")
        report = json.loads(answer.out)
        assert len(report["conversions"]) == count, target
        assert answer.code == (count < 8)
        assert len({each["origin"] for each in report["refused"]}) == 8 - count


def test_a_refusal_is_one_line_with_file_place_and_construct(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "sum.yml", SUM)
    answer = run(path, "--target", "eql")
    refused = json.loads(run(path, "--target", "eql", "--json").out)["refused"]

    assert answer.code == 1
    assert answer.out == ""
    assert answer.err == f"commonwatch: {path}: document 2, line 8, column 9: value_sum: a sequence adds nothing up\n"
    assert refused == [
        {
            "origin": str(path),
            "construct": "value_sum",
            "place": "document 2, line 8, column 9",
            "reason": "a sequence adds nothing up",
        }
    ]


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_does_not_keep_the_rest_from_being_converted(
    run: Run, tmp_path: Path, text: str, said: str
) -> None:
    write(tmp_path, "bad.yml", text)
    write(tmp_path, "good.yaml", RULE)

    answer = run(tmp_path, "--target", "kusto")

    assert answer.code == 1
    assert len(answer.err.splitlines()) == 1
    assert str(tmp_path / "bad.yml") in answer.err
    assert said in answer.err
    assert answer.out.startswith("// title: T\n")


def test_indicators_come_as_object_list_bundle_and_folder(run: Run, tmp_path: Path) -> None:
    others = [{"type": "identity", "id": "identity--11111111-1111-4111-8111-111111111111", "name": "Aurora"}]
    write(tmp_path, "one.json", indicator(1))
    write(tmp_path, "list.json", [indicator(2), indicator(3, pattern_type="stix", pattern="[x:y = 'z']")])
    write(tmp_path, "bundle.json", {"type": "bundle", "id": "bundle--1", "objects": [indicator(4), *others]})

    answer = run(tmp_path, "--target", "loki", "--json")
    report = json.loads(answer.out)

    assert answer.code == 0
    assert sorted(each["id"][-1] for each in report["conversions"]) == ["1", "2", "4"]
    producers = {
        item["text"] for each in report["conversions"] for item in each["carried"] if item["name"] == "producer"
    }
    assert producers == {"Aurora (identity--11111111-1111-4111-8111-111111111111)"}


def test_of_a_pulled_folder_only_what_was_verified_is_converted(run: Run, tmp_path: Path) -> None:
    for number, name in enumerate(["objects", "quarantine", "withdrawn", ".state"]):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "x.json", indicator(number))

    answer = run(tmp_path, "--target", "spark", "--json")
    asked = json.loads(run(tmp_path, "--target", "spark", "--json", "--revoked").out)

    assert [each["id"][-1] for each in json.loads(answer.out)["conversions"]] == ["0"]
    assert "withdrawn: ask for it with --revoked" in answer.err
    assert len(answer.err.splitlines()) == 1
    assert [each["id"][-1] for each in asked["conversions"]] == ["0", "2"]


def test_revoked_ones_are_refused_unless_asked_for(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", indicator(1, revoked=True))

    assert "revoked: ask for it with --revoked" in run(path, "--target", "splunk").err
    answer = run(path, "--target", "splunk", "--revoked")
    assert answer.code == 0
    assert "``` state: revoked ```" in answer.out


def test_a_terminal_is_told_how_far_it_is_and_keeps_nothing_of_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "x.json", [indicator(1), indicator(2)])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    said = run(path, "--target", "sqlite").err

    assert "reading file 1 of 1" in said
    assert "converting signature 2 of 2" in said
    assert said.endswith("\r\x1b[K")
    assert "\n" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ["rule.yml"],
        ["--target", "sqlite"],
        ["rule.yml", "--target", "oracle"],
        ["rule.yml", "--target", "sqlite", "--table", "x; --"],
        ["rule.yml", "--target", "sqlite", "--timestamp", "a b"],
        ["rule.yml", "--target", "sqlite", "--schema", "other"],
    ],
)
def test_a_wrong_call_is_a_matter_of_usage(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "rule.yml", RULE)

    assert run(*arguments).code == 2


@pytest.mark.parametrize(("name", "content"), [("x.json", "[1, 2"), ("x.json", "{}"), ("x.yml", "\x00"), ("x.txt", "")])
def test_a_file_without_a_signature_is_a_fault_of_the_data(run: Run, tmp_path: Path, name: str, content: str) -> None:
    answer = run(write(tmp_path, name, content), "--target", "sqlite")

    assert answer.code == 1
    assert len(answer.err.splitlines()) == 1


def test_a_text_that_is_not_utf_8_is_said_to_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_bytes(b"title: \xff\n")

    assert "x.yml: the text is not UTF-8" in run(tmp_path, "--target", "sqlite").err


def test_a_missing_path_is_one_line(run: Run, tmp_path: Path) -> None:
    answer = run(tmp_path / "none", "--target", "sqlite")

    assert (answer.code, answer.out) == (1, "")
    assert "no such file or folder" in answer.err


def test_the_documented_commands_run(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "rule.yml", RULE)
    (tmp_path / "pulled").mkdir()
    write(tmp_path / "pulled", "x.json", indicator(1))

    for command in block.splitlines():
        answer = run(*shlex.split(command)[2:])
        assert (answer.code, answer.err) == (0, ""), command
        assert answer.out
