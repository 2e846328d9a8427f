"""Nodes that live on the embedded stack: each has a database, two numbered broker databases and values of its own.

What must be the same on every start is kept in ``DATA_DIR/nodes/NAME/environment.json`` (mode 0600). This module hands
out environments; it starts no process, and does not know what is in a node's database.
"""

import base64
import json
import os
import re
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from exchange.stack.broker import DATABASES
from exchange.stack.errors import StackError
from exchange.stack.locks import held_lock
from exchange.stack.stack import Stack
from exchange.stack.state import private_file

DEFAULT_NODE = "main"
DEFAULT_ADDRESS = "http://localhost:8000"
NODE_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
LOCK_TIMEOUT_S = 60.0
SECRET_BYTES = 48
SEALING_KEY_BYTES = 32
# One of Valkey's numbered databases for the queue, the next one for the cache.
BROKERS_PER_NODE = 2


def _new_sealing_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(SEALING_KEY_BYTES)).decode()


@dataclass(frozen=True)
class NodeValues:
    """What a node keeps from its first start on. ``number`` counts the nodes of one stack from 0."""

    number: int
    database: str
    public_url: str = DEFAULT_ADDRESS
    allowed_hosts: str = "localhost,127.0.0.1"
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(SECRET_BYTES), repr=False)
    sealing_keys: str = field(default_factory=_new_sealing_key, repr=False)


def node_home(data_dir: Path, name: str) -> Path:
    """The folder of a node.

    Raises:
        StackError: not the form of a name.
    """
    if not NODE_NAME.fullmatch(name):
        raise StackError(f"{name!r} is no name of a node: a to z, 0 to 9 and -, beginning with a letter, at most 31")
    return data_dir / "nodes" / name


def node_names(data_dir: Path) -> list[str]:
    """The nodes of a data directory, the oldest first."""
    folder = data_dir / "nodes"
    names = [path.parent.name for path in folder.glob("*/environment.json")]
    return sorted(names, key=lambda name: _load(data_dir, name).number)


def create_node(stack: Stack, name: str) -> bool:
    """Give the node its values and its database, unless it has them; tell whether it is new.

    Raises:
        StackError: a bad name, no room on the broker, damaged values, or the servers are not started.
    """
    home = node_home(stack.data_dir, name)
    with held_lock(stack.data_dir / "nodes.lock", LOCK_TIMEOUT_S):
        is_new = not _values_path(stack.data_dir, name).exists()
        if is_new:
            number = 1 + max((_load(stack.data_dir, other).number for other in node_names(stack.data_dir)), default=-1)
            if (number + 1) * BROKERS_PER_NODE > DATABASES:
                raise StackError(f"the stack in {stack.data_dir} has no room for another node")
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            _save(stack.data_dir, name, NodeValues(number=number, database=f"node_{name}"))
    stack.create_database(_load(stack.data_dir, name).database)
    return is_new


def set_node_address(data_dir: Path, name: str, public_url: str) -> None:
    """Keep the address at which a node is reached from now on.

    Raises:
        StackError: there is no such node.
    """
    host = urlsplit(public_url).hostname or ""
    hosts = ",".join(dict.fromkeys([host, "localhost", "127.0.0.1"]))
    with held_lock(data_dir / "nodes.lock", LOCK_TIMEOUT_S):
        values = replace(_load(data_dir, name), public_url=public_url, allowed_hosts=hosts)
        _save(data_dir, name, values)


def node_address(data_dir: Path, name: str) -> str:
    """The address at which a node was reached last."""
    return _load(data_dir, name).public_url


def node_environment(stack: Stack, name: str) -> dict[str, str]:
    """The variables under which the node's processes run. They hold secrets: not for logs or arguments.

    Raises:
        StackError: there is no such node, or the stack has never been started.
    """
    values = _load(stack.data_dir, name)
    first_broker = values.number * BROKERS_PER_NODE
    return {
        "DATABASE_URL": stack.app_url(values.database),
        "DATABASE_OWNER_URL": stack.owner_url(values.database),
        "BROKER_URL": stack.broker_url(first_broker),
        "CACHE_URL": stack.broker_url(first_broker + 1),
        "SECRET_KEY": values.secret_key,
        "SEALING_KEYS": values.sealing_keys,
        "PUBLIC_URL": values.public_url,
        "ALLOWED_HOSTS": values.allowed_hosts,
        "DATA_DIR": str(stack.data_dir),
    }


def _values_path(data_dir: Path, name: str) -> Path:
    return node_home(data_dir, name) / "environment.json"


def _load(data_dir: Path, name: str) -> NodeValues:
    path = _values_path(data_dir, name)
    try:
        return NodeValues(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise StackError(f"there is no node {name} in {data_dir}") from None
    except OSError as error:
        raise StackError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        # Without the parser's message, which would carry the secrets of the file.
        raise StackError(f"{path} is damaged: restore it from a backup") from None


def _save(data_dir: Path, name: str, values: NodeValues) -> None:
    with private_file(_values_path(data_dir, name)) as fd:
        os.write(fd, json.dumps(asdict(values), indent=1).encode())
