"""A node to measure: the embedded stack with fsync on, the web server, and a lab with keys and a token.

Everything lives in a temporary folder and is thrown away afterwards. Uses what the tests use to set a node up.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")
django.setup()

from exchange.stack import Stack  # noqa: E402 - Django has to be set up first
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
        """Processor time that the web server and PostgreSQL have used so far: what other load on the machine changes
        least."""
        web = self.server.process.pid if self.server.process is not None else 0
        pid_file = self.stack.data_dir / "postgres" / "postmaster.pid"
        postmaster = int(pid_file.read_text(encoding="utf-8").splitlines()[0])
        processes = [each for each in map(_usage, Path("/proc").glob("[0-9]*")) if each is not None]
        return (
            sum(used for parents, used in processes if web in parents),
            sum(used for parents, used in processes if postmaster in parents),
        )


def _usage(process: Path) -> tuple[tuple[int, ...], float] | None:
    """The ids of a process, its parent and its session, and the seconds that it has used; None if it has ended."""
    try:
        fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    parent, session, ticks = int(fields[1]), int(fields[3]), int(fields[11]) + int(fields[12])
    return (int(process.name), parent, session), ticks / os.sysconf("SC_CLK_TCK")


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
            server = WebServer(services, folder / "web.log", workers=workers)
            server.start()
            try:
                yield Node(server, services, make_community(), stack)
            finally:
                server.stop()
                close_connections()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
