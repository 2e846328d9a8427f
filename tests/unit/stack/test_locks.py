"""Locks of a data directory."""

import os
import subprocess
from pathlib import Path

import pytest

from exchange.stack import StackError
from exchange.stack.locks import held_lock, is_locked, try_lock


def test_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    assert not is_locked(path)
    fd = try_lock(path)
    assert fd is not None
    assert is_locked(path)
    assert try_lock(path) is None
    os.close(fd)
    assert not is_locked(path)


def test_lock_handed_down_lives_as_long_as_the_heir(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    fd = try_lock(path)
    assert fd is not None
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[fd]) as heir:
        os.close(fd)
        assert is_locked(path)
        heir.communicate()
    assert not is_locked(path)


def test_waiting_for_a_lock_ends_with_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with (
        held_lock(path, 1),
        pytest.raises(StackError, match=r"x\.lock has been held by another"),
        held_lock(path, 0.1),
    ):
        raise AssertionError("held twice")


def test_lock_is_let_go_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), held_lock(tmp_path / "x.lock", 1):
        raise ZeroDivisionError
    assert not is_locked(tmp_path / "x.lock")
