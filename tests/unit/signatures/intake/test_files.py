"""Which files count, and what is said of those that do not."""

import json
from pathlib import Path
from typing import Any

import pytest

from signatures.intake import IntakeError, read_given
from signatures.intake import files as files_module


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def indicator(number: int) -> dict[str, Any]:
    return {"type": "indicator", "id": f"indicator--{number}"}


def test_of_a_pulled_folder_counts_what_was_verified_and_what_was_put_aside_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path / "objects" / "lab" / "1.json", indicator(1))
    write(tmp_path / "objects" / "lab" / "2.json", {"type": "report", "id": "report--2"})
    for number, reason in ((3, {"state": "suspended"}), (4, {"state": ["x"]}), (5, "[")):
        write(tmp_path / "withdrawn" / "lab" / f"{number}.json", indicator(number))
        write(tmp_path / "withdrawn" / "lab" / f"{number}.reason.json", reason)
    write(tmp_path / "withdrawn" / "lab" / "6.json", indicator(6))
    write(tmp_path / "quarantine" / "7.json", indicator(7))
    write(tmp_path / ".state" / "8.json", indicator(8))

    found = {each.members["id"][-1]: each.aside for each in read_given([tmp_path]).objects}

    assert found == {"1": "", "3": "suspended", "4": "withdrawn", "5": "withdrawn", "6": "withdrawn"}


def test_a_file_that_was_put_aside_is_so_when_it_is_named_too(tmp_path: Path) -> None:
    file = write(tmp_path / "withdrawn" / "20260101T000000.000Z.json", indicator(1))
    write(tmp_path / "withdrawn" / "20260101T000000.000Z.reason.json", {"state": "suspended"})
    assert [each.aside for each in read_given([file, tmp_path]).objects] == ["suspended"] * 2


def test_texts_and_objects_come_with_the_file_they_are_from_and_progress_is_told(tmp_path: Path) -> None:
    rule, objects = write(tmp_path / "a.YML", "title: T"), write(tmp_path / "b.json", [indicator(1), indicator(2)])
    write(tmp_path / "c.txt", "no")
    told: list[str] = []

    given = read_given([tmp_path], told.append)

    assert [(each.origin, each.text) for each in given.texts] == [(str(rule), "title: T")]
    assert [each.origin for each in given.objects] == [str(objects)] * 2
    assert told == ["reading file 1 of 2", "reading file 2 of 2"]


def test_a_file_that_is_no_text_no_json_or_too_large_is_a_fault_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "MAX_STIX_BYTES", 50)
    (tmp_path / "a.yml").write_bytes(b"title: \xff")
    write(tmp_path / "b.json", '{"type": ')
    write(tmp_path / "c.json", {"type": "indicator", "x": "x" * 50})
    write(tmp_path / "d.yml", "x" * 262_145)
    write(tmp_path / "e.yml", "title: T")

    given = read_given([tmp_path])

    assert [each.origin for each in given.texts] == [str(tmp_path / "e.yml")]
    assert [(Path(each.origin).name, each.message[:32]) for each in given.faults] == [
        ("a.yml", "the text is not UTF-8 (byte 7)"),
        ("b.json", "no STIX: " + given.faults[1].message[9:32]),
        ("c.json", "has more than 50 bytes"),
        ("d.yml", "has more than 262144 bytes"),
    ]
    assert all("\n" not in each.message for each in given.faults)


@pytest.mark.parametrize(("name", "content"), [("none.json", None), ("x.txt", "x"), ("x.json", "{}"), ("x.json", "[]")])
def test_a_path_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: str | None) -> None:
    if content is not None:
        write(tmp_path / name, content)
    with pytest.raises(IntakeError, match=name):
        read_given([tmp_path / name])
