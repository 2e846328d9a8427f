"""Puts an embedded node under a management command when no DATABASE_URL is given.

Runs before Django is set up, because the node's values come by the environment. It decides by the command's name
whether a database is needed at all; it knows no table.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from exchange import environment
from exchange.stack import Stack, StackError
from exchange.stack.nodes import DEFAULT_NODE, create_node, node_environment, node_home, node_names

DEFAULT_DATA_DIR = ".data"
EXIT_FAULT = 1
EXIT_USAGE = 2

WITHOUT_DATABASE = frozenset(
    {
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "makemigrations",
        "quickstart",
        "spectacular",
        "startapp",
        "startproject",
        "version",
    }
)
"""quickstart starts the stack itself, and several nodes on it."""

LEAVES_MIGRATIONS_ALONE = frozenset({"migrate", "showmigrations", "sqlmigrate", "dbshell"})
OVER_ALL_NODES = frozenset({"check_exchange"})


class UsageError(Exception):
    """The command line makes no sense; one line."""


@dataclass(frozen=True)
class CommandLine:
    """`argv` is what Django gets: without --node."""

    argv: list[str]
    node: str | None

    @property
    def command(self) -> str:
        return self.argv[1] if len(self.argv) > 1 else "help"

    @property
    def needs_database(self) -> bool:
        asks_for_help = any(word in {"--help", "-h", "--version"} for word in self.argv[1:])
        return not asks_for_help and not self.command.startswith("-") and self.command not in WITHOUT_DATABASE


def read_command_line(argv: Sequence[str]) -> CommandLine:
    """Take `--node NAME` or `--node=NAME` out of a command line.

    Raises:
        UsageError: no name stands after it, or it stands twice.
    """
    kept: list[str] = []
    names: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--node":
            names.append(next(words, ""))
        elif word.startswith("--node="):
            names.append(word.removeprefix("--node="))
        else:
            kept.append(word)
    if len(names) > 1 or "" in names:
        raise UsageError("--node takes one name of a node, once")
    return CommandLine(kept, names[0] if names else None)


def data_dir() -> Path:
    """DATA_DIR, where the embedded stack lives."""
    return Path(environment.read("DATA_DIR") or DEFAULT_DATA_DIR)


def run(argv: Sequence[str], execute: Callable[[list[str]], None]) -> int:
    """Run a management command, on an embedded node if it needs one; answers an exit code for the shell.

    `execute` is Django's execute_from_command_line; it may leave by SystemExit, which passes.
    """
    try:
        line = read_command_line(argv)
        if environment.read("DATABASE_URL") and line.node is not None:
            raise UsageError("--node picks a node of the embedded stack, but DATABASE_URL is set")
        if environment.read("DATABASE_URL") or not line.needs_database:
            execute(line.argv)
            return 0
        return _run_embedded(line, execute)
    except UsageError as error:
        return _complain(error, EXIT_USAGE)
    except (StackError, environment.EnvironmentValueError) as error:
        return _complain(error, EXIT_FAULT)


def _complain(error: BaseException, code: int) -> int:
    sys.stderr.write(f"commonwatch: {error}\n")
    return code


def _run_embedded(line: CommandLine, execute: Callable[[list[str]], None]) -> int:
    with Stack(data_dir()) as stack:
        names = node_names(stack.data_dir)
        if line.node is not None and line.node not in names:
            raise UsageError(
                f"there is no node {line.node} in {stack.data_dir}; there are: {', '.join(names) or 'none'}"
            )
        if line.node is None and line.command in OVER_ALL_NODES and len(names) > 1:
            return _run_for_each(names, line.argv)
        node = line.node or (names[0] if names else DEFAULT_NODE)
        create_node(stack, node)
        with _applied(node_environment(stack, node), os.environ):
            if line.command not in LEAVES_MIGRATIONS_ALONE:
                _migrate(node_home(stack.data_dir, node))
            execute(line.argv)
    return 0


def _run_for_each(names: Sequence[str], argv: Sequence[str]) -> int:
    """One process a node: Django's settings are made once per process. The worst exit code counts."""
    codes = []
    for name in names:
        sys.stderr.write(f"node {name}:\n")
        sys.stderr.flush()
        codes.append(subprocess.run([sys.executable, *argv, "--node", name], check=False).returncode)
    return max(codes, key=abs)


@contextmanager
def _applied(values: dict[str, str], environ: MutableMapping[str, str]) -> Iterator[None]:
    """Set the variables for the block; a NAME_FILE beside one of them would contradict it."""
    names = [name for variable in values for name in (variable, f"{variable}_FILE")]
    before = {name: environ.pop(name) for name in names if name in environ}
    environ.update(values)
    try:
        yield
    finally:
        for name in names:
            environ.pop(name, None)
        environ.update(before)


def _migrate(home: Path) -> None:
    """Bring the node's tables up to date: nobody else looks after an embedded database."""
    from exchange.startup import apply_missing_migrations

    apply_missing_migrations(home / "migrations.lock")
