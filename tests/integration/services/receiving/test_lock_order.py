"""Publishing here and pages of peers that touch the same objects: nobody waits for somebody who waits for him."""

from __future__ import annotations

import json
from functools import partial

import pytest
from django.db import connections

from exchange.stix.markings import Tlp
from tests.integration.services.chains import next_identity
from tests.integration.services.views import as_owner, marked
from tests.support.at_once import at_once
from tests.support.labs import Community
from tests.support.peers import make_exchange, pin_stranger, stranger


def deadlocks() -> int:
    """How many the server has met. Its count comes from what connections report now and then, and when they close."""
    for alias in ("default", "owner"):
        connections[alias].close()
    return int(as_owner("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0])


def contend(community: Community, rounds: int) -> None:
    """Rounds of everything at once: two relays with the same new things, and their producers publishing here."""
    aurora, borealis = community.aurora, community.borealis
    harbour, inlet = make_exchange(), make_exchange("inlet")
    dorado = pin_stranger(stranger())
    harbour.send(dorado.keys.identity_bytes)
    dorado.lab.refresh_from_db()
    ours = [aurora.indicator(id=f"indicator--{number:08}-0000-4000-8000-000000000000") for number in range(4)]
    aurora.publish(*(aurora.signed(each) for each in ours))
    theirs: list[bytes] = []
    for number in range(rounds):
        identity = next_identity(dorado, name=f"Dorado {number}")
        gone = [harbour.note(each, dorado.identity, "narrowed") for each in ids_of(theirs)]
        marking = aurora.distribution(borealis.identity)
        secret = aurora.signed(marked(aurora, Tlp.AMBER, marking))
        ours = [aurora.next_version(each, name=f"Version {number}") for each in ours]
        later = [aurora.signed(each) for each in ours]
        theirs = [dorado.signed(dorado.indicator()) for _ in range(4)]
        page = [*gone, *later[:2], *theirs, identity, secret, aurora.signed(marking), *later[2:]]
        publish = partial(aurora.publish, aurora.signed(marking), secret, *reversed(later))
        relayed = [*reversed(page[len(gone) :])]
        at_once(partial(harbour.send, *page), partial(inlet.send, *relayed), publish, partial(aurora.publish, *later))


def ids_of(bodies: list[bytes]) -> list[str]:
    return [json.loads(body)["id"] for body in bodies]


@pytest.mark.parametrize("rounds", [5, pytest.param(60, marks=pytest.mark.faults)])
def test_pages_and_publishers_that_meet_never_deadlock(community: Community, rounds: int) -> None:
    before = deadlocks()
    contend(community, rounds)
    assert deadlocks() == before
