"""A receiver on loopback that an operator allows, and hooks that post to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchange.services.outbound import allow_host
from exchange.services.principals import OPERATOR
from tests.support.labs import Community
from tests.support.receiver import Receiver, receiving


@pytest.fixture
def receiver(community: Community) -> Iterator[Receiver]:
    allow_host(actor=OPERATOR, host="127.0.0.1")
    with receiving() as started:
        yield started
