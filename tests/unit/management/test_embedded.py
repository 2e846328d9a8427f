"""Which command line needs the embedded stack, and what is taken out of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.management.embedded import CommandLine, UsageError, read_command_line

ROOT = Path(__file__).resolve().parents[3]


def manage(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "kept", "node"),
    [
        (["migrate"], ["migrate"], None),
        (["migrate", "--node", "north", "--plan"], ["migrate", "--plan"], "north"),
        (["--node=north", "migrate"], ["migrate"], "north"),
    ],
)
def test_node_is_taken_out_of_the_command_line(words: list[str], kept: list[str], node: str | None) -> None:
    assert read_command_line(["manage.py", *words]) == CommandLine(["manage.py", *kept], node)


@pytest.mark.parametrize("words", [["--node"], ["--node", "a", "--node=b"], ["--node="]])
def test_node_without_a_name_or_twice_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError, match="--node takes one name"):
        read_command_line(["manage.py", "migrate", *words])


@pytest.mark.parametrize(
    "words", [[], ["help"], ["--version"], ["makemigrations"], ["migrate", "--help"], ["quickstart"]]
)
def test_commands_that_need_no_database_start_none(words: list[str]) -> None:
    assert not read_command_line(["manage.py", *words]).needs_database


@pytest.mark.parametrize("words", [["migrate"], ["create_lab", "aurora"], ["check_exchange"], ["shell"]])
def test_other_commands_need_a_database(words: list[str]) -> None:
    assert read_command_line(["manage.py", *words]).needs_database


def test_migrations_are_complete_without_any_database(tmp_path: Path) -> None:
    done = manage("makemigrations", "--check", "--dry-run", DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "data").exists()


def test_node_beside_database_url_is_one_line(tmp_path: Path) -> None:
    done = manage("migrate", "--node", "main", DATABASE_URL="postgresql://u@127.0.0.1:1/d", DATA_DIR=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "commonwatch: --node picks a node of the embedded stack, but DATABASE_URL is set\n"


def test_data_directory_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = manage("migrate", DATA_DIR=str(tmp_path / "file"))
    assert done.returncode == 1
    assert done.stderr.startswith("commonwatch: the data directory")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        "create_lab",
        "create_person",
        "create_token",
        "pin_key",
        "suspend_lab",
        "resume_lab",
        "create_collection",
        "check_exchange",
        "init_node",
    ],
)
def test_every_command_has_json_and_says_what_it_does(command: str) -> None:
    from django.core.management import load_command_class

    parser = load_command_class("exchange", command).create_parser("manage.py", command)
    assert "--json" in parser.format_help()
    assert parser.description
