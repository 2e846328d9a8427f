"""The ports and passwords of a stack, kept in ``DATA_DIR/stack.json`` (mode 0600).

It generates them once; it does not tell the servers about them.
"""

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from exchange.stack.errors import StackError

PASSWORD_BYTES = 32


def _new_password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


@dataclass(frozen=True)
class StackState:
    """What must be the same on the next start. A port of 0 has not been chosen yet."""

    postgres_port: int = 0
    broker_port: int = 0
    superuser_password: str = field(default_factory=_new_password, repr=False)
    owner_password: str = field(default_factory=_new_password, repr=False)
    app_password: str = field(default_factory=_new_password, repr=False)
    broker_password: str = field(default_factory=_new_password, repr=False)


@contextlib.contextmanager
def private_file(path: Path) -> Iterator[int]:
    """Give a descriptor for the new content of ``path`` (mode 0600), which replaces the old at the end as a whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        yield fd
        os.fsync(fd)
        draft.replace(path)
    except BaseException:
        draft.unlink()
        raise
    finally:
        os.close(fd)


def load_state(path: Path) -> StackState | None:
    """Read the state, None when there is none.

    Raises:
        StackError: the file is damaged, cannot be read, or belongs to somebody else (files of two users in one data
            directory would lock one of them out).
    """
    try:
        owner = path.stat().st_uid
        if owner != os.geteuid():
            raise StackError(f"{path.parent} belongs to user id {owner}; run this command as that user")
        return StackState(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StackError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise StackError(f"{path} is damaged: restore it, or remove the data directory to begin anew") from error


def save_state(path: Path, state: StackState) -> None:
    """Write the state in one step."""
    with private_file(path) as fd:
        os.write(fd, json.dumps(asdict(state), indent=1).encode())
