"""A real web process for tests: granian on loopback, against the run's database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from exchange.stack import free_port
from tests.support.database import TestServices

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
SECRET_KEY = "a key for tests alone, long enough to pass the check 0123456789"
SEALING_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def server_environment(services: TestServices, port: int) -> dict[str, str]:
    """What a web or worker process of the tests needs, and nothing of the caller's own settings."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {
        **kept,
        "DATABASE_URL": services.app_url,
        "DATABASE_OWNER_URL": services.owner_url,
        "BROKER_URL": services.broker_url,
        "SECRET_KEY": SECRET_KEY,
        "SEALING_KEYS": SEALING_KEY,
        "PUBLIC_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "CACHE_URL": services.cache_url,
        "RATE_LIMITS": "off",
        "DJANGO_SETTINGS_MODULE": "exchange.settings",
    }


@dataclass(slots=True)
class WebServer:
    """One granian with `workers` worker processes."""

    services: TestServices
    log_path: Path
    workers: int = 1
    threads: int = 6
    port: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        self.port = self.port or free_port()
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--workers", str(self.workers), "--blocking-threads", str(self.threads)]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "exchange.wsgi:application"],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=server_environment(self.services, self.port) | self.environment,
                start_new_session=True,
            )
        self._wait_until_healthy()

    def kill(self) -> None:
        """kill -9 of the web server and its workers: nobody gets to say goodbye."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for what has not ended in time."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Memory of all its processes, pages that they share counted in each. field: as in /proc/PID/status, such as
        VmRSS or the highest so far, VmHWM."""
        session = self.process.pid if self.process is not None else 0
        total_kb = 0
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                fields = dict(line.split(":\t", 1) for line in status.read_text(encoding="utf-8").splitlines())
            except OSError:
                continue  # ended meanwhile
            if int(fields.get("NSsid", "0").split()[-1]) == session:
                total_kb += int(fields.get(field, "0").split()[0])
        return total_kb / 1024

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=1):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the web server did not start; its log: {self.log_path.read_text()[-2000:]}")
