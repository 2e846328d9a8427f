"""The environments of peers, made by `make peers` below `.peers/`, and the servers that run in them."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sizes import WEB_WORKERS
from exchange.stack import free_port
from exchange.stack.ports import LOOPBACK
from exchange.stack.process import ManagedProcess

PROJECT = Path(__file__).parents[2]
INSTALLED = PROJECT / ".peers"
APPS = Path(__file__).parent / "apps"
START_TIMEOUT_S = 60.0
POLL_S = 0.05
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


class AbsentError(Exception):
    """A peer is not here; the message says which, and what would bring it."""


@dataclass(frozen=True, slots=True)
class Environment:
    """A peer's own virtual environment."""

    name: str

    @property
    def python(self) -> Path:
        """Its interpreter.

        Raises:
            AbsentError: the environment was not made, or not to its end.
        """
        folder = INSTALLED / self.name
        if not (folder / ".ready").exists():
            raise AbsentError(f"{self.name} is not installed: make peers")
        return folder / "bin" / "python"

    def version(self, package: str) -> str:
        code = f"from importlib.metadata import version; print(version({package!r}))"
        return subprocess.run([self.python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()

    def server(self, app: str, env: Mapping[str, str], log: Path, port: int, *, workers: int) -> ManagedProcess:
        """A module of `apps` behind gunicorn with `workers` processes of four threads, not started yet."""
        command = [str(self.python), "-m", "gunicorn", f"{app}:application", "--chdir", str(APPS)]
        command += ["--bind", f"{LOOPBACK}:{port}", "--workers", str(workers), "--threads", "4"]
        command += ["--keep-alive", "60", "--timeout", "0", "--log-level", "warning"]
        return ManagedProcess(app, command, {"PATH": SYSTEM_PATH, **env}, log)

    @contextmanager
    def gunicorn(self, app: str, env: Mapping[str, str], log: Path, *, workers: int = WEB_WORKERS) -> Iterator[int]:
        """Serve a module of `apps`; gives the port."""
        port = free_port()
        with running(self.server(app, env, log, port, workers=workers), port):
            yield port


@contextmanager
def running(process: ManagedProcess, port: int) -> Iterator[None]:
    """Start a server, wait until it accepts connections, stop it in the end.

    Raises:
        AssertionError: it does not start; the end of its log is the message.
    """
    try:
        start(process, port)
        yield
    finally:
        process.stop()


def start(process: ManagedProcess, port: int) -> None:
    """Start a server and wait until it accepts connections.

    Raises:
        AssertionError: as `running`.
    """
    process.start()
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _accepts(port):
        if not process.is_alive() or time.monotonic() > deadline:
            raise AssertionError(f"{process.name} did not start: {process.log_path.read_text()[-2000:]}")
        time.sleep(POLL_S)


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), 1).close()
    except OSError:
        return False
    return True
