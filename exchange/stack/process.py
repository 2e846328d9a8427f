"""Starts and stops one process that cannot outlive this one.

The process runs below a guard (see ``guard.py``). It does not decide when to restart: ``supervisor.py`` does.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from exchange.stack import guard
from exchange.stack.errors import StackError
from exchange.stack.identity import Identity, same_identity

MAX_LOG_BYTES = 10 * 1024 * 1024
# Above stop_timeout_s, for the guard to kill and reap.
GUARD_GRACE_S = 5.0


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending, mode 0600; one that has grown over ``MAX_LOG_BYTES`` becomes ``NAME.1`` first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")


class ManagedProcess:
    """A command whose output goes to a log, and which ends when this process ends, even by SIGKILL.

    ``env`` is the whole environment of the command. ``restart`` is advice to the supervisor. ``keep_fds`` are handed
    down to the command as they are (locks that shall live as long as it does).
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        log_path: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_timeout_s: float = 10.0,
        *,
        restart: bool = False,
        cwd: Path | None = None,
        identity: Identity | None = None,
        keep_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.argv = list(argv)
        self.env = dict(env)
        self.log_path = log_path
        self.stop_signal = stop_signal
        self.stop_timeout_s = stop_timeout_s
        self.restart = restart
        self.cwd = cwd
        self.identity = identity or same_identity()
        self.keep_fds = tuple(keep_fds)
        self.pid: int | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._started_by = 0

    def start(self) -> None:
        """Start the command; nothing happens while it runs.

        Raises:
            StackError: it cannot be started at all. A command that starts and fails later shows by ``is_alive``.
        """
        if self.is_alive():
            return
        self._close_guard()
        status_read, status_write = os.pipe()
        try:
            with open_log(self.log_path) as log:
                self._guard = self._spawn(status_write, log)
        except OSError as error:
            os.close(status_read)
            raise StackError(f"{self.name} cannot be started: {error}") from error
        finally:
            os.close(status_write)
        self._started_by = os.getpid()
        self._read_status(status_read)

    def _spawn(self, status_fd: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
        spec = {
            "parent": os.getpid(),
            "status_fd": status_fd,
            "stop_signal": int(self.stop_signal),
            "stop_timeout_s": self.stop_timeout_s,
            "identity": self.identity.as_spec(),
            "cwd": str(self.cwd) if self.cwd else None,
        }
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, json.dumps(spec), *self.argv],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=self.env,
            pass_fds=(status_fd, *self.keep_fds),
            start_new_session=True,
        )

    def _read_status(self, status_fd: int) -> None:
        # Ends when the command has been executed: the pipe is closed by that.
        with os.fdopen(status_fd, encoding="utf-8", errors="replace") as status:
            lines = dict(line.rstrip("\n").split(" ", 1) for line in status)
        self.pid = int(lines["pid"]) if "pid" in lines else None
        if "error" in lines or self.pid is None:
            self.stop()
            raise StackError(f"{self.name} cannot be started: {lines.get('error', f'see {self.log_path}')}")

    def is_alive(self) -> bool:
        """Tell whether the command runs."""
        return self._guard is not None and self._guard.poll() is None

    @property
    def returncode(self) -> int | None:
        """Exit code of the ended command, 128 + N after signal N; None while it runs or before it started."""
        return None if self._guard is None else self._guard.poll()

    def wait(self, timeout_s: float) -> int:
        """Wait for the command to end by itself and return its exit code.

        Raises:
            StackError: it still runs after ``timeout_s``; it is stopped then.
        """
        if self._guard is None:
            raise StackError(f"{self.name} was not started")
        try:
            return self._guard.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise StackError(f"{self.name} took more than {timeout_s:.0f} s") from error
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop the command: ``stop_signal``, then SIGKILL after ``stop_timeout_s``. Returns when it is gone.

        Nothing happens in a process that inherited this object by fork.
        """
        if self._guard is None or self._started_by not in (0, os.getpid()):
            return
        self._close_lifeline()
        try:
            self._guard.wait(self.stop_timeout_s + GUARD_GRACE_S)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()

    def _close_lifeline(self) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()

    def _close_guard(self) -> None:
        # A process that died by itself leaves its lifeline open on our side.
        self._close_lifeline()
        self._guard = None
        self.pid = None
