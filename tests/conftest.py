"""Fixtures of the whole suite. Unit tests use none of those that start servers, and so stay fast."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from exchange.services.checking import check_exchange
from tests.support.database import TestServices, close_connections, empty_tables, point_django_at, started_services
from tests.support.labs import Community, make_community
from tests.support.server import SEALING_KEY, SECRET_KEY, WebServer

settings.SECRET_KEY = SECRET_KEY
settings.SEALING_KEYS = [SEALING_KEY]
settings.PUBLIC_URL = "http://localhost:8000"
settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "localhost", "testserver"]


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestServices]:
    """PostgreSQL and the broker, started once for the run."""
    with started_services(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="session")
def _migrated(services: TestServices, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        point_django_at(services)
        close_connections()


@pytest.fixture
def database(_migrated: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Empty tables, real commits: row-level security and the sequencer are what they are in production."""
    with django_db_blocker.unblock():
        empty_tables()
        yield
        close_connections()


@pytest.fixture
def community(database: None) -> Iterator[Community]:
    """A node with aurora, borealis and cobalt; after the test everything stored is verified again."""
    yield make_community()
    report = check_exchange()
    assert not report.faults, report.faults


@pytest.fixture(scope="session")
def web_server(
    services: TestServices, _migrated: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WebServer]:
    """A real web process for the run."""
    server = WebServer(services, Path(tmp_path_factory.mktemp("web")) / "web.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def exchange_server(web_server: WebServer, community: Community) -> tuple[str, Community]:
    """Base URL of the web process, and the node and labs that it serves."""
    return web_server.url, community
