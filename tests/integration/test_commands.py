"""Management commands as an operator runs them: processes, on nodes of the embedded stack."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from exchange.stack import Stack, StackError
from exchange.stack.locks import is_locked
from exchange.stack.nodes import create_node, node_environment, node_home, node_names
from exchange.stix.keys import SigningKey
from tests.support.labs import Community

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Manage:
    """Runs manage.py on one data directory."""

    data_dir: Path

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env={**kept, "DATA_DIR": str(self.data_dir), **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def answer(self, *arguments: str) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def refusal(self, *arguments: str) -> str:
        """The one line of a command that fails with exit code 1."""
        done = self.run(*arguments)
        assert done.returncode == 1, done.stdout
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        return line.removeprefix("CommandError: ")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running stack, which the commands of this module find and use."""
    with Stack(tmp_path_factory.mktemp("commands") / "data", durable=False) as started:
        yield started


@pytest.fixture(scope="module")
def manage(stack: Stack) -> Manage:
    made = Manage(stack.data_dir)
    made.answer("init_node", "main", "--title", "Main", "--root-key-file", str(stack.data_dir / "root.json"))
    made.answer("create_lab", "aurora", "--name", "Aurora", "--contact", "ops@aurora.example")
    return made


# --- a node of its own -------------------------------------------------------------------------------------------


def test_first_command_starts_the_stack_migrates_and_stops_it(tmp_path: Path) -> None:
    manage = Manage(tmp_path / "data")
    line = manage.refusal("create_lab", "aurora", "--name", "Aurora")
    assert line == "this node has not been set up yet: run manage.py init_node"
    assert node_names(manage.data_dir) == ["main"]
    values = node_home(manage.data_dir, "main") / "environment.json"
    assert stat.S_IMODE(values.stat().st_mode) == 0o600
    assert not is_locked(manage.data_dir / "postgres.lock")
    assert not is_locked(manage.data_dir / "valkey.lock")
    shutil.rmtree(manage.data_dir)


def test_nodes_have_databases_brokers_and_keys_of_their_own(stack: Stack, manage: Manage) -> None:
    assert create_node(stack, "second")
    assert not create_node(stack, "second")
    first, second = (node_environment(stack, name) for name in ("main", "second"))
    shared = {"DATA_DIR", "PUBLIC_URL", "ALLOWED_HOSTS"}
    assert all(first[name] != second[name] for name in first.keys() - shared)
    with pytest.raises(StackError, match="there is no node third"):
        node_environment(stack, "third")


def test_node_is_picked_by_name_and_an_absent_one_is_named(stack: Stack, manage: Manage) -> None:
    create_node(stack, "second")
    assert "has not been set up" in manage.run("create_lab", "x", "--name", "X", "--node", "second").stderr
    done = manage.run("create_lab", "x", "--name", "X", "--node", "third")
    assert done.returncode == 2
    assert "there is no node third" in done.stderr


def test_root_key_is_in_its_file_alone_and_init_happens_once(stack: Stack, manage: Manage, tmp_path: Path) -> None:
    path = stack.data_dir / "root.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    root = SigningKey.from_text(path.read_text())
    assert root.use == "root"
    again = manage.answer("init_node", "main", "--title", "Main", "--root-key-file", str(tmp_path / "other.json"))
    assert again["is_new"] is False
    assert not (tmp_path / "other.json").exists()


# --- members -----------------------------------------------------------------------------------------------------


def test_lab_is_created_once(manage: Manage) -> None:
    assert manage.refusal("create_lab", "aurora", "--name", "Aurora") == "there is a lab aurora already"
    assert manage.run("create_lab", "Not A Slug", "--name", "X").returncode == 2


def test_person_gets_secrets_that_are_printed_once(manage: Manage) -> None:
    made = manage.answer("create_person", "aurora", "ada", "--role", "analyst")
    assert len(base64.b32decode(made["totp_secret"])) == 20
    assert len(made["password"]) >= 20
    assert manage.refusal("create_person", "aurora", "ada", "--role", "viewer") == "there is a person ada already"


def test_password_from_a_file_is_checked_and_not_printed(manage: Manage, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("short\n")
    line = manage.refusal("create_person", "-", "olga", "--role", "operator", "--password-file", str(path))
    assert "too weak" in line
    path.write_text("a long and unusual password\n")
    made = manage.answer("create_person", "-", "olga", "--role", "operator", "--password-file", str(path))
    assert "password" not in made
    assert made["lab"] is None


def test_operator_with_a_lab_and_person_without_one_are_refused(manage: Manage) -> None:
    for lab, role in (("aurora", "operator"), ("-", "viewer")):
        assert "an operator has no lab" in manage.refusal("create_person", lab, "nobody", "--role", role)


def test_token_is_printed_once_with_what_it_may(manage: Manage) -> None:
    made = manage.answer(
        *("create_token", "aurora", "--scopes", "read,sign", "--expires", "30d", "--collections", "signatures"),
        *("--highest-label", "amber", "--networks", "192.0.2.0/24", "--daily-quota", "10"),
    )
    assert made["token"].startswith(made["prefix"])
    assert made["scopes"] == ["read", "sign"]
    assert made["bounds"] == {
        "collections": ["signatures"],
        "highest_label": "TLP:AMBER",
        "networks": ["192.0.2.0/24"],
        "daily_quota": 10,
    }


def test_token_gets_rates_of_its_own_and_loses_them(manage: Manage) -> None:
    prefix = manage.answer("create_token", "aurora", "--rates", "read=5/s:50")["prefix"]
    limited = manage.answer("limit_token", prefix, "--rates", "read=9/s:90,publish=1/m:100")
    assert limited == {"prefix": prefix, "bounds": {"rates": "read=9/s:90,publish=1/m:100"}}
    assert "is not of the form" in manage.refusal("limit_token", prefix, "--rates", "fast")
    assert "known are read, publish" in manage.refusal("limit_token", prefix, "--rates", "anonymous=1/s:1")
    assert manage.refusal("limit_token", "cwt_00000000") == "there is no such token"
    assert manage.answer("limit_token", prefix) == {"prefix": prefix, "bounds": {}}


def test_token_that_makes_no_sense_is_refused_with_the_reason(community: Community) -> None:
    reasons = {
        ("nolab",): "there is no lab nolab",
        ("aurora", "--scopes=read,fly"): "scopes are one or more of",
        ("aurora", "--scopes=publish", "--client"): "a client token only reads",
        ("aurora", "--scopes=sign"): "needs bounds",
        ("aurora", "--expires=soon"): "--expires takes",
        ("aurora", "--expires=2020-01-01"): "expires in the future",
        ("aurora", "--networks=nowhere"): "a bound has the wrong form",
        ("aurora", "--highest-label=pink"): "a bound has the wrong form",
    }
    for arguments, reason in reasons.items():
        with pytest.raises(CommandError, match=reason):
            call_command("create_token", *arguments)


def dashed_thumbprint() -> str:
    """One that looks like an option, as one in 64 does."""
    return next(kid for kid in iter(lambda: SigningKey.generate("root").kid, "") if kid.startswith("-"))


def test_pin_is_checked_for_form_and_owner(manage: Manage) -> None:
    manage.answer("create_lab", "cobalt", "--name", "Cobalt")
    kid = dashed_thumbprint()
    assert manage.answer("pin_key", "aurora", kid) == {"lab": "aurora", "pinned": kid}
    assert "pinned for another lab" in manage.refusal("pin_key", "cobalt", kid)
    assert "43 characters" in manage.refusal("pin_key", "aurora", "abc")


def test_lab_is_suspended_and_resumed(manage: Manage) -> None:
    assert manage.answer("suspend_lab", "aurora")["status"] == "suspended"
    assert manage.answer("resume_lab", "aurora")["status"] == "active"
    assert manage.refusal("suspend_lab", "nolab") == "there is no lab nolab"


def test_collection_is_made_with_floor_and_grants(manage: Manage) -> None:
    made = manage.answer(
        *("create_collection", "feeds", "--title", "Feeds", "--scope", "open", "--floor", "green"),
        *("--read", "aurora", "--write", "aurora", "--public"),
    )
    assert made["floor"] == "TLP:GREEN"
    assert made["read"] == made["write"] == ["aurora"]
    assert "the alias feeds is taken" in manage.refusal("create_collection", "feeds", "--title", "Feeds")
    assert "no TLP label" in manage.refusal("create_collection", "other", "--title", "O", "--floor", "pink")
    assert "no lab nolab" in manage.refusal("create_collection", "other", "--title", "O", "--read", "nolab")


# --- the documentation -------------------------------------------------------------------------------------------


def test_commands_of_the_documentation_run_as_they_stand(tmp_path: Path) -> None:
    text = (ROOT / "docs/operations.md").read_text()
    (block,) = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    with Stack(tmp_path / "data", durable=False) as stack:
        manage = Manage(stack.data_dir)
        for line in block.splitlines():
            python, script, *arguments = shlex.split(line)
            assert (python, script) == ("python", "manage.py")
            done = manage.run(*(str(tmp_path / word) if word.endswith(".json") else word for word in arguments))
            assert done.returncode == 0, f"{line}: {done.stderr}"
    assert done.stdout.endswith("green\n")
    assert (tmp_path / "node-root-key.json").exists()


# --- checking ----------------------------------------------------------------------------------------------------


def test_check_is_green_for_one_node_and_over_all(stack: Stack, manage: Manage, tmp_path: Path) -> None:
    assert manage.answer("check_exchange", "--node", "main")["green"] is True
    create_node(stack, "second")
    manage.answer(
        *("init_node", "second", "--title", "Second", "--node", "second"),
        *("--root-key-file", str(tmp_path / "second.json")),
    )
    done = manage.run("check_exchange")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("green") == 2
    assert done.stderr.splitlines() == ["node main:", "node second:"]


def test_check_is_red_for_a_flipped_byte_and_names_it(stack: Stack, manage: Manage) -> None:
    flip = (
        "UPDATE version SET body = set_byte(body, 40, get_byte(body, 40) # 1) WHERE id = (SELECT min(id) FROM version)"
    )
    with psycopg.connect(node_environment(stack, "main")["DATABASE_OWNER_URL"]) as owner:
        owner.execute(flip)
    try:
        done = manage.run("check_exchange", "--node", "main")
        assert done.returncode == 1
        faults = [line for line in done.stdout.splitlines() if line.startswith("FAULT ")]
        assert any("version" in line for line in faults)
        assert done.stdout.splitlines()[-1].endswith("red")
        machine = manage.run("check_exchange", "--node", "main", "--json")
        assert machine.returncode == 1
        answer = json.loads(machine.stdout)
        assert answer["green"] is False
        assert answer["faults"][0].keys() == {"kind", "where", "detail"}
    finally:
        with psycopg.connect(node_environment(stack, "main")["DATABASE_OWNER_URL"]) as owner:
            owner.execute(flip)
