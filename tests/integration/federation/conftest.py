"""Two exchanges that pull from each other. Tests work on the first; `OtherNode.at_work` changes over."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from django.core.management import call_command

from tests.support.database import TestServices
from tests.support.labs import Community
from tests.support.other_node import OtherNode, add_way, admit_known, register, set_up, started_node
from tests.support.server import WebServer


@pytest.fixture(scope="session")
def other_servers(
    services: TestServices, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestServices, WebServer]]:
    with started_node(tmp_path_factory.mktemp("other"), services) as started:
        yield started


@pytest.fixture(scope="session")
def third_servers(
    services: TestServices, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestServices, WebServer]]:
    with started_node(tmp_path_factory.mktemp("third"), services, 2) as started:
        yield started


@pytest.fixture
def other(
    exchange_server: tuple[str, Community],
    services: TestServices,
    other_servers: tuple[TestServices, WebServer],
) -> OtherNode:
    """Each of the two knows the other's root and the roots of its labs, of the same community."""
    url, community = exchange_server
    node, dorado = set_up(*other_servers, services)
    there = OtherNode(other_servers[0], services, other_servers[1], node, dorado)
    assert community.node.root_key is not None
    token_there = register("harbour", there.root)
    admit_known("dorado", dorado.keys.root.kid)
    with there.at_work():
        token_here = register("home", community.node.root_key.kid)
        for lab in community.labs:
            admit_known(lab.lab.slug, lab.keys.root.kid)
        add_way("home", url, token_there)
    add_way("harbour", there.server.url, token_here)
    # Each takes the other's node identity: who has none here cannot be told of withdrawals.
    for place in (nullcontext(), there.at_work()):
        with place:
            call_command("sync", stdout=io.StringIO(), stderr=io.StringIO())
    return there
