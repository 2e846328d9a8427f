"""Versions that wait for their distribution marking: in nobody's view, and with a new place when it comes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connections

from exchange.services.publishing import Outcome, OutcomeStatus
from exchange.stix.markings import Tlp
from tests.integration.services.test_compromised_keys import next_second, report_theft
from tests.integration.services.views import as_owner, finds, marked, page_of, refusal, store, withdrawals
from tests.support.labs import Community


def held_versions() -> int:
    return int(as_owner("SELECT count(*) FROM held")[0][0])


def test_what_waits_is_seen_by_nobody_and_comes_with_a_new_place(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    waiting, after = marked(aurora, Tlp.AMBER, marking), aurora.indicator()
    held = aurora.publish(aurora.signed(waiting))[0]
    assert held.status is OutcomeStatus.HELD
    assert aurora.publish(aurora.signed(waiting))[0].status is OutcomeStatus.EXISTS
    store(aurora, after)
    follower = page_of(borealis.principal).entries[-1].date_added
    for lab in community.labs:
        assert not finds(lab.principal, waiting["id"])

    store(aurora, marking)

    assert finds(aurora.principal, waiting["id"])
    assert finds(borealis.client, waiting["id"])
    assert not finds(cobalt.principal, waiting["id"])
    news = page_of(borealis.principal, "signatures", added_after=follower)
    assert [entry.version for entry in news.entries] == [waiting["modified"]], "followers meet it"
    assert held_versions() == 0


def test_a_narrower_version_that_waits_stops_the_one_before_at_once(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    first = aurora.indicator()
    second = aurora.next_version(first, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    store(aurora, first)
    assert aurora.publish(aurora.signed(second))[0].status is OutcomeStatus.HELD
    assert [entry.version for entry in page_of(aurora.principal, ids=(first["id"],)).entries] == [first["modified"]]
    for reader in (borealis.principal, cobalt.principal, cobalt.client):
        assert not finds(reader, first["id"])
        assert withdrawals(reader, first["id"]) == ["narrowed"]
    follower = page_of(borealis.principal).entries[-1].date_added

    store(aurora, marking)

    assert not finds(cobalt.principal, first["id"])
    assert withdrawals(cobalt.principal, first["id"]) == ["narrowed"], "told once"
    news = page_of(borealis.principal, "signatures", added_after=follower).entries
    assert [entry.version for entry in news] == [second["modified"]]


def test_whom_the_label_leaves_out_does_not_read_what_was_before_while_it_waits(community: Community) -> None:
    aurora = community.aurora
    marking = aurora.distribution(community.borealis.identity)
    first, second = aurora.indicator(), aurora.indicator()
    store(aurora, first, second)
    stricter = [
        aurora.next_version(members, object_marking_refs=[label.marking_id, marking["id"]])
        for members, label in ((first, Tlp.AMBER), (second, Tlp.AMBER_STRICT))
    ]
    assert {each.status for each in aurora.publish(*map(aurora.signed, stricter))} == {OutcomeStatus.HELD}
    assert finds(aurora.client, first["id"])
    assert not finds(aurora.client, second["id"])
    assert finds(aurora.principal, second["id"])


def test_a_wider_version_after_one_that_waits_is_read_and_one_before_it_is_not(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    first = aurora.indicator()
    second = aurora.next_version(first)
    third = aurora.next_version(second, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    fourth = aurora.next_version(third, object_marking_refs=[Tlp.GREEN.marking_id])
    store(aurora, first)
    assert aurora.publish(aurora.signed(third))[0].status is OutcomeStatus.HELD
    store(aurora, second)
    assert not finds(cobalt.principal, first["id"])
    store(aurora, fourth)
    assert [entry.version for entry in page_of(cobalt.principal, ids=(first["id"],)).entries] == [fourth["modified"]]
    store(aurora, marking)
    assert [entry.version for entry in page_of(cobalt.principal, ids=(first["id"],)).entries] == [fourth["modified"]]
    assert held_versions() == 0


def test_of_two_versions_that_wait_the_later_one_decides(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    one, other = aurora.distribution(borealis.identity), aurora.distribution(cobalt.identity)
    first = marked(aurora, Tlp.GREEN)
    second = aurora.next_version(first, object_marking_refs=[Tlp.AMBER.marking_id, one["id"]])
    third = aurora.next_version(second, object_marking_refs=[Tlp.AMBER.marking_id, other["id"]])
    store(aurora, first)
    statuses = {each.status for each in aurora.publish(aurora.signed(second), aurora.signed(third))}
    assert statuses == {OutcomeStatus.HELD}
    store(aurora, one)
    assert not finds(borealis.principal, first["id"])
    store(aurora, other)
    assert not finds(borealis.principal, first["id"])
    assert [entry.version for entry in page_of(cobalt.principal, ids=(first["id"],)).entries] == [third["modified"]]
    assert withdrawals(borealis.principal, first["id"]) == ["narrowed"]


def test_a_revocation_that_waits_revokes_at_once_and_comes_when_its_marking_does(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    first = aurora.indicator()
    refs = [Tlp.AMBER.marking_id, marking["id"]]
    revoked = aurora.next_version(first, revoked=True, object_marking_refs=refs)
    store(aurora, first)
    assert aurora.publish(aurora.signed(revoked))[0].status is OutcomeStatus.HELD
    assert [entry.state for entry in page_of(aurora.principal, ids=(first["id"],)).entries] == ["revoked"]
    assert withdrawals(cobalt.principal, first["id"]) == ["revoked"]
    assert not finds(cobalt.principal, first["id"])
    later = aurora.publish(aurora.signed(aurora.next_version(revoked, revoked=False)))[0]
    assert refusal(later) == ("version-after-revocation", "/modified")
    store(aurora, marking)
    entry = page_of(borealis.principal, ids=(first["id"],)).entries[0]
    assert (entry.version, entry.state) == (revoked["modified"], "revoked")
    assert not finds(cobalt.principal, first["id"])
    assert held_versions() == 0


def test_nobody_is_told_of_an_object_of_which_everything_waited(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    first = marked(aurora, Tlp.AMBER, marking)
    second = aurora.next_version(first, revoked=True, object_marking_refs=[Tlp.RED.marking_id, marking["id"]])
    assert aurora.publish(aurora.signed(first))[0].status is OutcomeStatus.HELD
    assert aurora.publish(aurora.signed(second))[0].status is OutcomeStatus.HELD
    for lab in community.labs:
        assert withdrawals(lab.principal, first["id"]) == []
    assert not finds(cobalt.principal, first["id"])


def test_an_older_version_that_waited_becomes_the_first_and_not_the_newest(community: Community) -> None:
    aurora, borealis, _ = community.labs
    marking = aurora.distribution(borealis.identity)
    first = marked(aurora, Tlp.AMBER, marking)
    second = aurora.next_version(first, object_marking_refs=[Tlp.GREEN.marking_id])
    assert aurora.publish(aurora.signed(first))[0].status is OutcomeStatus.HELD
    store(aurora, second)
    store(aurora, marking)
    flags = as_owner(
        "SELECT v.version_text, e.is_newest, e.is_first FROM entry e JOIN version v ON v.id = e.version_id"
        " JOIN object o ON o.id = e.object_id WHERE o.stix_id = %s ORDER BY 1",
        first["id"],
    )
    assert flags == [(first["modified"], False, True), (second["modified"], True, False)]
    versions = page_of(borealis.principal, "signatures", all_versions=True, ids=(first["id"],)).entries
    assert [entry.version for entry in versions] == [second["modified"], first["modified"]]


def test_what_waits_when_its_object_is_revoked_stays_out_for_ever(community: Community) -> None:
    aurora, borealis, _ = community.labs
    marking = aurora.distribution(borealis.identity)
    first = aurora.indicator()
    waiting = aurora.next_version(first, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    revoked = aurora.next_version(waiting, revoked=True, object_marking_refs=[Tlp.GREEN.marking_id])
    store(aurora, first)
    assert aurora.publish(aurora.signed(waiting))[0].status is OutcomeStatus.HELD
    store(aurora, revoked)
    store(aurora, marking)
    entry = page_of(borealis.principal, ids=(first["id"],)).entries[0]
    assert (entry.version, entry.state) == (revoked["modified"], "revoked")
    assert held_versions() == 1


def test_a_marking_that_was_never_named_as_own_releases_nothing(community: Community) -> None:
    aurora, borealis, _ = community.labs
    marking = aurora.distribution(borealis.identity)
    waiting = marked(aurora, Tlp.AMBER, marking)
    assert aurora.publish(aurora.signed(waiting))[0].status is OutcomeStatus.HELD
    forged = borealis.distribution(borealis.identity) | {"id": marking["id"]}
    assert borealis.publish(borealis.signed(forged))[0].status is OutcomeStatus.STORED
    assert not finds(borealis.principal, waiting["id"])
    assert held_versions() == 1


def test_another_producers_marking_is_refused_where_it_can_be_read_and_unknown_where_not(
    community: Community,
) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    store(aurora, marking)
    outcomes = [lab.publish(lab.signed(marked(lab, Tlp.AMBER, marking)))[0] for lab in (borealis, cobalt)]
    assert refusal(outcomes[0]) == ("foreign-marking", "/object_marking_refs")
    assert outcomes[1].status is OutcomeStatus.HELD


def test_a_marking_and_what_names_it_may_come_at_the_same_time_and_nothing_waits_for_ever(
    community: Community,
) -> None:
    aurora, borealis, _ = community.labs
    principal = aurora.principal
    for _ in range(5):
        marking = aurora.distribution(borealis.identity)
        bodies = [aurora.signed(marking), aurora.signed(marked(aurora, Tlp.AMBER, marking))]
        start = threading.Barrier(2)

        def publish(body: bytes, start: threading.Barrier = start) -> Outcome:
            try:
                start.wait()
                return aurora.publish(body)[0]
            finally:
                connections["default"].close()

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(publish, bodies))
        assert {each.error for each in outcomes} == {None}
        assert held_versions() == 0
    assert principal.lab_id == aurora.lab.id


def test_what_was_wider_does_not_come_back_when_a_marking_turns_out_to_be_a_thiefs(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    refs = [Tlp.AMBER.marking_id, marking["id"]]
    first, second = aurora.indicator(), aurora.indicator()
    narrowed = aurora.next_version(first, object_marking_refs=refs)
    revoked = aurora.next_version(second, revoked=True, object_marking_refs=refs)
    store(aurora, first, second)
    assert {each.status for each in aurora.publish(aurora.signed(narrowed), aurora.signed(revoked))} == {
        OutcomeStatus.HELD
    }
    since = next_second()
    store(aurora, marking)
    sound = report_theft(aurora, since)
    for lab in (borealis, cobalt):
        assert not finds(lab.principal, first["id"])
        assert not finds(lab.principal, second["id"])
    store(sound, marking)
    found = page_of(borealis.principal, ids=(first["id"], second["id"])).entries
    assert {(entry.version, entry.state) for entry in found} == {
        (narrowed["modified"], "current"),
        (revoked["modified"], "revoked"),
    }
    assert not finds(cobalt.principal, first["id"])
