"""Quarantine: looked at, judged again, dropped; a release never lets in what a peer could not bring."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command

from exchange.models import AuditEvent, QuarantinedObject
from exchange.services.errors import ConflictError, NotFoundError
from exchange.services.keys import pin_key
from exchange.services.labs import create_lab, resume_lab, suspend_lab
from exchange.services.principals import OPERATOR
from exchange.services.quarantine import (
    KEPT_FOR,
    drop_quarantined,
    list_quarantined,
    release_quarantined,
    show_quarantined,
)
from exchange.services.receiving import offer_waiting
from exchange.services.retention import purge_expired
from exchange.stix.canonical import canonicalize
from exchange.stix.markings import Tlp
from tests.integration.services.views import as_owner, finds, stored_rows
from tests.support.homes import home_at
from tests.support.labs import Community, LabHandle
from tests.support.peers import PeerHandle, make_feed, pin_stranger, stranger


def waiting() -> list[str]:
    return [row.reason for row in list_quarantined()]


def test_pin_brings_what_waited_for_the_lab(community: Community, peer: PeerHandle) -> None:
    dorado = stranger()
    members = dorado.indicator()
    peer.send(dorado.signed(members), dorado.keys.identity_bytes)
    assert set(waiting()) == {"signature-key-unknown", "lab-unknown"}
    create_lab(actor=OPERATOR, slug="dorado", name="Dorado")
    call_command("pin_key", "dorado", dorado.keys.root.kid)
    assert waiting() == []
    assert finds(community.aurora.principal, members["id"])
    assert {bytes(row.body) for row in QuarantinedObject.objects.all()} == {b""}


def test_identity_that_comes_brings_what_waited_for_its_keys(community: Community, peer: PeerHandle) -> None:
    dorado = pin_stranger(stranger())
    members = dorado.indicator()
    assert peer.send(dorado.signed(members)).quarantined == 1
    assert peer.send(dorado.keys.identity_bytes).stored == 1
    assert waiting() == []
    assert finds(community.aurora.principal, members["id"])


def test_release_judges_again_and_a_forged_object_stays(community: Community, peer: PeerHandle) -> None:
    forged = json.loads(community.aurora.signed(community.aurora.indicator()))
    forged["name"] = "Forged"
    peer.send(canonicalize(forged))
    before = stored_rows()
    number = list_quarantined()[0].pk
    release = release_quarantined(actor=OPERATOR, number=number)
    assert (release.is_taken, release.reason) == (False, "signature-wrong")
    assert stored_rows() == before
    assert show_quarantined(actor=OPERATOR, number=number).state == "waiting"


def test_release_takes_what_is_sound_by_now(community: Community, peer: PeerHandle) -> None:
    dorado = pin_stranger(stranger())
    peer.send(dorado.keys.identity_bytes)
    suspend_lab(actor=OPERATOR, slug="dorado")
    members = dorado.indicator()
    assert peer.send(dorado.signed(members)).reasons == {"lab-suspended": 1}
    resume_lab(actor=OPERATOR, slug="dorado")
    number = list_quarantined()[0].pk
    assert release_quarantined(actor=OPERATOR, number=number).is_taken
    assert finds(community.aurora.principal, members["id"])
    for again in (release_quarantined, drop_quarantined):
        with pytest.raises(ConflictError):
            again(actor=OPERATOR, number=number)
    actions = set(AuditEvent.objects.filter(subject=str(number)).values_list("action", flat=True))
    assert actions == {"quarantine-released"}


def test_object_that_was_deleted_in_between_is_dropped(community: Community, peer: PeerHandle) -> None:
    dorado = pin_stranger(stranger())
    members = dorado.indicator()
    peer.send(dorado.keys.identity_bytes, dorado.signed(members))
    peer.send(home_at(dorado, peer))
    later = dorado.signed(dorado.next_version(members))
    suspend_lab(actor=OPERATOR, slug="dorado")
    assert peer.send(later).reasons == {"lab-suspended": 1}
    resume_lab(actor=OPERATOR, slug="dorado")
    as_owner("UPDATE quarantine SET creator = ''")  # as of an observable, which the peer's note does not reach
    assert peer.send(peer.note(members["id"], dorado.identity, "deleted")).withdrawals == 1
    assert waiting() == ["lab-suspended"]
    assert offer_waiting() == 0
    row = QuarantinedObject.objects.get()
    assert (row.state, bytes(row.body), row.reason) == ("dropped", b"", "deleted")


def test_dropped_object_is_gone_and_is_not_kept_again(peer: PeerHandle) -> None:
    dorado = stranger()
    body = dorado.signed(dorado.indicator())
    peer.send(body)
    number = list_quarantined()[0].pk
    drop_quarantined(actor=OPERATOR, number=number)
    assert peer.send(body).quarantined == 1
    row = QuarantinedObject.objects.get()
    assert (row.state, bytes(row.body), row.decided_by) == ("dropped", b"", "operator")
    with pytest.raises(NotFoundError):
        drop_quarantined(actor=OPERATOR, number=number + 1)


def test_decided_rows_are_forgotten_in_time_but_not_that_an_operator_dropped_the_bytes(
    community: Community, peer: PeerHandle
) -> None:
    dorado = pin_stranger(stranger())
    taken, dropped, noted = (dorado.indicator() for _ in range(3))
    bodies = [dorado.signed(members) for members in (taken, dropped, noted)]
    bodies[1] = bodies[1].replace(b'"name":"', b'"name":"Forged ')
    eve = stranger("eve").keys.identity_bytes
    peer.send(*bodies, eve)
    peer.send(peer.note(noted["id"], dorado.identity, "deleted"))
    drop_quarantined(actor=OPERATOR, number=QuarantinedObject.objects.get(stix_id=dropped["id"]).pk)
    peer.send(dorado.keys.identity_bytes)
    assert [row.reason for row in list_quarantined()] == ["lab-unknown"]
    states = set(QuarantinedObject.objects.values_list("state", "decided_by"))
    # What its own note took back leaves no row.
    assert states == {("waiting", ""), ("released", "node"), ("dropped", "operator")}

    before = QuarantinedObject.objects.get(decided_by="operator")
    moment, reason = before.decided_at, before.reason
    assert moment is not None
    assert purge_expired(moment + KEPT_FOR - timedelta(hours=1)).quarantined == 0
    later = moment + KEPT_FOR + timedelta(hours=1)
    assert purge_expired(later).quarantined == 2
    assert purge_expired(later).quarantined == 0
    assert bytes(QuarantinedObject.objects.get(state="waiting").body) == eve
    row = QuarantinedObject.objects.get(state="dropped")
    assert (row.sha256, row.reason, row.decided_by) == (before.sha256, reason, "operator")
    assert {row.stix_id, row.version_text, row.creator, row.kid, row.detail, bytes(row.body)} == {"", b""}

    peer.send(*bodies)
    assert QuarantinedObject.objects.get(pk=row.pk).state == "dropped"
    assert finds(community.aurora.principal, taken["id"])


def test_list_is_filtered_by_peer_and_reason(community: Community, peer: PeerHandle) -> None:
    dorado = stranger()
    peer.send(dorado.signed(dorado.indicator()), b"{}")
    make_feed(accepts_unsigned=False).send(dorado.signed(dorado.indicator()))
    assert len(list_quarantined()) == 3
    assert {row.peer.lab.slug for row in list_quarantined(peer="gazette")} == {"gazette"}
    assert len(list_quarantined(reason="signature-key-unknown")) == 2
    first = list_quarantined(limit=1)[0]
    assert len(list_quarantined(after=first.pk)) == 2


def test_offering_changes_nothing_that_is_not_ready(peer: PeerHandle) -> None:
    dorado = stranger()
    peer.send(dorado.signed(dorado.indicator()), dorado.keys.identity_bytes)
    before = stored_rows()
    assert offer_waiting() == 0
    assert stored_rows() == before
    assert len(waiting()) == 2


def test_pin_of_another_lab_brings_nothing(community: Community, peer: PeerHandle) -> None:
    dorado: LabHandle = stranger()
    eve = pin_stranger(stranger("eve"))
    peer.send(dorado.signed(dorado.indicator(Tlp.GREEN)), dorado.keys.identity_bytes)
    pin_key(actor=OPERATOR, lab=eve.lab, thumbprint=stranger("mallory").keys.root.kid)
    assert offer_waiting() == 0
    assert len(waiting()) == 2
