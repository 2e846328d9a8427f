"""As whom PostgreSQL runs."""

import os
from pathlib import Path

import pytest

from exchange.stack import StackError
from exchange.stack.identity import Identity, can_reach, choose_identity, same_identity


def as_user(monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)


def test_plain_user_runs_postgres_as_himself(monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 65534)
    assert choose_identity(None, []).mode == "same"
    assert choose_identity(65534, []).mode == "same"


def test_plain_user_may_not_touch_the_data_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 65534)
    with pytest.raises(StackError, match="belongs to user id 7, not to you"):
        choose_identity(7, [])


def test_plain_user_without_a_name_borrows_one_in_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 3_999_999_999)
    identity = choose_identity(None, [])
    assert identity.mode == "namespace"
    assert identity.uid != 0


def test_root_goes_on_as_the_user_who_owns_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 0)
    assert choose_identity(12345, []) == Identity("uid", 12345, 12345)


def test_root_becomes_another_user_where_a_namespace_cannot_reach_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(monkeypatch, 0)
    identity = choose_identity(None, [Path("/nonexistent")])
    assert identity.mode == "uid"
    assert identity.uid != 0


@pytest.mark.parametrize("mode", ["namespace", "uid"])
def test_root_never_runs_postgres_as_root(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    as_user(monkeypatch, 0)
    identity = choose_identity(None, [], "namespace" if mode == "namespace" else "uid")
    assert identity.mode == mode
    assert identity.uid != 0
    assert identity.gid != 0


def test_reach_is_tried_out(tmp_path: Path) -> None:
    assert can_reach(same_identity(), [tmp_path, Path("/")])
    assert not can_reach(same_identity(), [tmp_path / "missing"])
