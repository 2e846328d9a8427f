"""A node to measure: the embedded stack with fsync on, the web server, and a lab with keys and a token.

Everything lives in a temporary folder and is thrown away afterwards. Uses what the tests use to set a node up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.conf import settings

from benchmarks.sizes import WEB_THREADS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")
django.setup()

from exchange.stack import Stack  # noqa: E402 - Django has to be set up first
from exchange.stack.postgres import APP_ROLE  # noqa: E402
from tests.support.database import TestServices, close_connections, point_django_at  # noqa: E402
from tests.support.labs import Community, make_community  # noqa: E402
from tests.support.server import SEALING_KEY, SECRET_KEY, WebServer  # noqa: E402

DATABASE = "commonwatch_bench"
SHARED_BUFFERS_MB = 512


@dataclass(frozen=True, slots=True)
class Node:
    """A running node; its database holds three labs and nothing else at first."""

    server: WebServer
    services: TestServices
    community: Community
    stack: Stack

    def cpu_s(self) -> tuple[float, float]:
        """Processor time that the web server and PostgreSQL's processes for it have used so far: what other load on
        the machine changes least. PostgreSQL's processes for itself are left out; they come and go."""
        web = self.server.process.pid if self.server.process is not None else 0
        postmaster = self.stack.data_dir / "postgres" / "postmaster.pid"
        parent = int(postmaster.read_text(encoding="utf-8").splitlines()[0])
        found = [each for each in map(_usage, Path("/proc").glob("[0-9]*")) if each is not None]
        return (
            sum(each.used_s for each in found if web in (each.pid, each.session)),
            sum(each.used_s for each in found if each.parent == parent and APP_ROLE in each.title),
        )


def process_seconds(process: subprocess.Popen[bytes] | None) -> float:
    """Processor time that a process which leads a session, and all in it, have used so far."""
    leader = process.pid if process is not None else 0
    found = [each for each in map(_usage, Path("/proc").glob("[0-9]*")) if each is not None]
    return sum(each.used_s for each in found if leader == each.session)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process has used."""

    pid: int
    parent: int
    session: int
    title: str
    used_s: float


def _usage(process: Path) -> Usage | None:
    """From /proc; None if the process has ended."""
    try:
        title = (process / "cmdline").read_text(encoding="utf-8", errors="replace")
        fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    used_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return Usage(int(process.name), int(fields[1]), int(fields[3]), title, used_s)


@contextmanager
def running_node(*, workers: int = 2) -> Iterator[Node]:
    """Start a node with `workers` web processes, and end it."""
    settings.SECRET_KEY, settings.SEALING_KEYS = SECRET_KEY, [SEALING_KEY]
    settings.PUBLIC_URL = "http://localhost:8000"
    # Below the temporary folder and not the home: as root, PostgreSQL runs as a user who must be able to enter it.
    folder = Path(tempfile.mkdtemp(prefix="commonwatch-bench-"))
    try:
        with Stack(folder / "data", shared_buffers_mb=SHARED_BUFFERS_MB) as stack:
            stack.create_database(DATABASE)
            services = TestServices(stack.app_url(DATABASE), stack.owner_url(DATABASE), stack.broker_url())
            point_django_at(services)
            server = WebServer(services, folder / "web.log", workers=workers, threads=WEB_THREADS)
            server.start()
            try:
                yield Node(server, services, make_community(), stack)
            finally:
                server.stop()
                close_connections()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
