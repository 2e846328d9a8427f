"""The file of ports and passwords."""

import dataclasses
import json
import os
from pathlib import Path

import pytest

from exchange.stack import StackError
from exchange.stack.state import StackState, load_state, private_file, save_state


def test_state_survives_writing_and_reading(tmp_path: Path) -> None:
    state = dataclasses.replace(StackState(), postgres_port=20001, broker_port=20002)
    save_state(tmp_path / "stack.json", state)
    assert load_state(tmp_path / "stack.json") == state


def test_state_file_is_for_its_owner_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save_state(tmp_path / "stack.json", StackState())
    finally:
        os.umask(before)
    assert (tmp_path / "stack.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["stack.json"]


def test_missing_state_is_none(tmp_path: Path) -> None:
    assert load_state(tmp_path / "stack.json") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"unknown": 1}', "\x00"])
def test_damaged_state_is_one_clear_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(StackError, match=r"stack\.json is damaged"):
        load_state(tmp_path / "stack.json")


def test_passwords_are_long_all_different_and_not_shown() -> None:
    state = StackState()
    passwords = {value for name, value in dataclasses.asdict(state).items() if name.endswith("password")}
    assert len(passwords) == 4
    assert all(len(password) >= 43 for password in passwords)
    assert not any(password in repr(state) for password in passwords)
    assert StackState().owner_password != state.owner_password


def test_failed_writing_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    save_state(path, StackState(postgres_port=20001))
    with pytest.raises(ZeroDivisionError), private_file(path) as fd:
        os.write(fd, bytes(1 // 0))
    assert json.loads(path.read_text())["postgres_port"] == 20001
    assert [left.name for left in tmp_path.iterdir()] == ["stack.json"]
