"""Onward sharing where the door does not reach: objects of other exchanges, RED, and versions that come meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attribution.models import OnwardRequest
from attribution.onward import Answered, ask_onward, draft_grant, record_decision
from attribution.onward.errors import ElsewhereError, NotShareableError, SettledError
from exchange.services.database import writing
from exchange.services.errors import ExchangeError
from exchange.services.principals import Principal, PrincipalKind
from exchange.stix.markings import Tlp
from tests.support.at_once import at_once
from tests.support.labs import Community, LabHandle
from tests.support.peers import make_exchange, pin_stranger, stranger

REASON = "The same relays serve accounts of both labs."


def ask(lab: LabHandle, stix_id: str, for_whom: str = "cobalt", principal: Principal | None = None) -> Answered:
    asker = principal or lab.principal
    return ask_onward(principal=asker, stix_id=stix_id, producer="", for_whom=for_whom, reason=REASON).outcome


def share(lab: LabHandle, label: Tlp, *recipients: str) -> str:
    """Publish an object for these recipients; answers its id."""
    marking = lab.distribution(*recipients)
    members = lab.indicator(label, object_marking_refs=[label.marking_id, marking["id"]])
    outcomes = lab.publish(lab.signed(marking), lab.signed(members))
    assert [outcome.error for outcome in outcomes] == [None, None]
    return str(members["id"])


def test_what_came_from_another_exchange_is_asked_for_there(community: Community) -> None:
    peer, borealis = make_exchange(), community.borealis
    dorado = pin_stranger(stranger())
    marking = dorado.distribution(borealis.identity)
    members = dorado.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    receipt = peer.send(dorado.keys.identity_bytes, dorado.signed(marking), dorado.signed(members))
    assert receipt.stored == 3, receipt
    with pytest.raises(ElsewhereError) as refused:
        ask(borealis, members["id"])
    assert dorado.lab.slug in refused.value.detail
    assert f"from {peer.lab.slug}: ask there" in refused.value.detail


def test_red_is_never_asked_for_by_a_person_who_reads_it_either(community: Community) -> None:
    aurora, borealis, _ = community.labs
    handle = "identity--9d5fcd52-0d6b-4d9b-9a7a-3a2a9d0c1c11"
    stix_id = share(aurora, Tlp.RED, handle)
    person = replace(
        borealis.principal, kind=PrincipalKind.PERSON, person_id=1, person_identity=handle, fresh_second_factor=True
    )
    for for_whom in ("cobalt", "clients"):
        with pytest.raises(NotShareableError, match="TLP:RED"):
            ask(borealis, stix_id, for_whom, principal=person)
    assert not OnwardRequest.objects.exists()


def test_one_does_not_ask_for_what_is_ones_own_or_has_no_versions(community: Community) -> None:
    aurora, borealis, _ = community.labs
    own = share(aurora, Tlp.AMBER_STRICT, borealis.identity)
    with pytest.raises(NotShareableError, match="your own"):
        ask(aurora, own)
    marking = aurora.distribution(borealis.identity)
    aurora.publish(aurora.signed(marking))
    with pytest.raises(NotShareableError, match="no versions"):
        ask(borealis, marking["id"])


def test_requests_for_the_same_at_once_are_one(community: Community) -> None:
    aurora, borealis, _ = community.labs
    stix_id, answers = share(aurora, Tlp.AMBER, borealis.identity), list[Answered]()

    at_once(*[lambda: answers.append(ask(borealis, stix_id))] * 4)
    assert sorted(answers) == [Answered.ASKED, *[Answered.ASKED_BEFORE] * 3]


def test_of_decisions_at_once_about_one_request_one_refusal_stands(community: Community) -> None:
    aurora, borealis, _ = community.labs
    ask(borealis, share(aurora, Tlp.AMBER, borealis.identity))
    with writing():
        public_id = str(OnwardRequest.objects.get().public_id)
    faults: list[ExchangeError] = []

    def run() -> None:
        try:
            record_decision(
                principal=aurora.principal,
                public_id=public_id,
                decision=OnwardRequest.Decision.REFUSE,
                reason="We keep it here.",
            )
        except ExchangeError as error:
            faults.append(error)

    at_once(*[run] * 3)
    assert [type(fault) for fault in faults] == [SettledError] * 2


def test_a_second_grant_before_the_first_is_published_names_the_same(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    ask(borealis, share(aurora, Tlp.AMBER, borealis.identity))
    with writing():
        public_id = str(OnwardRequest.objects.get().public_id)
    first, second = (draft_grant(principal=aurora.principal, public_id=public_id) for _ in range(2))
    assert first.recipients == second.recipients == (borealis.identity, cobalt.identity)
    for grant in (first, second):
        outcomes = aurora.publish(*(aurora.signed(each) for each in grant.objects))
        assert [outcome.error for outcome in outcomes] == [None, None]
    with writing():
        request = OnwardRequest.objects.get()
    assert (request.state, request.granting_version) == ("granted", first.objects[1]["modified"])
