"""The folder of a pull: names that cannot leave it, and a memory that outlives crashes."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.labtool.errors import DataError
from exchange.labtool.judging import Verdict
from exchange.labtool.shelf import Shelf
from exchange.labtool.shelf_memory import STATE_FILE, STATE_FOLDER, digest_of
from tests.unit.labtool.material import NOW

NODE = "http://localhost:8000"
UUID = "5a1f1f0e-8f0c-4b58-9a5b-0b5e6a1a7c01"
hostile = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [f"indicator--{UUID}", f"identity--{UUID}", "..", "../..", "/", f"../{UUID}", "2026-11-22T00:00:00.000Z", "7"]
    ),
    st.from_regex(r"[a-z./-]{0,20}--[0-9a-f./-]{0,36}"),
)


@given(object_id=hostile, version=hostile, producer=hostile)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_id_or_version_leads_out_of_the_folder(tmp_path: Path, object_id: str, version: str, producer: str) -> None:
    with Shelf(tmp_path, NODE) as shelf:
        verdict = Verdict(b"", id=object_id, version=version, producer=producer, kid="k" * 43)
        path = shelf.path_of(verdict)

    if path is not None:
        assert path.relative_to(tmp_path).parts == ("objects", producer, object_id, path.name)
        assert ".." not in path.parts
        assert not path.name.startswith(".")


@pytest.mark.parametrize(
    "spelling",
    ["2026-11-22T00:00:00Z", "2026-11-22T00:00:00.0Z", "2026-11-22T00:00:00.000Z", "2026-11-22T00:00:00.000000Z"],
)
def test_every_spelling_of_a_version_is_one_file(tmp_path: Path, spelling: str) -> None:
    with Shelf(tmp_path, NODE) as shelf:
        verdict = Verdict(b"", id=f"indicator--{UUID}", version=spelling, producer=f"identity--{UUID}")
        path = shelf.path_of(verdict)

    assert path is not None
    assert path.name == "20261122T000000.000Z.json"


def test_finer_versions_than_milliseconds_are_files_of_their_own(tmp_path: Path) -> None:
    with Shelf(tmp_path, NODE) as shelf:
        names = {
            str(shelf.path_of(Verdict(b"", id=f"indicator--{UUID}", version=version, producer=f"identity--{UUID}")))
            for version in ("2026-11-22T00:00:00.0001Z", "2026-11-22T00:00:00.0002Z", "2026-11-22T00:00:00.000Z")
        }

    assert len(names) == 3


def test_the_first_time_is_kept_whatever_comes_later(tmp_path: Path) -> None:
    with Shelf(tmp_path, NODE) as shelf:
        shelf.note_first_seen([b"x"], NOW)
        shelf.note_first_seen([b"x", b"y"], NOW + timedelta(days=1))
    with Shelf(tmp_path, NODE) as shelf:
        assert shelf.first_seen(b"x", NOW + timedelta(days=9)) == NOW
        assert shelf.first_seen(b"y", NOW + timedelta(days=9)) == NOW + timedelta(days=1)
        assert shelf.first_seen(b"z", NOW + timedelta(days=9)) == NOW + timedelta(days=9)


def test_a_line_that_a_crash_cut_off_harms_no_other(tmp_path: Path) -> None:
    with Shelf(tmp_path, NODE) as shelf:
        shelf.note_first_seen([b"x"], NOW)
    journal = tmp_path / STATE_FOLDER / "first-seen.jsonl"
    journal.write_bytes(journal.read_bytes() + f'{{"sha256":"{digest_of(b"y")}","first_se'.encode())
    with Shelf(tmp_path, NODE) as shelf:
        shelf.note_first_seen([b"z"], NOW)
    with Shelf(tmp_path, NODE) as shelf:
        later = NOW + timedelta(days=1)
        assert [shelf.first_seen(raw, later) for raw in (b"x", b"y", b"z")] == [NOW, later, NOW]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"node": 5}',
        b'{"node": "x", "places": []}',
        b'{"node": "x", "places": {"a": 5}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_state_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    with Shelf(tmp_path, NODE) as shelf:
        shelf.save_state()
    (tmp_path / STATE_FOLDER / STATE_FILE).write_bytes(content)

    with pytest.raises(DataError):
        Shelf(tmp_path, NODE)
    assert (tmp_path / STATE_FOLDER / STATE_FILE).read_bytes() == content


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(DataError, match="cannot use"):
        Shelf(tmp_path / "file", NODE)
