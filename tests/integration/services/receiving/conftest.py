"""An exchange that sends, and a lab of elsewhere."""

from __future__ import annotations

import pytest

from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle, make_exchange, pin_stranger, stranger


@pytest.fixture
def peer(community: Community) -> PeerHandle:
    return make_exchange()


@pytest.fixture
def dorado(community: Community, peer: PeerHandle) -> LabHandle:
    """A lab of elsewhere that is known here."""
    made = pin_stranger(stranger())
    assert peer.send(made.keys.identity_bytes).stored == 1
    made.lab.refresh_from_db()
    return made
