"""The file of accounts."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.quickstart.accounts import Account, keep_account, read_accounts
from exchange.quickstart.errors import QuickstartError

ACCOUNT = Account(
    lab="aurora",
    node="http://localhost:8000",
    identity="identity--6d7a3f4e-0000-4000-8000-000000000001",
    username="aurora-analyst",
    password="secret-1",
    totp_secret="secret-2",
    api_token="secret-3",
    client_token="secret-4",
    key_file="/x/signing-key.json",
    root_key_file="/x/root-key.json",
)


def test_accounts_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    assert read_accounts(path) == {}
    keep_account(path, ACCOUNT)
    assert read_accounts(path) == {"aurora": ACCOUNT}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_accounts_of_other_labs_stay_and_stand_in_order(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    cobalt = replace(ACCOUNT, lab="cobalt")
    for account in (cobalt, ACCOUNT, replace(cobalt, node="http://localhost:8001")):
        keep_account(path, account)
    assert list(read_accounts(path)) == ["aurora", "cobalt"]
    assert read_accounts(path)["cobalt"].node == "http://localhost:8001"


def test_account_never_shows_its_secrets() -> None:
    assert "secret" not in repr(ACCOUNT)


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"lab": "aurora", "password": "secret"}]'])
def test_damaged_file_is_reported_without_its_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials.json"
    path.write_text(text)
    with pytest.raises(QuickstartError, match="is damaged") as caught:
        read_accounts(path)
    assert "secret" not in str(caught.value)
