"""`commonwatch ranges` and `commonwatch lookup` against a real node."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exchange.labtool.key_files import write_key_file
from exchange.labtool.keygen import make_lab
from exchange.labtool.main import main
from tests.support.labs import LabHandle
from tests.support.rest import RestNode

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def desk(node: RestNode, tmp_path: Path) -> Path:
    """Aurora's key with its identity beside it."""
    aurora = node.community.aurora
    write_key_file(tmp_path / "key.json", aurora.keys.signing)
    (tmp_path / "identity.json").write_bytes(aurora.keys.identity_bytes)
    return tmp_path


@pytest.fixture
def lone_desk(tmp_path: Path) -> Path:
    """A key and an identity that no node knows."""
    lab = make_lab("Lone", now=datetime.now(UTC))
    write_key_file(tmp_path / "key.json", lab.signing)
    (tmp_path / "identity.json").write_bytes(lab.identity_bytes)
    return tmp_path


def at(node: RestNode, lab: LabHandle) -> list[str]:
    return ["--node", node.url, "--token", lab.token]


def run(capsys: Captured, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    code = main(list(arguments))
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_file_is_published_and_found_and_the_next_one_takes_its_place(
    node: RestNode, desk: Path, capsys: Captured
) -> None:
    file = desk / "feed.csv"
    file.write_text("range,kind,asn\n203.0.113.0/24,vpn,64500\n198.51.100.0/24,vpn,64500\n203.0.113.128/25,vpn,64500\n")
    publish = ["ranges", str(file), "--marking", "green", "--key", str(desk / "key.json"), "--publish", "--json"]
    publish += at(node, node.community.aurora)
    code, (report,) = run(capsys, *publish)
    assert code == 0
    assert (report["taken"], report["refused"], report["overlapping"]) == (3, 0, 1)
    assert report["overlaps"] == [{"net": "203.0.113.128/25", "within": "203.0.113.0/24"}]
    assert [each["status"] for each in report["objects"]] == ["stored"]
    asked = desk / "asked"
    asked.write_text("# asked\n203.0.113.200\nAS64500\nexample.com\n198.51.100.1\n")
    lookup = ["lookup", str(asked), "--json", *at(node, node.community.cobalt)]
    code, answers = run(capsys, *lookup)
    assert code == 0
    assert [(each["line"], len(each["matches"])) for each in answers] == [(2, 2), (3, 3), (4, 0), (5, 1)]

    file.write_text("range,kind\n203.0.113.0/24,hosting\nnot a network,hosting\n")
    code, (report,) = run(capsys, *publish)
    assert code == 1
    assert [(each["line"], each["refused"]) for each in report["lines"]] == [(3, True)]
    code, answers = run(capsys, *lookup, "--matches-only")
    assert [(each["line"], [match["kind"] for match in each["matches"]]) for each in answers] == [(2, ["hosting"])]


def test_what_is_no_question_is_told_and_the_rest_is_asked(node: RestNode, desk: Path, capsys: Captured) -> None:
    asked = desk / "asked"
    asked.write_text("1.2.3.4\np\u0430ypal.com\n1.2.3.400\n::ffff:1.2.3.4\n", encoding="utf-8")
    assert main(["lookup", str(asked), *at(node, node.community.cobalt)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0] == "1.2.3.4  nothing known"
    assert "line 2:" in lines[1]
    assert "Cyrillic" in lines[1]
    assert "line 3:" in lines[2]


def test_objects_go_to_a_file_that_publish_takes(node: RestNode, desk: Path, capsys: Captured) -> None:
    (desk / "list").write_text("192.0.2.1\n")
    ranges = ["ranges", str(desk / "list"), "--marking", "green", "--key", str(desk / "key.json")]
    assert main([*ranges, "--to", str(desk / "signed.json")]) == 0
    assert main(["publish", str(desk / "signed.json"), *at(node, node.community.aurora)]) == 0
    assert "stored" in capsys.readouterr().out
    assert main(ranges) == 0
    assert json.loads(capsys.readouterr().out)[0]["type"] == "infrastructure"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--json"], 2),
        (["--parts", "3"], 2),
        (["--max-width", "33"], 2),
        (["--distribution", "amber"], 2),
        (["--marking", "purple"], 1),
        (["--kind", "tor"], 1),
    ],
)
def test_options_that_make_no_sense_are_refused(lone_desk: Path, options: list[str], code: int) -> None:
    (lone_desk / "list").write_text("192.0.2.1\n")
    base = ["ranges", str(lone_desk / "list"), "--marking", "green", "--key", str(lone_desk / "key.json")]
    assert main([*base, *options]) == code


def test_a_file_without_networks_or_none_at_all_is_said(lone_desk: Path) -> None:
    (lone_desk / "empty").write_text("range\n")
    for name in ("empty", "nowhere"):
        assert main(["ranges", str(lone_desk / name), "--marking", "green", "--key", str(lone_desk / "key.json")]) == 1
