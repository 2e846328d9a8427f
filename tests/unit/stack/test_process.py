"""Processes that end when they should, and whoever started them with them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.stack import ManagedProcess, StackError, process

ROOT = Path(__file__).resolve().parents[3]
ENV = {"PATH": os.environ["PATH"]}
SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]
# Says that it is ready, then ignores the polite signal.
STUBBORN = [
    *(sys.executable, "-I", "-S", "-c"),
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)",
]


def exists(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def eventually(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_output_goes_to_a_log_for_its_owner_only(tmp_path: Path) -> None:
    log = tmp_path / "log" / "echo.log"
    part = ManagedProcess("echo", ["sh", "-c", "echo out; echo err >&2; exit 3"], ENV, log)
    part.start()
    assert part.wait(10) == 3
    assert log.read_text() == "out\nerr\n"
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700


def test_log_grown_too_long_becomes_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_LOG_BYTES", 10)
    (tmp_path / "x.log").write_text("a" * 11)
    with process.open_log(tmp_path / "x.log") as log:
        log.write(b"new")
    assert (tmp_path / "x.log.1").read_text() == "a" * 11
    assert (tmp_path / "x.log").read_text() == "new"


def test_command_gets_its_own_environment_and_no_input(tmp_path: Path) -> None:
    log = tmp_path / "env.log"
    part = ManagedProcess("env", ["sh", "-c", "cat; echo $WORD; pwd"], {**ENV, "WORD": "x"}, log, cwd=Path("/"))
    part.start()
    assert part.wait(10) == 0
    assert log.read_text() == "x\n/\n"


def test_start_of_a_running_process_does_nothing(tmp_path: Path) -> None:
    part = ManagedProcess("sleep", SLEEP, ENV, tmp_path / "x.log")
    part.start()
    pid = part.pid
    part.start()
    assert part.pid == pid
    part.stop()
    assert part.returncode == 128 + signal.SIGTERM


def test_stopped_process_can_be_started_again(tmp_path: Path) -> None:
    part = ManagedProcess("sleep", SLEEP, ENV, tmp_path / "x.log", stop_signal=signal.SIGINT)
    part.start()
    part.stop()
    assert not part.is_alive()
    part.start()
    assert part.is_alive()
    assert part.pid is not None
    assert exists(part.pid)
    part.stop()


def test_command_that_cannot_be_executed_is_one_clear_line(tmp_path: Path) -> None:
    part = ManagedProcess("web", ["/nonexistent/web"], ENV, tmp_path / "x.log")
    with pytest.raises(StackError, match=r"^web cannot be started: No such file or directory$"):
        part.start()
    assert not part.is_alive()


def test_process_that_ignores_the_signal_is_killed_after_its_time(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    part = ManagedProcess("stubborn", STUBBORN, ENV, log, stop_timeout_s=0.3)
    part.start()
    assert eventually(lambda: "ready" in log.read_text())
    began = time.monotonic()
    part.stop()
    assert 0.3 <= time.monotonic() - began < 5
    assert part.returncode == 128 + signal.SIGKILL


def test_process_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    part = ManagedProcess("sleep", SLEEP, ENV, tmp_path / "x.log")
    part.start()
    with pytest.raises(StackError, match=r"^sleep took more than 0 s$"):
        part.wait(0.1)
    assert not part.is_alive()


def test_orphans_in_a_session_of_their_own_are_killed_with_the_command(tmp_path: Path) -> None:
    setsid = shutil.which("setsid")
    assert setsid is not None
    log = tmp_path / "x.log"
    script = f"{setsid} sh -c 'echo $$; exec sleep 60' & wait"
    part = ManagedProcess("shell", ["sh", "-c", script], ENV, log)
    part.start()
    assert eventually(lambda: log.read_text().endswith("\n"))
    orphan = int(log.read_text())
    assert part.pid is not None
    os.kill(part.pid, signal.SIGKILL)
    assert part.wait(10) == 128 + signal.SIGKILL
    assert not exists(orphan)


def test_command_ends_when_its_guard_is_killed(tmp_path: Path) -> None:
    part = ManagedProcess("sleep", SLEEP, ENV, tmp_path / "x.log")
    part.start()
    pid = part.pid
    assert pid is not None
    guard_pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(guard_pid, signal.SIGKILL)
    assert eventually(lambda: not exists(pid))
    assert not part.is_alive()
    part.stop()


PARENT = """
import os, sys, time
from pathlib import Path
from exchange.stack import ManagedProcess
part = ManagedProcess("sleep", ["sleep", "60"], dict(os.environ), Path(sys.argv[1]))
part.start()
if sys.argv[2] == "forks" and os.fork() == 0:
    os.close(1)
    time.sleep(20)  # holds the lifeline open, as a worker forked without exec would
    os._exit(0)
print(part.pid, flush=True)
if sys.argv[2] == "exits":
    os._exit(0)
time.sleep(60)
"""


@pytest.mark.parametrize("way", ["killed", "exits", "forks"])
def test_command_ends_with_its_parent_however_that_ends(tmp_path: Path, way: str) -> None:
    argv = [sys.executable, "-c", PARENT, str(tmp_path / "x.log"), way]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env, cwd=tmp_path) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert way == "exits" or exists(pid)
        parent.kill()
    assert eventually(lambda: not exists(pid), timeout_s=5)


def test_forked_copy_of_this_process_does_not_stop_what_it_did_not_start(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from exchange.stack import ManagedProcess
part = ManagedProcess("sleep", ["sleep", "60"], dict(os.environ), Path(sys.argv[1]))
part.start()
child = os.fork()
if child == 0:
    part.stop()
    os._exit(0)
os.waitpid(child, 0)
print(part.is_alive())
part.stop()
"""
    argv = [sys.executable, "-c", script, str(tmp_path / "x.log")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(argv, capture_output=True, text=True, env=env, timeout=30, check=True)
    assert done.stdout == "True\n"
