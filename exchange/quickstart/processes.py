"""The processes of one node: web, worker and beat; how they are started and when they are ready."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from exchange.quickstart.errors import QuickstartError
from exchange.stack import ManagedProcess

CODE_DIR = Path(__file__).resolve().parents[2]
LOGS = "log"
WEB_BACKPRESSURE = 128
STOP_TIMEOUT_S = 15.0
READY_TIMEOUT_S = 90.0
POLL_INTERVAL_S = 0.05
PROBE_TIMEOUT_S = 5.0
# Nothing else of the caller's environment reaches the processes.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "RATE_LIMITS", "METRICS_TOKEN")


@dataclass(frozen=True, slots=True)
class Size:
    """How many processes a node has. Each thread of the web holds a database connection, of the 100 that the embedded
    server has. Without `beat` the worker keeps the time itself, which is enough where there is one worker."""

    web_processes: int = 2
    web_threads: int = 8
    task_processes: int = 2
    beat: bool = True


SMALL = Size(web_processes=1, web_threads=4, task_processes=1, beat=False)


def process_environment(node: Mapping[str, str], home: Path) -> dict[str, str]:
    """The whole environment of a node's processes; `home` is the folder of the node."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {
        **kept,
        **node,
        "DJANGO_SETTINGS_MODULE": "exchange.settings",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(CODE_DIR),
        "PROMETHEUS_MULTIPROC_DIR": str(home / "metrics"),
    }


def web_process(environment: Mapping[str, str], home: Path, log_path: Path, port: int, size: Size) -> ManagedProcess:
    """The web server on loopback, not started yet. Counters of an earlier run are cleared."""
    metrics = home / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(mode=0o700)
    argv = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--workers", str(size.web_processes), "--blocking-threads", str(size.web_threads)]
    argv += ["--backpressure", str(WEB_BACKPRESSURE), "--respawn-failed-workers", "--workers-kill-timeout", "5"]
    return _process([*argv, "exchange.wsgi:application"], environment, log_path)


def task_processes(environment: Mapping[str, str], home: Path, log_dir: Path, size: Size) -> list[ManagedProcess]:
    """Worker and beat, not started yet."""
    celery = ["celery", "-A", "exchange.celery"]
    schedule = ["--schedule", str(home / "beat-schedule")]
    # One worker has nobody to gossip with, and asking around would cost seconds at each start.
    worker = [*celery, "worker", "--loglevel", "INFO", "--concurrency", str(size.task_processes)]
    worker += ["--without-gossip", "--without-mingle"]
    if not size.beat:
        return [_process([*worker, "--beat", *schedule], environment, log_dir / "worker.log")]
    beat = [*celery, "beat", "--loglevel", "INFO", *schedule, "--pidfile", ""]
    return [
        _process(worker, environment, log_dir / "worker.log"),
        _process(beat, environment, log_dir / "beat.log"),
    ]


def _process(argv: Sequence[str], environment: Mapping[str, str], log_path: Path) -> ManagedProcess:
    """A process named as its log is: "web" of log/web.log, "cobalt-node/web" of log/cobalt-node/web.log."""
    folder = log_path.parent.name
    return ManagedProcess(
        log_path.stem if folder == LOGS else f"{folder}/{log_path.stem}",
        [sys.executable, "-m", *argv],
        environment,
        log_path,
        stop_signal=signal.SIGTERM,
        stop_timeout_s=STOP_TIMEOUT_S,
        restart=True,
        cwd=CODE_DIR,
    )


def wait_until_ready(address: str, log_path: Path, look: Callable[[], None]) -> None:
    """Wait until the web process at `address` says that every part is usable. `look` is called between.

    Raises:
        QuickstartError: it did not within `READY_TIMEOUT_S`; with what it said last.
    """
    deadline = time.monotonic() + READY_TIMEOUT_S
    while (answer := _ask(address)) != "":
        if time.monotonic() > deadline:
            raise QuickstartError(f"the web process is not ready: {answer} (see {log_path})")
        look()
        time.sleep(POLL_INTERVAL_S)


def _ask(address: str) -> str:
    """What /readyz complains of; "" when it does not."""
    port = urlsplit(address).port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", "/readyz", headers={"Host": f"localhost:{port}"})
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace")
        return "" if response.status == http.client.OK else f"HTTP {response.status} {body.strip()}"
    except (OSError, http.client.HTTPException):
        return "it does not answer"
    finally:
        connection.close()
