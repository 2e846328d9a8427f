"""Ids that somebody else here has: first come keeps them, until two operators say whose they are."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from exchange.models import AuditEvent, Collection, Lab, Person, QuarantinedObject
from exchange.services.errors import AccessDeniedError, ConflictError
from exchange.services.labs import create_person
from exchange.services.principals import OPERATOR
from exchange.services.quarantine import Override, override_quarantined, release_quarantined
from exchange.stix.markings import Tlp
from tests.integration.services.receiving.states import state_of
from tests.integration.services.views import finds, marked, page_of, refusal, store, stored_rows, withdrawals
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle


def operator(name: str) -> Person:
    return create_person(actor=OPERATOR, username=name, role="operator").person


def override(by: Person) -> Override:
    number = QuarantinedObject.objects.get(state="waiting", reason="foreign-id").pk
    return override_quarantined(operator=by, number=number)


def producers_of(community: Community, stix_id: str) -> list[str]:
    entries = page_of(community.cobalt.principal).entries
    return [each.producer for each in entries if stix_id.encode() in each.body and each.type == "indicator"]


def test_two_operators_let_in_what_somebody_here_had_under_its_id(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    genuine, squatter = dorado.indicator(), community.aurora
    store(squatter, squatter.indicator(id=genuine["id"]))
    assert peer.send(dorado.signed(genuine)).reasons == {"foreign-id": 1}
    number = QuarantinedObject.objects.get().pk
    assert not release_quarantined(actor=OPERATOR, number=number).is_taken
    alice, bob = operator("alice"), operator("bob")
    before = stored_rows()
    for _ in range(2):
        assert (said := override(alice)).approvals == 1
        assert not said.release.is_taken
    assert stored_rows() == before
    assert override(bob).release.is_taken
    assert producers_of(community, genuine["id"]) == ["dorado"]
    assert withdrawals(community.cobalt.principal, genuine["id"]) == ["deleted"]
    # Who was displaced does not come back, and its next version neither.
    again = squatter.publish(squatter.signed(squatter.indicator(id=genuine["id"])))[0]
    assert refusal(again)[0] in ("deleted", "foreign-id")
    assert peer.send(dorado.signed(dorado.next_version(genuine))).stored == 1
    actions = list(AuditEvent.objects.filter(subject=genuine["id"]).values_list("action", flat=True))
    assert actions == ["object-displaced", "object-deleted"]
    assert AuditEvent.objects.filter(action="override-approved").count() == 2


def test_override_of_what_is_not_taken_removes_nothing(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    genuine = dorado.indicator(Tlp.GREEN)
    store(community.aurora, community.aurora.indicator(id=genuine["id"]))
    peer.send(dorado.signed(genuine))
    alice, bob = operator("alice"), operator("bob")
    override(alice)
    Lab.objects.filter(pk=dorado.lab.pk).update(status="suspended")
    before = stored_rows()
    assert override(bob).release.reason == "lab-suspended"
    assert stored_rows() == before
    assert producers_of(community, genuine["id"]) == ["aurora"]


def test_nobody_but_operators_overrides_and_nothing_but_a_foreign_id(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    genuine = dorado.indicator()
    store(community.aurora, community.aurora.indicator(id=genuine["id"]))
    peer.send(dorado.signed(genuine))
    analyst = create_person(actor=OPERATOR, username="eve", role="analyst", lab=community.aurora.lab).person
    with pytest.raises(AccessDeniedError):
        override(analyst)
    peer.send(dorado.signed(dorado.indicator(None)))
    number = QuarantinedObject.objects.get(reason="unmarked").pk
    with pytest.raises(ConflictError) as refused:
        override_quarantined(operator=operator("alice"), number=number)
    assert refused.value.code == "not-overridable"


def test_identity_of_a_lab_here_does_not_go(community: Community, peer: PeerHandle, dorado: LabHandle) -> None:
    Collection.objects.update(scope="open")  # the agreement knows no identities but those of labs
    common = {name: dorado.indicator()[name] for name in ("spec_version", "created", "modified", "object_marking_refs")}
    claimed = common | {"type": "identity", "id": community.aurora.identity, "name": "Aurora"}
    claimed |= {"identity_class": "organization", "created_by_ref": dorado.identity}
    assert peer.send(dorado.signed(claimed)).reasons == {"foreign-id": 1}
    override(operator("alice"))
    before = stored_rows()
    with pytest.raises(ConflictError) as refused:
        override(operator("bob"))
    assert refused.value.code == "in-use"
    assert stored_rows() == before


def test_marking_goes_with_what_its_lab_marked_with_it(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    aurora, borealis = community.aurora, community.borealis
    marking = dorado.distribution(borealis.identity)
    squatted = aurora.distribution(borealis.identity) | {"id": marking["id"]}
    theirs, secret = marked(aurora, Tlp.AMBER, squatted), marked(dorado, Tlp.AMBER, marking)
    store(aurora, squatted, theirs)
    assert peer.send(dorado.signed(marking), dorado.signed(secret)).reasons == {"foreign-id": 1, "foreign-marking": 1}
    override(operator("alice"))
    assert override(operator("bob")).release.is_taken
    assert not finds(borealis.principal, theirs["id"])
    assert state_of(theirs["id"]) == "deleted"
    waiting = QuarantinedObject.objects.get(state="waiting").pk
    assert release_quarantined(actor=OPERATOR, number=waiting).is_taken
    assert finds(borealis.principal, secret["id"])


def test_command_counts_the_words_of_operators(
    community: Community, peer: PeerHandle, dorado: LabHandle, capsys: pytest.CaptureFixture[str]
) -> None:
    genuine = dorado.indicator()
    store(community.aurora, community.aurora.indicator(id=genuine["id"]))
    peer.send(dorado.signed(genuine))
    operator("alice")
    call_command("release_quarantined", str(QuarantinedObject.objects.get().pk), "--override", "alice", "--json")
    assert '"approvals": 1' in capsys.readouterr().out


def test_of_two_labs_with_one_id_on_one_page_the_first_has_it(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    genuine = dorado.indicator()
    claimed = community.aurora.indicator(id=genuine["id"])
    receipt = peer.send(dorado.signed(genuine), community.aurora.signed(claimed))
    assert (receipt.stored, receipt.reasons) == (1, {"foreign-id": 1})
    assert producers_of(community, genuine["id"]) == ["dorado"]
