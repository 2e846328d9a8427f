"""A node on a socket and labs with keys, for the tests of the lab tool."""

from collections.abc import Iterator

import pytest

from exchange.labtool.client import NodeClient
from tests.unit.labtool.material import Party, node_party, party
from tests.unit.labtool.small_node import TOKEN, SmallNode


@pytest.fixture
def node() -> Iterator[SmallNode]:
    with SmallNode() as running:
        yield running


@pytest.fixture
def client(node: SmallNode) -> Iterator[NodeClient]:
    with NodeClient(node.url, TOKEN, 5.0) as connected:
        yield connected


@pytest.fixture
def aurora() -> Party:
    return party("aurora")


@pytest.fixture
def borealis() -> Party:
    return party("borealis")


@pytest.fixture
def node_one() -> Party:
    return node_party()
