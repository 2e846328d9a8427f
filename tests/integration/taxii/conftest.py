"""The TAXII door of a real web process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from exchange.services.checking import check_exchange
from tests.integration.taxii.tls import TlsServer
from tests.support.database import TestServices, close_connections, empty_tables
from tests.support.labs import Community, make_community
from tests.support.server import WebServer
from tests.support.taxii import Node, TaxiiClient, client_of


@pytest.fixture
def node(exchange_server: tuple[str, Community]) -> Node:
    return node_of(*exchange_server)


@pytest.fixture(scope="module")
def shared_node(web_server: WebServer, django_db_blocker: DjangoDbBlocker) -> Iterator[Node]:
    """One community for all tests of a module: each uses objects of its own and leaves grants as it found them."""
    with django_db_blocker.unblock():
        empty_tables()
        yield node_of(web_server.url, make_community())
        report = check_exchange()
        close_connections()
    assert not report.faults, report.faults


@pytest.fixture(scope="module")
def tls_server(
    services: TestServices, shared_node: Node, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TlsServer]:
    """A second process of the shared node, which ends TLS itself."""
    server = TlsServer(services, tmp_path_factory.mktemp("tls"))
    server.start()
    yield server
    server.stop()


def node_of(url: str, community: Community) -> Node:
    aurora, borealis, cobalt = (client_of(url, lab) for lab in community.labs)
    return Node(url, community, aurora, borealis, cobalt, TaxiiClient(url))
