"""The files that tell how to sign in and whom to trust: credentials.json, operator.json and pins.json."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.labs import LABS, DemoNode
from exchange.stack.locks import held_lock
from exchange.stack.nodes import DEFAULT_NODE
from exchange.stack.state import private_file

CREDENTIALS_FILE = "credentials.json"
OPERATOR_FILE = "operator.json"
PINS_FILE = "pins.json"
TOOL_FILE = "config.toml"
LOCK_TIMEOUT_S = 60.0


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


def operator_file(data_dir: Path, node: DemoNode) -> Path:
    """The file with the account of the one who runs a node: that of the first beside the accounts of the labs."""
    return (data_dir if node.name == DEFAULT_NODE else node.folder(data_dir)) / OPERATOR_FILE


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


def keep_account(path: Path, account: Account) -> None:
    """Write the file anew with this account in it, mode 0600. Exchanges that are set up at once wait for one another.

    Raises:
        QuickstartError: the file is damaged.
    """
    with held_lock(path.with_suffix(".lock"), LOCK_TIMEOUT_S):
        accounts = {**read_accounts(path), account.lab: account}
        write_private_json(path, [asdict(accounts[lab.slug]) for lab in LABS if lab.slug in accounts])


def write_private_json(path: Path, value: Any) -> None:
    """Replace a file as a whole, mode 0600."""
    with private_file(path) as fd:
        os.write(fd, (json.dumps(value, indent=1) + "\n").encode())


def write_tool_configuration(path: Path, account: Account, pins: Path) -> None:
    """The lab tool's settings for one lab (COMMONWATCH_CONFIG), mode 0600: its node, its token, whom it trusts."""
    settings = {"node": account.node, "token": account.api_token, "pins": str(pins.resolve())}
    with private_file(path) as fd:
        os.write(fd, "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()).encode())
