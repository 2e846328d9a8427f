"""The two files that tell how to sign in and whom to trust: credentials.json and pins.json (docs/quickstart)."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from exchange.quickstart.errors import QuickstartError
from exchange.stack.state import private_file

CREDENTIALS_FILE = "credentials.json"
OPERATOR_FILE = "operator.json"
PINS_FILE = "pins.json"
TOOL_FILE = "config.toml"


@dataclass(frozen=True, slots=True)
class Account:
    """How one lab signs in. `node` is the address; `key_file` is empty where the exchange holds the signing key."""

    lab: str
    node: str
    identity: str
    username: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    api_token: str = field(repr=False)
    client_token: str = field(repr=False)
    key_file: str | None
    root_key_file: str


def read_accounts(path: Path) -> dict[str, Account]:
    """The accounts of an earlier start by lab; none where there is no file.

    Raises:
        QuickstartError: the file is damaged.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        accounts = [Account(**entry) for entry in entries]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError):
        # Without the reason: it would quote the file, which is secrets.
        raise QuickstartError(f"{path} is damaged: remove it, and new accounts are made") from None
    return {account.lab: account for account in accounts}


def write_accounts(path: Path, accounts: list[Account]) -> None:
    """Replace the file as a whole, mode 0600."""
    write_private_json(path, [asdict(account) for account in accounts])


def write_private_json(path: Path, value: Any) -> None:
    """Replace a file as a whole, mode 0600."""
    with private_file(path) as fd:
        os.write(fd, (json.dumps(value, indent=1) + "\n").encode())


def write_tool_configuration(path: Path, account: Account, pins: Path) -> None:
    """The lab tool's settings for one lab (COMMONWATCH_CONFIG), mode 0600: its node, its token, whom it trusts."""
    settings = {"node": account.node, "token": account.api_token, "pins": str(pins.resolve())}
    with private_file(path) as fd:
        os.write(fd, "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()).encode())
