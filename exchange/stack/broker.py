"""Sets up and starts the embedded Valkey server, the broker of Celery.

Append-only file, written out once a second: what was queued outlives the death of the server, and at most the last
second is lost with the machine. It never throws keys away to save memory.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from exchange.stack.errors import StackError
from exchange.stack.ports import LOOPBACK
from exchange.stack.process import ManagedProcess
from exchange.stack.state import private_file
from exchange.stack.wire import valkey_answers

LOAD_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 10.0
POLL_INTERVAL_S = 0.02
DATABASES = 64

# The password stands in this file and not among the arguments, which every user of the machine can read.
CONFIG = """bind {host}
port {port}
protected-mode yes
requirepass {password}
databases {databases}
dir ./
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
set-proc-title no
"""


@dataclass(frozen=True)
class ValkeyServer:
    """One Valkey server with its data in ``folder``."""

    folder: Path
    log_path: Path
    binary: Path
    password: str

    def start(self, port: int, lock_fd: int) -> ManagedProcess:
        """Start the server on ``port``, handing the lock down to it, and wait until its data is loaded.

        Raises:
            StackError: it ended or did not become ready.
        """
        self.folder.mkdir(mode=0o700, exist_ok=True)
        config = self.folder / "valkey.conf"
        text = CONFIG.format(host=LOOPBACK, port=port, password=self.password, databases=DATABASES)
        with private_file(config) as fd:
            os.write(fd, text.encode())
        process = ManagedProcess(
            "valkey",
            [str(self.binary), str(config)],
            {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            self.log_path,
            stop_signal=signal.SIGTERM,
            stop_timeout_s=STOP_TIMEOUT_S,
            cwd=self.folder,
            keep_fds=[lock_fd],
        )
        process.start()
        try:
            self._wait_until_ready(process, port)
        except BaseException:
            process.stop()
            raise
        return process

    def _wait_until_ready(self, process: ManagedProcess, port: int) -> None:
        deadline = time.monotonic() + LOAD_TIMEOUT_S
        while not self.answers(port):
            if not process.is_alive():
                raise StackError(f"Valkey did not start, see {self.log_path}")
            if time.monotonic() > deadline:
                raise StackError(f"Valkey was not ready after {LOAD_TIMEOUT_S:.0f} s, see {self.log_path}")
            time.sleep(POLL_INTERVAL_S)

    def answers(self, port: int) -> bool:
        """Tell whether a server that knows the password answers on ``port``."""
        return valkey_answers(port, self.password)
