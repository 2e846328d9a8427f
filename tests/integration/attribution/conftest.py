"""The REST door of a real web process."""

from __future__ import annotations

import pytest

from tests.support.labs import Community
from tests.support.rest import RestClient, RestNode


@pytest.fixture
def node(exchange_server: tuple[str, Community]) -> RestNode:
    url, community = exchange_server
    aurora, borealis, cobalt = (RestClient(url, lab.token) for lab in community.labs)
    return RestNode(url, community, aurora, borealis, cobalt, RestClient(url))
