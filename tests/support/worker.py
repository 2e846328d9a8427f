"""A real Celery worker for tests, on the run's broker and database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.database import TestServices
from tests.support.server import STOP_TIMEOUT_S, server_environment

START_TIMEOUT_S = 60.0


@dataclass(slots=True)
class Worker:
    """One `celery worker` with `tasks` task processes, and with beat if it is asked for."""

    services: TestServices
    log_path: Path
    tasks: int = 1
    beat: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes tasks."""
        command = [sys.executable, "-m", "celery", "-A", "exchange.celery", "worker", "--loglevel", "INFO"]
        command += ["--concurrency", str(self.tasks), "--without-gossip", "--without-mingle"]
        if self.beat:
            command += ["--beat", "--schedule", str(self.log_path.with_suffix(".schedule"))]
        begins_at = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=server_environment(self.services, 0),
                start_new_session=True,
            )
        self._wait_until_ready(begins_at)

    def kill(self) -> None:
        """kill -9 of the worker and its task process: nobody gets to say goodbye."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """SIGTERM, which lets it finish its task, and SIGKILL for what has not ended in time."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def _wait_until_ready(self, begins_at: int) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process is not None and self.process.poll() is None:
            if b" ready." in self.log_path.read_bytes()[begins_at:]:
                return
            time.sleep(0.05)
        raise AssertionError(f"the worker did not start; its log: {self.log_path.read_text()[-2000:]}")
