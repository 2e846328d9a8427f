"""Pulling from medallion and from OpenTAXII: every object once, with its meaning and its signature, over a restart.

Both parse what they are given and write it anew, so that bytes are their own; a signature is over the canonical form
and survives that.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from exchange.models import PeerChannel, QuarantinedObject, StixObject, Version
from exchange.services.database import writing
from exchange.services.outbound import allow_host
from exchange.services.peers import add_channel, create_peer
from exchange.services.peers.claims import claim_channels
from exchange.services.principals import OPERATOR
from exchange.services.receiving import PageReceipt
from exchange.sync.pulling.pull import OnPage, Run, pull
from tests.integration.services.receiving.feeding import feed_indicator
from tests.integration.sync.conftest import QUICK
from tests.support.labs import Community, LabHandle
from tests.support.other_node import home_of
from tests.support.partners.partner import Partner
from tests.support.peers import pin_stranger, stranger

PAGE = 1_000
MANY = {"medallion": 130, "OpenTAXII": 1_100}
"""Objects of one moment. medallion compares each with each, and answers at most 100 at once."""
SIGNED = 20


@pytest.fixture
def collection(partner: Partner) -> str:
    return partner.make_collection()


@pytest.fixture
def channel(community: Community, partner: Partner, collection: str) -> PeerChannel:
    """The partner as an operator registers it: a feed that may send unsigned objects."""
    allow_host(actor=OPERATOR, host="127.0.0.1")
    create_peer(
        actor=OPERATOR,
        slug="gazette",
        name=partner.name,
        url=partner.url,
        credentials=partner.credentials,
        accepts_unsigned=True,
    )
    add_channel(
        actor=OPERATOR,
        slug="gazette",
        direction=PeerChannel.Direction.PULL,
        remote_collection=collection,
        collection=home_of("signatures"),
    )
    return PeerChannel.objects.get()


@pytest.fixture
def dorado(community: Community) -> LabHandle:
    """A lab of elsewhere, whose signed objects the partner relays."""
    return pin_stranger(stranger())


def run(channel: PeerChannel, on_page: OnPage = lambda _receipt: None) -> Run:
    return pull(claim_channels([channel.pk])[0], limits=QUICK, page_limit=PAGE, on_page=on_page)


def signed(dorado: LabHandle, **changes: Any) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(dorado.signed(dorado.indicator(**changes)))
    return members


def stored() -> list[tuple[dict[str, Any], str]]:
    """Every version that came, parsed, and by whom it was signed."""
    with writing():
        rows = Version.objects.filter(origin_peer_id__isnull=False).select_related("object__producer")
        return [(json.loads(bytes(each.body)), each.object.producer.slug) for each in rows]


def sort_by_version(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(objects, key=lambda members: (members["id"], members["modified"]))


def test_everything_comes_once_with_its_meaning_over_a_restart(
    channel: PeerChannel, partner: Partner, collection: str, dorado: LabHandle
) -> None:
    plain = [feed_of(number) for number in range(MANY[partner.name] - SIGNED)]
    by_dorado = [json.loads(dorado.keys.identity_bytes), *(signed(dorado) for _ in range(SIGNED - 1))]
    partner.put(collection, by_dorado + plain)

    def stop(_receipt: PageReceipt) -> None:
        partner.stop()

    broken = run(channel, on_page=stop)
    assert (broken.failure, broken.pages) == ("unreachable", 1)
    partner.start()
    assert run(channel).failure == ""
    came = stored()
    assert sort_by_version([members for members, _ in came]) == sort_by_version(by_dorado + plain)
    assert {members["id"] for members, slug in came if slug == "dorado"} == {each["id"] for each in by_dorado}

    # Later: new objects, a next version, a revocation; by the door that any client uses.
    revised = feed_indicator(
        id=plain[0]["id"], created=plain[0]["created"], modified="2026-11-24T13:00:00.001Z", name="Another name"
    )
    revoked = json.loads(dorado.signed(dorado.next_version(unsigned_of(by_dorado[1]), revoked=True)))
    later = [revised, revoked, signed(dorado), feed_indicator()]
    partner.post(collection, later)
    second = run(channel)
    assert (second.failure, second.moved) == ("", len(later))
    assert sort_by_version([members for members, _ in stored()]) == sort_by_version(by_dorado + plain + later)
    with writing():
        assert StixObject.objects.get(stix_id=revoked["id"]).state == "revoked"
    third = run(channel)
    assert (third.failure, third.moved, third.more) == ("", 0, False)
    assert not QuarantinedObject.objects.exists()


def feed_of(number: int) -> dict[str, Any]:
    """Each modified at a moment of its own, or OpenTAXII's search for last versions on SQLite takes seconds a page."""
    at = f"2026-11-24T12:{number // 60:02}:{number % 60:02}.000Z"
    return feed_indicator(created=at, modified=at, confidence=number % 100)


def unsigned_of(members: dict[str, Any]) -> dict[str, Any]:
    """The members without the signature, which was the only extension."""
    return {name: value for name, value in members.items() if name != "extensions"}


def test_a_signature_is_no_proof_of_what_was_changed_on_the_way(
    channel: PeerChannel, partner: Partner, collection: str, dorado: LabHandle
) -> None:
    forged, sound = signed(dorado) | {"name": "Changed on the way"}, signed(dorado)
    partner.post(collection, [json.loads(dorado.keys.identity_bytes), forged, sound])
    assert run(channel).moved == 2
    assert [(each.stix_id, each.reason) for each in QuarantinedObject.objects.all()] == [
        (forged["id"], "signature-wrong")
    ]
