"""Pushing to medallion and to OpenTAXII: what may cross is there once, whatever else of it they do not take."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.models import PeerChannel, PeerErrand
from exchange.services.clock import now
from exchange.services.deletion import delete_object
from exchange.services.outbound import allow_host
from exchange.services.peers import add_channel, create_peer
from exchange.services.peers.claims import claim_channels
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp
from exchange.sync.pushing.push import PushRun, push
from tests.integration.sync.conftest import QUICK
from tests.support.labs import Community, LabHandle
from tests.support.other_node import home_of
from tests.support.partners.partner import Partner


@pytest.fixture
def collection(partner: Partner) -> str:
    return partner.make_collection()


@pytest.fixture
def channel(community: Community, partner: Partner, collection: str) -> PeerChannel:
    allow_host(actor=OPERATOR, host="127.0.0.1")
    create_peer(
        actor=OPERATOR,
        slug="gazette",
        name=partner.name,
        url=partner.url,
        credentials=partner.credentials,
        community=True,
    )
    return add_channel(
        actor=OPERATOR,
        slug="gazette",
        direction=PeerChannel.Direction.PUSH,
        remote_collection=collection,
        collection=home_of("signatures"),
    )


def run(channel: PeerChannel) -> PushRun:
    return push(claim_channels([channel.pk])[0], limits=QUICK)


def publish(lab: LabHandle, *labels: Tlp) -> list[dict[str, Any]]:
    made = [lab.indicator(label) for label in labels]
    assert {each.error for each in lab.publish(*map(lab.signed, made))} == {None}
    return made


def indicators(partner: Partner, collection: str) -> list[tuple[str, str]]:
    held = partner.held(collection)
    return sorted((each["id"], each["modified"]) for each in held if each["id"].startswith("indicator"))


def test_what_may_cross_is_held_once_by_a_server_of_others(
    community: Community, channel: PeerChannel, partner: Partner, collection: str
) -> None:
    aurora = community.aurora
    made = publish(aurora, *[Tlp.GREEN] * 12, Tlp.AMBER)[:-1]
    # OpenTAXII fails over what has no `modified`; it is told apart from an outage at the second run.
    for _ in range(2):
        run(channel)
    expected = sorted((each["id"], each["modified"]) for each in made)
    assert indicators(partner, collection) == expected
    assert not PeerErrand.objects.filter(stix_id__startswith="indicator").exists()
    # As after a crash in which nobody knows what arrived: everything is sent again.
    PeerChannel.objects.update(last_seq=0)
    for _ in range(2):
        run(channel)
    assert indicators(partner, collection) == expected
    assert not PeerErrand.objects.filter(stix_id__startswith="indicator").exists()
    later = aurora.next_version(made[0], name="Later")
    assert aurora.publish(aurora.signed(later))[0].error is None
    delete_object(principal=aurora.principal, stix_id=made[1]["id"])
    PeerErrand.objects.filter(kind="post").update(next_attempt_at=None)
    ran = run(channel)
    assert (ran.failure, ran.tally.deleted) == ("", 1)
    held = indicators(partner, collection)
    assert (later["id"], later["modified"]) in held
    # OpenTAXII says that it deletes and does not.
    assert (made[1]["id"] in dict(held)) == (partner.name == "OpenTAXII")
    assert PeerChannel.objects.get().next_attempt_at > now()
