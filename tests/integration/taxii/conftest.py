"""The TAXII door of a real web process."""

from __future__ import annotations

import pytest

from tests.support.labs import Community
from tests.support.taxii import Node, TaxiiClient, client_of


@pytest.fixture
def node(exchange_server: tuple[str, Community]) -> Node:
    url, community = exchange_server
    aurora, borealis, cobalt = (client_of(url, lab) for lab in community.labs)
    return Node(url, community, aurora, borealis, cobalt, TaxiiClient(url))
