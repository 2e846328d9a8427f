"""`manage.py quickstart` as a person runs it: a process, a terminal, Ctrl-C, and the lab tool beside it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from exchange.models import AuditEvent, Person, Token
from exchange.quickstart.accounts import read_accounts
from exchange.quickstart.labs import LABS as DEMO_LABS
from exchange.quickstart.labs import DemoNode
from exchange.quickstart.provisioning import provision_node
from exchange.samples import LABS, expected_views, sample_accounts, sample_ids
from exchange.services.access import authenticate_token
from exchange.services.clock import now
from exchange.services.collections import HOME_COLLECTIONS
from exchange.services.tokens import prefix_of
from exchange.stack import free_port
from exchange.stack.locks import is_locked
from exchange.stix.markings import Tlp

ROOT = Path(__file__).resolve().parents[2]
COMMONWATCH = str(Path(sys.executable).with_name("commonwatch"))
# The contract's bound for a first start; how long later ones take is measured in benchmarks/, not here.
FIRST_READY_S = 120
FIELDS = {
    "lab",
    "node",
    "identity",
    "username",
    "password",
    "totp_secret",
    "api_token",
    "client_token",
    "key_file",
    "root_key_file",
}
ONE_NODE = DemoNode("main", "Demonstration", DEMO_LABS)
SECRET_FIELDS = ("password", "totp_secret", "api_token", "client_token")


def environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}


@dataclass
class Quickstart:
    """One run: its data directory, the ports of its two exchanges and its process."""

    data_dir: Path
    port: int
    peer_port: int
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[str] | None = None
    ready_after_s: float = 0.0

    @property
    def output_path(self) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.txt")

    @property
    def output(self) -> str:
        return self.output_path.read_text()

    @property
    def accounts(self) -> dict[str, dict[str, Any]]:
        return {entry["lab"]: entry for entry in json.loads((self.data_dir / "credentials.json").read_text())}

    def start(self, within_s: float = FIRST_READY_S) -> None:
        argv = [sys.executable, str(ROOT / "manage.py"), "quickstart", "--data-dir", str(self.data_dir)]
        began = time.monotonic()
        with self.output_path.open("w") as output:
            self.process = subprocess.Popen(
                [*argv, "--port", str(self.port), "--peer-port", str(self.peer_port), *self.arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(),
                text=True,
            )
        while "ready" not in self.output.splitlines():
            assert self.process.poll() is None, self.output
            assert time.monotonic() - began < within_s, self.output
            time.sleep(0.05)
        self.ready_after_s = time.monotonic() - began

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def something_runs(self) -> bool:
        servers = any(is_locked(self.data_dir / f"{name}.lock") for name in ("postgres", "valkey"))
        return servers or any(self.answers("/healthz", port) is not None for port in (self.port, self.peer_port))

    def answers(self, path: str, port: int | None = None) -> int | None:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=5)
        try:
            connection.request("GET", path, headers={"Host": "localhost"})
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def command(self, *arguments: str) -> list[dict[str, Any]]:
        """What a management command beside it says: an answer for each node that it went over."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments, "--json"],
            env=environment() | {"DATA_DIR": str(self.data_dir)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def pids(self, needle: str) -> list[int]:
        """Processes whose arguments contain `needle` and this run's port or folder."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            except OSError:
                continue
            ports = {str(self.port), str(self.peer_port)}
            ours = ports & set(arguments) or any(str(self.data_dir) in argument for argument in arguments)
            if ours and any(needle in argument for argument in arguments):
                found.append(int(folder.name))
        return found


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quickstart]:
    """The exchanges of a first start, for tests that leave them as they are."""
    run = Quickstart(tmp_path_factory.mktemp("quickstart") / "data", free_port(), free_port())
    run.start()
    yield run
    assert run.stop() == 0, run.output
    assert not run.something_runs()


def eventually(condition: Any, timeout_s: float = 30.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


# --- what it leaves ----------------------------------------------------------------------------------------------


def test_accounts_are_complete_and_private(quickstart: Quickstart) -> None:
    path = quickstart.data_dir / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(quickstart.accounts) == list(LABS)
    for lab, account in quickstart.accounts.items():
        assert set(account) == FIELDS
        port = quickstart.peer_port if lab == "cobalt" else quickstart.port
        assert account["node"] == f"http://localhost:{port}"
        assert (account["key_file"] is None) == (lab == "borealis")
        for name in ("key_file", "root_key_file"):
            if account[name]:
                assert stat.S_IMODE(Path(account[name]).stat().st_mode) == 0o600


def test_pins_name_every_lab_and_both_nodes(quickstart: Quickstart) -> None:
    pins = json.loads((quickstart.data_dir / "pins.json").read_text())
    assert set(pins) == {*LABS, "main", "cobalt-node"}
    for lab, account in quickstart.accounts.items():
        assert pins[lab] == [json.loads(Path(account["root_key_file"]).read_text())["kid"]]


def test_terminal_and_logs_show_no_secret(quickstart: Quickstart) -> None:
    logs = [path for path in (quickstart.data_dir / "log").rglob("*") if path.is_file()]
    texts = {str(path): path.read_text(errors="replace") for path in logs}
    texts["terminal"] = quickstart.output
    secrets = [account[name] for account in quickstart.accounts.values() for name in SECRET_FIELDS]
    for home in (quickstart.data_dir, quickstart.data_dir / "nodes/cobalt-node"):
        operator = json.loads((home / "operator.json").read_text())
        secrets += [operator["password"], operator["totp_secret"]]
    for key_file in [*quickstart.data_dir.glob("labs/*/*-key.json"), *quickstart.data_dir.glob("nodes/*/*-key.json")]:
        secrets.append(json.loads(key_file.read_text())["d"])
    for values in (json.loads(path.read_text()) for path in quickstart.data_dir.glob("nodes/*/environment.json")):
        secrets += [values["secret_key"], values["sealing_keys"]]
    stack = json.loads((quickstart.data_dir / "stack.json").read_text())
    secrets += [value for name, value in stack.items() if name.endswith("_password")]
    assert len(secrets) == len(LABS) * len(SECRET_FIELDS) + 4 + 7 + 4 + 4
    secrets += [each.identifier.value for lab in LABS for each in sample_accounts(lab)]
    shown = {name for name, text in texts.items() for secret in secrets if secret in text}
    assert shown == set()


def test_arguments_of_its_processes_hold_no_secret(quickstart: Quickstart) -> None:
    tokens = [account["api_token"] for account in quickstart.accounts.values()]
    stack = json.loads((quickstart.data_dir / "stack.json").read_text())
    tokens += [value for name, value in stack.items() if name.endswith("_password")]
    for pid in quickstart.pids(""):
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
        assert not any(token in arguments for token in tokens)


def test_terminal_says_what_each_lab_cannot_see_and_why(quickstart: Quickstart) -> None:
    blocks = re.split(r"\n\n", quickstart.output)
    for lab, views in expected_views(apart=True).items():
        block = next(text for text in blocks if text.startswith(f"{lab} ("))
        hidden = {key: view.reason for key, view in views.items() if not view.may_read}
        assert set(re.findall(r"^    (\S+/\S+)", block, re.MULTILINE)) == set(hidden)
        flat = " ".join(block.split())
        assert all(f"{key} because {reason}" in flat for key, reason in hidden.items())


# --- the lab tool against it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lab", LABS)
def test_pull_as_each_lab_gives_exactly_the_table(quickstart: Quickstart, tmp_path: Path, lab: str) -> None:
    account = quickstart.accounts[lab]
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("commonwatch")),
            "pull",
            "--collection",
            "all",
            "--to",
            str(tmp_path / "o"),
        ],
        env=environment()
        | {
            "COMMONWATCH_NODE": account["node"],
            "COMMONWATCH_TOKEN": account["api_token"],
            "COMMONWATCH_PINS": str(quickstart.data_dir / "pins.json"),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pulled = {(path.parent.name, path.name) for path in (tmp_path / "o/objects").glob("*/*")}
    identities = {name: entry["identity"] for name, entry in quickstart.accounts.items()}
    # The analyst's identity is known to the node alone; ids of the samples do not depend on it.
    ids = sample_ids(identities | {"borealis:analyst": identities["borealis"]}, datetime.now(UTC))
    came = {key for key, stix_id in ids.items() if (identities[key.partition("/")[0]], stix_id) in pulled}
    assert came == {key for key, view in expected_views(apart=True)[lab].items() if view.may_read}


@pytest.mark.parametrize("field", ["api_token", "client_token"])
def test_tokens_open_the_rest_door(quickstart: Quickstart, field: str) -> None:
    account = quickstart.accounts["aurora"]
    connection = http.client.HTTPConnection("127.0.0.1", quickstart.port, timeout=10)
    connection.request("GET", "/api/v1/whoami/", headers={"Authorization": f"Bearer {account[field]}"})
    answer = connection.getresponse()
    who = json.loads(answer.read())
    connection.close()
    assert (answer.status, who["lab"], who["client"]) == (200, "aurora", field == "client_token")


# --- beside others -----------------------------------------------------------------------------------------------


def readme_steps(section: str) -> str:
    """All commands of a section of the README, in their order."""
    (text,) = re.findall(rf"\n## {section}\n(.*?)(?=\n## )", (ROOT / "README.md").read_text(), re.DOTALL)
    return "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))


def run_steps(quickstart: Quickstart, folder: Path, steps: str) -> str:
    """Run commands beside a quickstart as a reader does; what they print."""
    for name, target in ((".data", quickstart.data_dir), (".venv", Path(sys.executable).parents[1])):
        if not (folder / name).exists():
            (folder / name).symlink_to(target)
    if not (folder / "manage.py").exists():
        (folder / "manage.py").symlink_to(ROOT / "manage.py")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", steps],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_steps_of_the_readme_work_as_written(quickstart: Quickstart, tmp_path: Path) -> None:
    said = run_steps(quickstart, tmp_path, readme_steps("A first publish and pull"))
    verified = [line.split()[:2] for line in said.splitlines() if line.startswith("ok")]
    assert ["ok", json.loads((tmp_path / "object.json").read_text())["id"]] in verified


def test_pulled_signatures_are_run_and_converted_as_the_readme_says_and_show_a_dispute_published_since(
    quickstart: Quickstart, tmp_path: Path
) -> None:
    said = run_steps(quickstart, tmp_path, readme_steps("Signatures in use the same day"))

    tested = {line[:44].strip(): line[44:].split() for line in said.splitlines() if "  current  " in line[44:60]}
    assert {"Failover after a block", "Hidden reasoning collected by one cluster"} <= tested.keys()
    state, hits, *_rest, precision, _recall = tested["Failover after a block"]
    assert (state, precision) == ("current", "100.0%")
    assert int(hits) > 0
    assert "<svg" in (tmp_path / "report.html").read_text()
    queries = (tmp_path / "queries.sql").read_text()
    assert queries.count("-- producer: ") == queries.count("-- state: current") == 7

    opinion = publish_dispute(quickstart, tmp_path, "Cluster moves to a new model within a day")
    (tmp_path / "log.jsonl").write_text('{"timestamp": "2026-09-07T00:00:00Z", "user.id": "u1"}\n')
    said = run_steps(quickstart, tmp_path, AS_LAB.format("borealis") + PULL_FEEDBACK_AND_USE)

    why = f"disputed by: Aurora ({opinion['created_by_ref']}): {opinion['explanation']}"
    assert {f"-- {why}", f"  {why}"} <= set(said.splitlines())
    disputed = [line.partition("  disputed  ")[0].strip() for line in said.splitlines() if "  disputed  " in line]
    assert disputed == ["Cluster moves to a new model within a day"]


def test_an_address_and_accounts_are_looked_up_as_the_readme_says(quickstart: Quickstart, tmp_path: Path) -> None:
    said = run_steps(quickstart, tmp_path, readme_steps("Have the others seen this\\?")).splitlines()
    address, *_wider = [line.split() for line in said if line.startswith("198.51.100.23 ")]
    assert address[1:5] == ["198.51.100.23/32", "-", "borealis", "current"]
    shared = [line.split()[1:5] for line in said if line.startswith("line ") and "  borealis  " in line]
    assert shared == [["2", "email", "borealis", "TLP:GREEN"], ["3", "phone", "borealis", "TLP:AMBER"]]
    assert said[-1] == "5 of 6 are shared: 5 by aurora, 2 by borealis"

    asked = "echo 203.0.113.200 | commonwatch lookup -\n"
    assert "nothing known" in run_steps(quickstart, tmp_path, AS_LAB.format("aurora") + asked)
    assert "  borealis  " in run_steps(quickstart, tmp_path, AS_LAB.format("cobalt") + asked)


AS_LAB = 'PATH="$PWD/.venv/bin:$PATH"; export COMMONWATCH_CONFIG=.data/labs/{}/config.toml\n'
SIGN_AND_PUBLISH = (
    "commonwatch sign --normalise --key .data/labs/aurora/signing-key.json opinion.json | commonwatch publish -\n"
)
PULL_FEEDBACK_AND_USE = """commonwatch pull --collection feedback --to pulled
commonwatch convert pulled --target sqlite
commonwatch backtest --signatures pulled --logs log.jsonl
"""


def publish_dispute(quickstart: Quickstart, folder: Path, name: str) -> dict[str, Any]:
    """Let aurora disagree with a pulled signature; the opinion, unsigned."""
    found = [json.loads(path.read_text()) for path in (folder / "pulled/objects").glob("*/indicator--*/*.json")]
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    opinion = {
        "type": "opinion",
        "spec_version": "2.1",
        "id": f"opinion--{uuid4()}",
        "created": moment,
        "modified": moment,
        "created_by_ref": quickstart.accounts["aurora"]["identity"],
        "opinion": "disagree",
        "explanation": "It flags every customer with a large launch.",
        "object_refs": [next(members["id"] for members in found if members["name"] == name)],
        "object_marking_refs": [Tlp.GREEN.marking_id],
    }
    (folder / "opinion.json").write_text(json.dumps(opinion))
    run_steps(quickstart, folder, AS_LAB.format("aurora") + SIGN_AND_PUBLISH)
    return opinion


def run_to_its_end(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "quickstart", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_second_one_on_the_same_folder_is_refused_in_one_line(quickstart: Quickstart) -> None:
    done = run_to_its_end("--data-dir", str(quickstart.data_dir), "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"CommandError: quickstart is running in {quickstart.data_dir} already"]


def test_asked_for_port_that_is_taken_is_refused_in_one_line(quickstart: Quickstart, tmp_path: Path) -> None:
    done = run_to_its_end("--data-dir", str(tmp_path / "other"), "--port", str(quickstart.port))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"CommandError: port {quickstart.port} is taken; choose another with --port"]
    assert not (tmp_path / "other/postgres").exists()


def test_asked_for_peer_port_that_is_taken_is_refused_in_one_line(quickstart: Quickstart, tmp_path: Path) -> None:
    other, taken = tmp_path / "other", quickstart.peer_port
    done = run_to_its_end("--data-dir", str(other), "--port", str(free_port()), "--peer-port", str(taken))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"CommandError: port {taken} is taken; choose another with --peer-port"]
    assert not (other / "postgres").exists()


def test_other_commands_share_the_running_stack(quickstart: Quickstart) -> None:
    assert [report["green"] for report in quickstart.command("check_exchange")] == [True, True]
    assert quickstart.answers("/readyz") == quickstart.answers("/readyz", quickstart.peer_port) == 200


# --- between the two exchanges -----------------------------------------------------------------------------------


ALL = {alias for alias, _title in HOME_COLLECTIONS}


@pytest.mark.parametrize(
    ("node", "peer", "pulled", "pushed"),
    [("main", "cobalt-node", {"identities"}, set()), ("cobalt-node", "main", ALL, ALL)],
)
def test_the_second_exchange_pulls_and_pushes_every_collection_and_nothing_is_put_aside(
    quickstart: Quickstart, node: str, peer: str, pulled: set[str], pushed: set[str]
) -> None:
    (listed,) = quickstart.command("list_peers", "--node", node)
    (found,) = listed["peers"]
    assert (found["peer"], found["kind"], found["community"], found["highest_label"]) == (
        peer,
        "exchange",
        True,
        "TLP:AMBER+STRICT",
    )
    for direction, expected in (("pull", pulled), ("push", pushed)):
        assert {each["remote"] for each in found["channels"] if each["direction"] == direction} == expected
    assert {(each["circuit"], each["failure"]) for each in found["channels"]} == {("closed", None)}
    assert found["quarantined"] == 0


def test_terminal_says_what_crossed_and_what_did_not(quickstart: Quickstart) -> None:
    table = " ".join(quickstart.output.partition("what crossed")[2].split())
    assert "aurora TLP:AMBER published arrived aurora, cobalt same-instrument-here" in table
    assert "borealis TLP:AMBER+STRICT published arrived borealis, cobalt answer-on-ranges" in table
    assert "borealis TLP:AMBER+STRICT published - aurora, borealis handling-of-ranges" in table
    assert "cobalt TLP:AMBER arrived published aurora, cobalt template-seen-after-block" in table
    at_home = "shared-instrument, instrument-indicates-accounts, lantern-as-cobalt-sees-it"
    assert f"cobalt TLP:AMBER - published cobalt {at_home}" in table


def test_terminal_says_what_each_lab_finds_by_lookup(quickstart: Quickstart) -> None:
    told = [line.strip() for line in quickstart.output.partition("what labs know of an address")[2].splitlines()]
    named = "borealis names 203.0.113.200/32, 203.0.113.192/28 (proxy)"
    start = told.index("203.0.113.200, which only borealis and cobalt may see:")
    assert told[start + 1 : start + 4] == [
        "aurora    nothing known, as for an address that nobody has named",
        f"borealis  {named}",
        f"cobalt    {named}",
    ]
    assert "aurora    asked about 6: borealis shares 2 (email, phone)" in told
    assert "borealis  asked about 5: aurora shares 2 (email, phone)" in told
    assert "5 selectors came from another exchange" in " ".join(told)


def test_web_process_that_is_killed_comes_back(quickstart: Quickstart) -> None:
    before = quickstart.pids("exchange.wsgi:application")
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: quickstart.answers("/readyz") == 200)
    assert not set(before) & set(quickstart.pids("exchange.wsgi:application"))


# --- accounts, without the processes -----------------------------------------------------------------------------


@pytest.fixture
def provisioned(database: None, tmp_path: Path) -> Path:
    (tmp_path / "nodes/main").mkdir(parents=True)
    provision_node(tmp_path, ONE_NODE)
    return tmp_path


def tokens_of(data_dir: Path) -> list[str]:
    accounts = read_accounts(data_dir / "credentials.json").values()
    return [secret for account in accounts for secret in (account.api_token, account.client_token)]


def test_provisioning_again_changes_nothing(provisioned: Path) -> None:
    files = ("credentials.json", "operator.json", "labs/aurora/config.toml")
    before = [(provisioned / name).read_bytes() for name in files]
    events = AuditEvent.objects.count()
    provision_node(provisioned, ONE_NODE)
    assert [(provisioned / name).read_bytes() for name in files] == before
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("name", ["credentials.json", "operator.json"])
def test_lost_file_of_accounts_is_made_anew_with_other_secrets(provisioned: Path, name: str) -> None:
    before = json.loads((provisioned / name).read_text())
    (provisioned / name).unlink()
    provision_node(provisioned, ONE_NODE)
    after = json.loads((provisioned / name).read_text())
    for old, new in zip(*([value] if isinstance(value, dict) else value for value in (before, after)), strict=True):
        assert new["username"] == old["username"]
        assert new["password"] != old["password"]
        person = Person.objects.get(username=new["username"])
        assert person.check_password(new["password"])
        assert not person.check_password(old["password"])
    for secret in tokens_of(provisioned):
        assert authenticate_token(secret, source_address="127.0.0.1").lab_slug in LABS


def test_token_that_is_about_to_expire_is_renewed_alone(provisioned: Path) -> None:
    first, *others = tokens_of(provisioned)
    Token.objects.filter(prefix=prefix_of(first)).update(expires_at=now() + timedelta(hours=1))
    provision_node(provisioned, ONE_NODE)
    renewed, *same = tokens_of(provisioned)
    assert same == others
    assert renewed != first
    assert authenticate_token(renewed, source_address="127.0.0.1").lab_slug == "aurora"


def test_keys_that_a_crash_left_half_made_are_made_again(database: None, tmp_path: Path) -> None:
    (tmp_path / "nodes/main").mkdir(parents=True)
    half = tmp_path / "labs/.borealis.new"
    half.mkdir(parents=True)
    (half / "root-key.json").write_text("half")
    provision_node(tmp_path, ONE_NODE)
    assert not half.exists()
    assert not (tmp_path / "labs/borealis/signing-key.json").exists()


# --- starts and stops --------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Quickstart]:
    """A run of a test's own, which it starts; nothing of it outlives the test."""
    made = Quickstart(tmp_path / "data", free_port(), free_port(), ("--empty",))
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop()


def test_second_start_keeps_everything_and_empty_publishes_nothing(run: Quickstart) -> None:
    run.start()
    accounts = run.accounts
    assert "published" not in run.output
    assert "could not see" not in run.output
    assert "selectors" not in run.output
    assert "what labs know of an address" not in run.output
    assert not list(run.data_dir.glob("labs/*/accounts.csv"))
    assert run.stop(signal.SIGTERM) == 0
    assert not run.something_runs()

    run.port, run.peer_port = free_port(), free_port()
    run.arguments = ("--json",)
    run.start()
    assert "published 64 objects" in run.output
    facts = next(json.loads(line) for line in run.output.splitlines() if line.startswith("{"))
    assert facts["addresses"]["taxii"] == f"http://localhost:{run.port}/taxii2/"
    assert facts["exchanges"]["cobalt-node"]["taxii"] == f"http://localhost:{run.peer_port}/taxii2/"
    assert [view["lab"] for view in facts["labs"]] == list(LABS)
    crossed = {each for row in facts["crossing"] if len(row["found_at"]) == 2 for each in row["objects"]}
    assert {"same-instrument-here", "answer-on-ranges", "template-seen-after-block"} <= crossed
    assert "published 9 accounts as selectors" in run.output
    assert [(each["lab"], len(each["claims"]) > 0) for each in facts["lookups"]["addresses"]] == [
        (lab, lab != "aurora" or number == 0) for lab in LABS for number in (0, 1)
    ]
    assert {each["lab"]: each["found"] for each in facts["lookups"]["accounts"]} == {
        "aurora": {"borealis": ["email", "phone"]},
        "borealis": {"aurora": ["email", "phone"]},
        "cobalt": {},
    }
    secrets = [{name: entry[name] for name in FIELDS - {"node"}} for entry in run.accounts.values()]
    assert secrets == [{name: entry[name] for name in FIELDS - {"node"}} for entry in accounts.values()]
    ports = {"aurora": run.port, "borealis": run.port, "cobalt": run.peer_port}
    assert {lab: entry["node"] for lab, entry in run.accounts.items()} == {
        lab: f"http://localhost:{port}" for lab, port in ports.items()
    }

    assert run.process is not None
    run.process.kill()
    run.process.wait()
    assert eventually(lambda: not run.something_runs())
    assert eventually(lambda: run.pids("") == [])
