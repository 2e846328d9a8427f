"""`commonwatch playbook`: answers and exit codes, on the samples and on what was broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.labtool.key_files import write_key_file
from exchange.labtool.main import main
from exchange.stix.keys import SigningKey
from signatures.samples.playbooks import playbook_bytes

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "playbook.json"
    path.write_bytes(playbook_bytes("rate_limits"))
    return path


def test_a_sample_is_checked_and_drawn(book: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["playbook", "check", str(book)]) == 0
    assert capsys.readouterr().out.startswith("ok  playbook--")
    assert main(["playbook", "draw", str(book), "--to", str(tmp_path / "chart.svg")]) == 0
    assert (tmp_path / "chart.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_what_is_wrong_is_said_with_its_place(book: Path, capsys: Captured) -> None:
    members = json.loads(book.read_bytes())
    step = next(each for each in members["workflow"] if each.startswith("action"))
    members["workflow"][step]["commands"][0] = {"type": "manual", "command": "Delete the account"}
    book.write_text(json.dumps(members))
    assert main(["playbook", "check", str(book), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert {"severity": "refuse", "code": "unsafe-irreversible-without-approval", "pointer": f"/workflow/{step}"}.items(
    ) <= answer["findings"][0].items()  # fmt: skip
    members["workflow"][step]["agent"] = "group--nobody"
    book.write_text(json.dumps(members))
    assert main(["playbook", "check", str(book)]) == 1
    assert f"refuse  /workflow/{step}/agent: " in capsys.readouterr().out
    book.write_text("{")
    assert main(["playbook", "check", str(book)]) == 1
    assert main(["playbook", "draw", str(book)]) == 1
    assert main(["playbook", "check", str(book.with_name("nothing.json"))]) == 1


def test_a_playbook_is_signed_countersigned_and_verified(
    book: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = SigningKey.generate("sig"), SigningKey.generate("sig")
    for name, key in (("ours", ours), ("theirs", theirs), ("root", SigningKey.generate("root"))):
        write_key_file(tmp_path / name, key)

    def sign(*arguments: str) -> int:
        return main(["playbook", "sign", str(book), "--signee", "Lab A", *arguments])

    assert main(["playbook", "verify", str(book)]) == 1
    assert sign("--key", str(tmp_path / "root")) == 1
    capfd.readouterr()
    assert sign("--key", str(tmp_path / "ours")) == 0
    book.write_text(capfd.readouterr().out)
    assert sign("--key", str(tmp_path / "theirs"), "--countersign", "1") == 1
    capfd.readouterr()
    assert sign("--key", str(tmp_path / "theirs"), "--countersign", "0") == 0
    book.write_text(capfd.readouterr().out)

    assert main(["playbook", "verify", str(book), "--trust", ours.kid, "--trust", theirs.kid]) == 0
    assert main(["playbook", "verify", str(book)]) == 0
    capfd.readouterr()
    assert main(["playbook", "verify", str(book), "--trust", ours.kid, "--json"]) == 1
    told = json.loads(capfd.readouterr().out)["signatures"]
    assert [(each["ok"], each["trusted"]) for each in told] == [(True, True), (False, False)]
    book.write_text(book.read_text().replace("Halve the rate", "Double the rate"))
    assert main(["playbook", "verify", str(book)]) == 1
