"""Rule 3: exactly those are told who could read and cannot any more."""

from __future__ import annotations

import pytest

from exchange.models import Collection, Lab
from exchange.services.collections import grant_access
from exchange.services.deletion import delete_object
from exchange.services.errors import ConflictError, NotFoundError
from exchange.services.labs import suspend_lab
from exchange.services.principals import OPERATOR
from exchange.stix.extensions import Withdrawal
from exchange.stix.fixed import WITHDRAWAL_EXTENSION
from exchange.stix.identifiers import deterministic_id
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object
from exchange.stix.signature import open_signed
from tests.integration.services.views import (
    Members,
    as_owner,
    finds,
    marked,
    members_of,
    page_of,
    person_of,
    refusal,
    store,
    stored_rows,
    visible,
    withdrawals,
    without_fresh_factor,
)
from tests.support.labs import Community, admit_lab


def test_the_note_is_signed_by_the_node_and_says_nothing_of_the_content(community: Community) -> None:
    aurora, _, cobalt = community.labs
    first = aurora.indicator(name="Secret name", description="Secret text")
    store(aurora, first)
    store(aurora, aurora.next_version(first, object_marking_refs=[Tlp.RED.marking_id]))
    note = page_of(cobalt.principal, "signatures", types=("note",)).entries[-1]
    members = members_of(note)
    node = Lab.objects.get(is_self=True)
    assert members["created_by_ref"] == node.identity_id
    assert open_signed(read_object(note.body)).kid in set(node.keys.values_list("kid", flat=True))
    assert b"Secret" not in note.body
    assert members["object_refs"] == [first["id"]]
    assert withdrawal_in(members).producer == aurora.identity
    assert note.collection == "signatures", "where incremental followers of the object meet it"
    assert note.producer == node.slug


def test_narrowing_tells_labs_clients_and_persons_who_lost_sight_and_nobody_else(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    named, other = person_of(cobalt), person_of(cobalt)
    marking = aurora.distribution(borealis.identity)
    for_person = aurora.distribution(named.person_identity)
    store(aurora, marking, for_person)
    everybody = {
        "aurora": aurora.principal,
        "borealis": borealis.principal,
        "cobalt": cobalt.principal,
        "borealis-client": borealis.client,
        "cobalt-client": cobalt.client,
        "named": named,
        "other": other,
    }
    steps: tuple[tuple[Tlp, Members | None, Tlp, Members | None, set[str]], ...] = (
        (Tlp.AMBER, None, Tlp.AMBER_STRICT, None, {"borealis-client", "cobalt-client"}),
        (Tlp.AMBER, None, Tlp.AMBER, marking, {"cobalt", "cobalt-client", "named", "other"}),
        (Tlp.AMBER, marking, Tlp.AMBER_STRICT, marking, {"borealis-client"}),
        (Tlp.AMBER_STRICT, marking, Tlp.RED, for_person, {"aurora", "borealis"}),
        (Tlp.RED, for_person, Tlp.AMBER, marking, {"named"}),
        (Tlp.RED, for_person, Tlp.AMBER, None, set()),
        (Tlp.RED, for_person, Tlp.GREEN, None, set()),
        (Tlp.AMBER, marking, Tlp.GREEN, None, set()),
        (Tlp.GREEN, None, Tlp.CLEAR, None, set()),
    )
    for label, recipients, next_label, next_recipients, losers in steps:
        first = marked(aurora, label, recipients)
        refs = marked(aurora, next_label, next_recipients)["object_marking_refs"]
        store(aurora, first)
        store(aurora, aurora.next_version(first, object_marking_refs=refs))
        told = {name for name, reader in everybody.items() if withdrawals(reader, first["id"]) == ["narrowed"]}
        assert told == losers, (label, next_label)


def test_a_person_with_a_stale_second_factor_gets_no_note_about_red(community: Community) -> None:
    aurora = community.aurora
    named = person_of(community.cobalt)
    marking = aurora.distribution(named.person_identity)
    first = marked(aurora, Tlp.RED, marking)
    store(aurora, marking, first)
    store(aurora, aurora.next_version(first, object_marking_refs=[Tlp.RED.marking_id]))
    assert withdrawals(named, first["id"]) == ["narrowed"]
    assert withdrawals(without_fresh_factor(named), first["id"]) == []


def test_a_lab_without_a_grant_is_told_nothing_and_a_suspended_one_when_it_is_back(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    home = Collection.objects.get(alias="signatures")
    grant_access(actor=OPERATOR, collection=home, lab=borealis.lab, can_read=False, can_write=False)
    marking = aurora.distribution(borealis.identity, cobalt.identity)
    first = marked(aurora, Tlp.AMBER, marking)
    store(aurora, marking, first)
    suspend_lab(actor=OPERATOR, slug="cobalt")
    store(aurora, aurora.next_version(first, object_marking_refs=[Tlp.RED.marking_id]))
    grant_access(actor=OPERATOR, collection=home, lab=borealis.lab, can_read=True, can_write=False)
    Lab.objects.filter(slug="cobalt").update(status="active")
    assert withdrawals(borealis.principal, first["id"]) == [], "it never read the object, so its id is not its business"
    assert withdrawals(cobalt.principal, first["id"]) == ["narrowed"]


def test_a_lab_that_joins_later_is_not_told_of_what_it_never_saw(community: Community) -> None:
    aurora = community.aurora
    first = aurora.indicator()
    store(aurora, first)
    store(aurora, aurora.next_version(first, object_marking_refs=[Tlp.RED.marking_id]))
    dune = admit_lab("dune")
    assert withdrawals(dune.principal, first["id"]) == []


def test_a_revocation_for_fewer_readers_is_called_so(community: Community) -> None:
    aurora, _, cobalt = community.labs
    first = aurora.indicator()
    store(aurora, first)
    store(aurora, aurora.next_version(first, revoked=True, object_marking_refs=[Tlp.RED.marking_id]))
    assert withdrawals(cobalt.principal, first["id"]) == ["revoked"]


def test_a_revocation_for_the_same_readers_needs_no_note(community: Community) -> None:
    aurora, _, cobalt = community.labs
    first = aurora.indicator()
    store(aurora, first)
    store(aurora, aurora.next_version(first, revoked=True))
    assert withdrawals(cobalt.principal, first["id"]) == []
    assert page_of(cobalt.principal, ids=(first["id"],)).entries[0].state == "revoked"


def test_nobody_is_told_of_what_nobody_could_read_yet(community: Community) -> None:
    aurora, _, cobalt = community.labs
    first = aurora.indicator()
    store(aurora, first, aurora.next_version(first, object_marking_refs=[Tlp.RED.marking_id]))
    assert withdrawals(cobalt.principal, first["id"]) == []


def test_only_the_node_says_that_something_was_withdrawn(community: Community) -> None:
    aurora, _, cobalt = community.labs
    first = aurora.indicator()
    store(aurora, first)
    store(aurora, aurora.next_version(first, object_marking_refs=[Tlp.RED.marking_id]))
    forged = members_of(page_of(cobalt.principal, "signatures", types=("note",)).entries[-1])
    forged |= {"id": "note--11111111-2222-4333-8444-555555555555", "created_by_ref": aurora.identity}
    code, pointer = refusal(aurora.publish(aurora.signed(forged))[0])
    assert code in {"withdrawal-by-lab", "out-of-scope-extension"}
    assert pointer.startswith("/extensions/")


def test_a_deletion_tells_its_readers_and_refuses_the_return_of_every_version(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    first = marked(aurora, Tlp.AMBER, marking)
    second = aurora.next_version(first)
    store(aurora, marking, first, second)
    with pytest.raises(NotFoundError) as foreign:
        delete_object(principal=borealis.principal, stix_id=first["id"])
    with pytest.raises(NotFoundError) as absent:
        delete_object(principal=borealis.principal, stix_id="indicator--no-such")
    assert foreign.value.detail == absent.value.detail

    delete_object(principal=aurora.principal, stix_id=first["id"])

    assert withdrawals(borealis.principal, first["id"]) == ["deleted"]
    assert withdrawals(cobalt.principal, first["id"]) == []
    assert not finds(aurora.principal, first["id"])
    assert as_owner("SELECT count(*) FROM tombstone") == [(2,)]
    digests = as_owner("SELECT digest FROM tombstone")
    assert as_owner("SELECT count(*) FROM version WHERE digest = ANY (%s)", [row[0] for row in digests]) == [(0,)]
    assert as_owner("SELECT count(*) FROM leaf WHERE operation = 'delete'") == [(1,)]
    assert as_owner("SELECT count(*) FROM leaf WHERE record IS NULL") == [(2,)], "commitments to nothing"
    before = stored_rows()
    for members in (first, second, aurora.next_version(second)):
        assert refusal(aurora.publish(aurora.signed(members))[0]) == ("deleted", "/id")
    with pytest.raises(NotFoundError):
        delete_object(principal=aurora.principal, stix_id=first["id"])
    assert stored_rows() == before


def test_a_rival_that_deletes_its_copy_of_an_observable_withdraws_that_copy_alone(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    copies = [marked(lab, Tlp.GREEN, None) for lab in (aurora, borealis)]
    value = {"type": "ipv4-addr", "spec_version": "2.1", "value": "198.51.100.3"}
    observable = {**value, "id": str(deterministic_id(value))}
    for lab, copy in zip((aurora, borealis), copies, strict=True):
        store(lab, {**observable, "object_marking_refs": copy["object_marking_refs"]})

    delete_object(principal=borealis.principal, stix_id=str(observable["id"]))

    notes = page_of(cobalt.principal, types=("note",)).entries
    said = [withdrawal_in(members_of(note)) for note in notes]
    assert [(word.object, word.producer) for word in said] == [(observable["id"], borealis.identity)]
    assert observable["id"] in visible(cobalt.principal), "the copy of aurora"


def withdrawal_in(members: Members) -> Withdrawal:
    return Withdrawal.parse(members["extensions"][WITHDRAWAL_EXTENSION], "")


def test_what_others_rest_on_is_not_deleted(community: Community) -> None:
    aurora, borealis, _ = community.labs
    marking = aurora.distribution(borealis.identity)
    unused = aurora.distribution(borealis.identity)
    members = marked(aurora, Tlp.AMBER, marking)
    store(aurora, marking, unused, members)
    for stix_id in (aurora.identity, marking["id"]):
        with pytest.raises(ConflictError) as caught:
            delete_object(principal=aurora.principal, stix_id=stix_id)
        assert caught.value.code == "in-use"
    delete_object(principal=aurora.principal, stix_id=unused["id"])
    delete_object(principal=aurora.principal, stix_id=members["id"])
    delete_object(principal=aurora.principal, stix_id=marking["id"])
    assert marking["id"] not in visible(borealis.principal)
