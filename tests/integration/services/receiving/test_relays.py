"""Who may say that an object is gone: a home of its producer, and a relay for itself alone."""

from __future__ import annotations

import pytest

from tests.integration.services.receiving.states import state_of
from tests.integration.services.views import finds
from tests.support.homes import home_at
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle, make_exchange, origins


@pytest.mark.parametrize("state", ["deleted", "narrowed"])
def test_a_relay_that_was_first_ends_nothing_for_those_who_get_it_elsewhere(
    community: Community, peer: PeerHandle, dorado: LabHandle, state: str
) -> None:
    home = make_exchange("inlet")
    members = dorado.indicator()
    body = dorado.signed(members)
    peer.send(home_at(dorado, home), body)
    assert home.send(body).known == 1
    assert peer.send(peer.note(members["id"], dorado.identity, state)).withdrawals == 1
    assert not finds(community.aurora.principal, members["id"]), "nobody but the relay has said that it is still there"
    assert state_of(members["id"]) == "current"
    assert home.send(body).stored == 1
    assert finds(community.aurora.principal, members["id"])
    assert origins(members["id"]) == [(home.peer.id, dorado.keys.signing.kid)]
    # What its home takes back no relay shows again.
    home.send(home.note(members["id"], dorado.identity, "narrowed"))
    assert peer.send(body).known == 1
    assert not finds(community.aurora.principal, members["id"])


def test_the_word_of_a_home_counts_whoever_was_first(community: Community, peer: PeerHandle, dorado: LabHandle) -> None:
    home = make_exchange("inlet")
    members = dorado.indicator()
    peer.send(home_at(dorado, home), dorado.signed(members))
    assert home.send(home.note(members["id"], dorado.identity, "deleted")).withdrawals == 1
    assert state_of(members["id"]) == "deleted"
