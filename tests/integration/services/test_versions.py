"""Versions, copies of observables, other labs' ids, repetition, and dry runs."""

from __future__ import annotations

import json
import uuid

from exchange.services.access import authenticate_token
from exchange.services.collections import find_collection
from exchange.services.principals import OPERATOR
from exchange.services.publishing import OutcomeStatus, publish_objects
from exchange.services.tokens import issue_token
from exchange.stix.canonical import canonicalize
from exchange.stix.fixed import fixed_object
from exchange.stix.markings import Tlp
from exchange.stix.timestamps import format_stix
from tests.integration.services.views import (
    as_owner,
    finds,
    marked,
    members_of,
    page_of,
    refusal,
    seconds_now,
    store,
    stored_rows,
)
from tests.support.labs import LOOPBACK, Community, LabHandle


def flags(stix_id: str) -> list[tuple[str, bool, bool]]:
    """(version, is_newest, is_first) of an object's entries in their sequence."""
    return [
        (str(version), bool(newest), bool(first))
        for version, newest, first in as_owner(
            "SELECT v.version_text, e.is_newest, e.is_first FROM entry e JOIN version v ON v.id = e.version_id"
            " JOIN object o ON o.id = e.object_id WHERE o.stix_id = %s ORDER BY e.seq",
            stix_id,
        )
    ]


def test_bytes_come_back_as_they_were_sent(community: Community) -> None:
    aurora, borealis, _ = community.labs
    signed = json.loads(aurora.signed(aurora.indicator(description="Größe – 雪 \u2028 / é")))
    body = json.dumps(dict(reversed(signed.items())), ensure_ascii=True, indent=3).encode()
    assert aurora.publish(body)[0].status is OutcomeStatus.STORED
    assert page_of(borealis.principal, ids=(signed["id"],)).entries[0].body == body.strip()


def test_versions_may_come_in_any_order(community: Community) -> None:
    aurora = community.aurora
    one = aurora.indicator()
    two, three = aurora.next_version(one), aurora.next_version(aurora.next_version(one))
    store(aurora, two)
    store(aurora, three, one)
    assert flags(one["id"]) == [
        (two["modified"], False, False),
        (three["modified"], True, False),
        (one["modified"], False, True),
    ]
    assert [entry.version for entry in page_of(aurora.principal, ids=(one["id"],)).entries] == [three["modified"]]


def test_versions_differ_at_the_full_precision_of_stix(community: Community) -> None:
    aurora = community.aurora
    one = aurora.indicator(created="2026-11-01T00:00:00.000Z", modified="2026-11-02T00:00:00.0000001Z")
    two = {**one, "modified": "2026-11-02T00:00:00.0000002Z"}
    same = {**one, "modified": "2026-11-02T00:00:00.00000010Z", "name": "Other"}
    store(aurora, two, one)
    assert flags(one["id"])[0] == (two["modified"], True, False)
    assert refusal(aurora.publish(aurora.signed(same))[0]) == ("version-conflict", "")


def test_the_same_payload_is_the_same_object_and_another_is_a_conflict(community: Community) -> None:
    aurora = community.aurora
    members = aurora.indicator()
    first = aurora.signed(members)
    assert aurora.publish(first)[0].status is OutcomeStatus.STORED
    before = stored_rows()
    again = aurora.signed(members, iat=seconds_now() - 5)
    assert again != first
    assert [each.status for each in aurora.publish(first, again, first)] == [OutcomeStatus.EXISTS] * 3
    assert refusal(aurora.publish(aurora.signed({**members, "name": "Other"}))[0]) == ("version-conflict", "")
    assert page_of(aurora.principal, ids=(members["id"],)).entries[0].body == first, "the first valid bytes are kept"
    assert stored_rows() == before


def test_twice_in_one_request_is_once(community: Community) -> None:
    aurora = community.aurora
    members = aurora.indicator()
    conflict = {**members, "name": "Other"}
    outcomes = aurora.publish(*(aurora.signed(each) for each in (members, members, conflict)))
    assert [each.status for each in outcomes[:2]] == [OutcomeStatus.STORED, OutcomeStatus.EXISTS]
    assert refusal(outcomes[2]) == ("version-conflict", "")
    assert len(flags(members["id"])) == 1


def test_nothing_follows_a_revocation_and_created_never_changes(community: Community) -> None:
    aurora = community.aurora
    one = aurora.indicator()
    two = aurora.next_version(one, revoked=True)
    moved = aurora.next_version(one, created="2026-01-01T00:00:00.000Z")
    store(aurora, one)
    before = stored_rows()
    assert refusal(aurora.publish(aurora.signed(moved))[0]) == ("created-changed", "/created")
    assert stored_rows() == before
    store(aurora, two)
    assert refusal(aurora.publish(aurora.signed(aurora.next_version(two)))[0]) == (
        "version-after-revocation",
        "/modified",
    )
    repeated = aurora.publish(aurora.signed(one), aurora.signed(two))
    assert [each.status for each in repeated] == [OutcomeStatus.EXISTS] * 2
    entry = page_of(aurora.principal, ids=(one["id"],)).entries[0]
    assert (entry.version, entry.state) == (two["modified"], "revoked")
    assert as_owner("SELECT count(*) FROM leaf WHERE operation = 'revoke'") == [(1,)]


def test_an_object_stays_in_the_collection_that_it_came_to(community: Community) -> None:
    aurora = community.aurora
    one = aurora.indicator()
    store(aurora, one)
    outcome = publish_objects(
        principal=aurora.principal,
        bodies=[aurora.signed(aurora.next_version(one))],
        collection=find_collection(aurora.principal, "attribution"),
        door="test",
    )[0]
    assert refusal(outcome) == ("other-collection", "/id")


def test_a_marking_definition_has_one_version(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    store(aurora, marking, marked(aurora, Tlp.AMBER, marking))
    wider = {
        **aurora.distribution(borealis.identity, cobalt.identity),
        "id": marking["id"],
        "created": marking["created"],
    }
    later = {**wider, "created": format_stix(page_of(aurora.principal).entries[-1].date_added)}
    before = stored_rows()
    outcomes = aurora.publish(*(aurora.signed(each) for each in (marking, wider, later)))
    assert outcomes[0].status is OutcomeStatus.EXISTS
    assert refusal(outcomes[1]) == ("version-conflict", "")
    assert refusal(outcomes[2]) == ("created-changed", "/created")
    assert stored_rows() == before


def test_each_lab_has_its_own_copy_of_an_observable(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    shared, secret = aurora.address("203.0.113.7"), borealis.address("203.0.113.7", Tlp.RED)
    assert shared["id"] == secret["id"]
    store(aurora, shared)
    store(borealis, secret)
    found = page_of(cobalt.principal, ids=(shared["id"],)).entries
    assert [entry.producer for entry in found] == ["aurora"]
    store(cobalt, cobalt.address("203.0.113.7"))
    assert {entry.producer for entry in page_of(aurora.principal, ids=(shared["id"],)).entries} == {"aurora", "cobalt"}


def test_the_version_of_an_observable_is_the_time_of_its_signature(community: Community) -> None:
    aurora = community.aurora
    members = aurora.address("203.0.113.8")
    now = seconds_now()
    earlier, later = (aurora.signed(members, iat=at) for at in (now - 20, now - 10))
    outcomes = aurora.publish(later, earlier, later)
    assert [each.status for each in outcomes] == [OutcomeStatus.STORED] * 2 + [OutcomeStatus.EXISTS]
    assert [newest for _, newest, _ in flags(members["id"])] == [True, False]
    stricter = {**members, "object_marking_refs": [Tlp.RED.marking_id]}
    assert refusal(aurora.publish(aurora.signed(stricter, iat=now - 10))[0]) == ("version-conflict", "")


def test_another_labs_id_is_refused_where_it_can_be_read_and_free_where_not(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    members = marked(aurora, Tlp.AMBER, marking)
    store(aurora, marking, members)
    copy = {"id": members["id"]}
    before = stored_rows()
    for dry_run in (True, False):
        refused = borealis.publish(borealis.signed(borealis.indicator(**copy)), dry_run=dry_run)[0]
        assert refusal(refused) == ("foreign-id", "/id")
    assert stored_rows() == before

    store(cobalt, own := cobalt.indicator(Tlp.RED, **copy))
    assert not finds(cobalt.principal, members["id"]), "it learns nothing of the other's"
    widened = aurora.next_version(members, object_marking_refs=[Tlp.GREEN.marking_id])
    store(aurora, widened)
    assert finds(cobalt.principal, members["id"])
    store(cobalt, cobalt.next_version(own, revoked=True))
    assert members_of(page_of(borealis.principal, ids=(members["id"],)).entries[0])["created_by_ref"] == aurora.identity


def test_a_marking_of_another_lab_is_not_published_as_ones_own(community: Community) -> None:
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    store(aurora, marking)
    forged = borealis.distribution(cobalt.identity) | {"id": marking["id"]}
    assert refusal(borealis.publish(borealis.signed(forged))[0]) == ("foreign-id", "/id")


def test_fixed_objects_are_known_by_their_body_and_never_stored_again(community: Community) -> None:
    aurora = community.aurora
    before = stored_rows()
    known = fixed_object(Tlp.GREEN.marking_id)
    assert aurora.publish(known)[0].status is OutcomeStatus.EXISTS
    other = {**json.loads(known), "name": "TLP:PINK"}
    assert aurora.publish(canonicalize(other))[0].status is OutcomeStatus.FAILED
    assert stored_rows() == before


def test_a_dry_run_answers_the_same_and_leaves_nothing(community: Community) -> None:
    aurora, borealis, _ = community.labs
    marking = aurora.distribution(borealis.identity)
    old = aurora.indicator()
    store(aurora, old)
    bodies = [
        aurora.signed(marking),
        aurora.signed(marked(aurora, Tlp.AMBER, marking)),
        aurora.signed(aurora.next_version(old, object_marking_refs=[Tlp.RED.marking_id])),
        aurora.signed(old),
        aurora.signed(aurora.indicator(object_marking_refs=None)),
        aurora.signed(_waiting(aurora)),
    ]
    before = stored_rows()
    dry = aurora.publish(*bodies, dry_run=True)
    assert stored_rows() == before
    valid, exists, failed = OutcomeStatus.VALID, OutcomeStatus.EXISTS, OutcomeStatus.FAILED
    assert [each.status for each in dry] == [valid, valid, valid, exists, failed, valid]
    assert finds(borealis.principal, old["id"])
    wet = aurora.publish(*bodies)
    stored = OutcomeStatus.STORED
    assert [each.status for each in wet] == [stored, stored, stored, exists, failed, OutcomeStatus.HELD]


def _waiting(lab: LabHandle) -> dict[str, object]:
    missing = f"marking-definition--{uuid.uuid4()}"
    return lab.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, missing])


def test_what_a_token_of_other_collections_cannot_read_does_not_shape_its_answers(community: Community) -> None:
    aurora, borealis, _ = community.labs
    members = aurora.indicator()
    store(aurora, members)
    bounds = {"collections": ["attribution"]}
    token = issue_token(actor=OPERATOR, lab=borealis.lab, scopes=["read", "publish"], bounds=bounds)
    principal = authenticate_token(token.secret, source_address=LOOPBACK)
    address = borealis.address("203.0.113.10")
    outcome = publish_objects(principal=principal, bodies=[borealis.signed(address)], collection=None, door="test")[0]
    assert outcome.status is OutcomeStatus.STORED
    signature = borealis.signed(borealis.indicator(id=members["id"]))
    refused = publish_objects(principal=principal, bodies=[signature], collection=None, door="test")[0]
    assert refusal(refused)[0] == "no-home"


def test_the_home_follows_from_the_type(community: Community) -> None:
    aurora = community.aurora
    store(aurora, aurora.indicator(), aurora.address("203.0.113.11"), aurora.distribution(aurora.identity))
    entries = page_of(aurora.principal, types=("indicator", "ipv4-addr", "marking-definition")).entries
    homes = {(entry.type, entry.collection) for entry in entries if entry.producer == "aurora"}
    assert homes == {
        ("indicator", "signatures"),
        ("ipv4-addr", "attribution"),
        ("marking-definition", "identities"),
    }
