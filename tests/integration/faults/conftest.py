"""Servers that a test may kill."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from exchange.stack import Stack
from tests.integration.faults.crashing import Victim, web_connections
from tests.support.database import DATABASE, TestServices, close_connections, point_django_at
from tests.support.labs import Community, make_community
from tests.support.server import WebServer

WORKERS = 2


@pytest.fixture
def mortal_server(services: TestServices, community: Community, tmp_path: Path) -> Iterator[Victim]:
    """A web server of the test's own, on the run's database."""
    server, others = WebServer(services, tmp_path / "web.log", workers=WORKERS), web_connections()
    server.start()
    yield Victim(server, community, None, others)
    server.stop()


@pytest.fixture
def mortal_stack(services: TestServices, _migrated: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Victim]:
    """A PostgreSQL of the test's own with fsync on, and a web server on it."""
    # Not pytest's folder: as root, PostgreSQL runs as a user who must be able to enter it.
    folder = Path(tempfile.mkdtemp(prefix="commonwatch-"))
    with django_db_blocker.unblock():
        try:
            with Stack(folder / "data", durable=True, shared_buffers_mb=64) as stack:
                stack.create_database(DATABASE)
                own = TestServices(stack.app_url(DATABASE), stack.owner_url(DATABASE), stack.broker_url())
                point_django_at(own)
                server = WebServer(own, folder / "web.log", workers=WORKERS)
                server.start()
                yield Victim(server, make_community(), stack)
                server.stop()
                close_connections()
        finally:
            point_django_at(services)
            close_connections()
            shutil.rmtree(folder, ignore_errors=True)
