"""A compromised key: what it signed since goes to quarantine, and readers fall back to what is sound."""

from __future__ import annotations

import time

from exchange.models import AuditEvent
from exchange.services.deletion import delete_object
from exchange.services.publishing import OutcomeStatus
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from tests.integration.services.chains import new_signing_key, next_identity
from tests.integration.services.test_keys import with_key
from tests.integration.services.views import (
    as_owner,
    finds,
    ids_of,
    marked,
    page_of,
    refusal,
    seconds_now,
    store,
    stored_rows,
    withdrawals,
)
from tests.support.labs import Community, LabHandle


def next_second() -> int:
    """The moment from which a thief may have had the key: everything before this call was earlier."""
    since = seconds_now() + 1
    while time.time() < since:
        time.sleep(0.02)
    return since


def report_theft(lab: LabHandle, since: int) -> LabHandle:
    """The lab says since when its key may be in other hands, and brings a new one."""
    key, public = new_signing_key()
    body = next_identity(
        lab,
        add=[public],
        signers=[lab.keys.root, key],
        change={lab.keys.signing.kid: {"compromised_since": since}},
    )
    outcome = lab.publish(body)[0]
    assert outcome.status is OutcomeStatus.STORED, outcome
    assert isinstance(key, SigningKey)
    return with_key(lab, key)


def test_what_a_thief_signed_is_taken_out_and_the_sound_version_comes_again(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    changed, revoked, untouched = aurora.indicator(), aurora.indicator(), aurora.indicator()
    store(aurora, changed, revoked, untouched)
    since = next_second()
    new = aurora.indicator(Tlp.AMBER)
    store(aurora, aurora.next_version(changed, name="By the thief"), aurora.next_version(revoked, revoked=True), new)
    follower = page_of(borealis.principal).entries[-1].date_added

    sound = report_theft(aurora, since)

    entries = {entry.version: entry for entry in page_of(cobalt.principal, ids=(changed["id"], revoked["id"])).entries}
    assert {(entry.version, entry.state) for entry in entries.values()} == {
        (changed["modified"], "current"),
        (revoked["modified"], "current"),
    }
    assert not finds(cobalt.principal, new["id"])
    for members in (changed, revoked, new):
        assert withdrawals(cobalt.client, members["id"]) == ["suspended"]
    assert withdrawals(cobalt.principal, untouched["id"]) == []
    news = ids_of(page_of(borealis.principal, "signatures", added_after=follower))
    assert set(news[:3]) & {changed["id"], revoked["id"]} == set(), "first the notes"
    assert set(news[3:]) == {changed["id"], revoked["id"]}, "then what is sound, at new places"
    assert as_owner("SELECT count(*) FROM held WHERE missing_marking = 'compromised-key'") == [(3,)]
    assert AuditEvent.objects.filter(action="versions-quarantined").count() == 1
    store(sound, aurora.next_version(revoked, name="Goes on"))


def test_nothing_of_it_comes_back_and_the_producer_may_sign_it_again(community: Community) -> None:
    aurora, _, cobalt = community.labs
    since = next_second()
    members = aurora.indicator()
    stolen = aurora.signed(members)
    store(aurora, members)
    sound = report_theft(aurora, since)
    before = stored_rows()
    for body in (stolen, aurora.signed(aurora.indicator())):
        assert refusal(aurora.publish(body)[0])[0] == "signature-key-compromised"
    assert stored_rows() == before
    assert not finds(cobalt.principal, members["id"])
    store(sound, {**members, "name": "What it should have said"})
    assert finds(cobalt.principal, members["id"])
    assert aurora.publish(next_identity(aurora, name="Aurora again"))[0].status is OutcomeStatus.STORED
    assert AuditEvent.objects.filter(action="versions-quarantined").count() == 1


def test_a_marking_of_the_thief_decides_nobodys_readers(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    forged = {**aurora.distribution(borealis.identity, cobalt.identity), "id": marking["id"]}
    waiting = marked(aurora, Tlp.AMBER, marking)
    assert aurora.publish(aurora.signed(waiting))[0].status is OutcomeStatus.HELD
    since = next_second()
    store(aurora, forged)
    assert finds(cobalt.principal, waiting["id"])
    sound = report_theft(aurora, since)
    assert not finds(cobalt.principal, waiting["id"])
    assert withdrawals(cobalt.principal, waiting["id"]) == ["suspended"]
    store(sound, marking)
    assert finds(borealis.principal, waiting["id"])
    assert not finds(cobalt.principal, waiting["id"])


def test_its_producer_may_delete_the_object_and_operators_keep_what_lies_in_quarantine(community: Community) -> None:
    aurora, _, cobalt = community.labs
    first = aurora.indicator()
    store(aurora, first)
    since = next_second()
    store(aurora, aurora.next_version(first))
    sound = report_theft(aurora, since)
    delete_object(principal=sound.principal, stix_id=first["id"])
    assert withdrawals(cobalt.principal, first["id"]) == ["suspended", "deleted"]
    assert as_owner("SELECT count(*) FROM held WHERE missing_marking = 'compromised-key'") == [(1,)]
    assert refusal(sound.publish(sound.signed(aurora.next_version(first)))[0]) == ("deleted", "/id")


def test_an_older_version_of_the_thief_goes_without_a_word(community: Community) -> None:
    aurora, _, cobalt = community.labs
    first = aurora.indicator()
    second = aurora.next_version(first)
    store(aurora, second)
    since = next_second()
    store(aurora, first)
    report_theft(aurora, since)
    found = page_of(cobalt.principal, "signatures", all_versions=True, ids=(first["id"],)).entries
    assert [entry.version for entry in found] == [second["modified"]]
    assert withdrawals(cobalt.principal, first["id"]) == []
