"""Every refusal of publishing: what it says, where it points, and that nothing of it is stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.labtool.keygen import make_lab
from exchange.services.access import authenticate_token
from exchange.services.collections import create_collection, find_collection, grant_access, visible_collections
from exchange.services.errors import AccessDeniedError, NotAuthenticatedError
from exchange.services.principals import ANONYMOUS, NODE, OPERATOR
from exchange.services.publishing import OutcomeStatus, publish_objects
from exchange.services.tokens import issue_token
from exchange.stix.canonical import canonicalize
from exchange.stix.fixed import SIGNATURE_EXTENSION
from exchange.stix.keys import SigningKey
from exchange.stix.markings import Tlp
from exchange.stix.signature import attach, make_entry, payload_of, sign
from exchange.stix.timestamps import format_stix
from tests.integration.services.views import Members, as_owner, marked, refusal, seconds_now, store, stored_rows
from tests.support.labs import LOOPBACK, Community, LabHandle

SIGNATURES = f"/extensions/{SIGNATURE_EXTENSION}/signatures"
MARKINGS = "/object_marking_refs"
Make = Callable[[LabHandle, LabHandle], bytes]


def changed(lab: LabHandle, **changes: Any) -> bytes:
    return lab.signed(lab.indicator(**changes))


def ahead(seconds: int) -> str:
    return format_stix(datetime.now(UTC) + timedelta(seconds=seconds))


def signature_of(lab: LabHandle, other: LabHandle) -> bytes:
    """A signature of the lab, but of another object."""
    first, second = json.loads(changed(lab)), json.loads(changed(lab))
    second["extensions"] = first["extensions"]
    return canonicalize(second)


def damaged(lab: LabHandle, member: str, value: object) -> bytes:
    """Signed, and changed afterwards."""
    members = json.loads(changed(lab))
    members[member] = value
    return canonicalize(members)


def signed_twice(lab: LabHandle, other: LabHandle) -> bytes:
    members = lab.indicator()
    payload = payload_of(members)
    entries = [make_entry(payload, each.keys.signing, seconds_now()) for each in (lab, other)]
    return canonicalize(attach(members, entries))


def by_the_root(lab: LabHandle, other: LabHandle) -> bytes:
    members = lab.indicator()
    return canonicalize(attach(members, [make_entry(payload_of(members), lab.keys.root, seconds_now())]))


def by_a_stranger(lab: LabHandle, other: LabHandle) -> bytes:
    return canonicalize(sign(lab.indicator(), SigningKey.generate("sig"), seconds_now()))


BAD: dict[str, tuple[Make, str, str]] = {
    "not JSON": (lambda *_: b"{", "syntax", ""),
    "not an object": (lambda *_: b"[]", "not-an-object", ""),
    "a name twice": (
        lambda lab, _: changed(lab).replace(b'"name":', b'"name":"x","name":', 1),
        "duplicate-name",
        "/name",
    ),
    "not a number": (
        lambda lab, _: changed(lab).replace(b'"confidence":70', b'"confidence":NaN'),
        "not-a-number",
        "/confidence",
    ),
    "a lone surrogate": (lambda lab, _: changed(lab).replace(b"Template", b"\\ud800", 1), "lone-surrogate", "/name"),
    "too large a number": (
        lambda lab, _: changed(lab).replace(b'"confidence":70', b'"confidence":9007199254740993'),
        "integer-too-large",
        "/confidence",
    ),
    "too deep": (lambda *_: b'{"type":' + b"[" * 5000 + b"]" * 5000 + b"}", "too-deep", ""),
    "no type": (
        lambda lab, _: lab.signed(lab.indicator()).replace(b'"type":"indicator"', b'"kind":"indicator"'),
        "type",
        "",
    ),
    "an unknown type": (
        lambda lab, _: changed(lab, type="x-secret", id="x-secret--11111111-2222-4333-8444-555555555555"),
        "type",
        "/type",
    ),
    "no signature": (lambda lab, _: canonicalize(lab.indicator()), "signature-missing", ""),
    "a signature of another object": (signature_of, "signature-wrong", f"{SIGNATURES}/0/signature"),
    "text changed after signing": (
        lambda lab, _: damaged(lab, "name", "Other"),
        "signature-wrong",
        f"{SIGNATURES}/0/signature",
    ),
    "a marking changed after signing": (
        lambda lab, _: damaged(lab, "object_marking_refs", [Tlp.CLEAR.marking_id]),
        "signature-wrong",
        f"{SIGNATURES}/0/signature",
    ),
    "signed by two": (signed_twice, "signature-count", SIGNATURES),
    "signed by the root key": (by_the_root, "signature-key-use", f"{SIGNATURES}/0"),
    "an unknown key": (by_a_stranger, "signature-key-unknown", f"{SIGNATURES}/0"),
    "another lab's object": (lambda _, other: changed(other), "foreign-key", f"{SIGNATURES}/0"),
    "another lab's creation": (
        lambda lab, other: lab.signed(lab.indicator(created_by_ref=other.identity)),
        "signature-creator",
        "/created_by_ref",
    ),
    "no creator": (lambda lab, _: changed(lab, created_by_ref=None), "signature-creator", "/created_by_ref"),
    "signed in the future": (
        lambda lab, _: lab.signed(lab.indicator(), iat=seconds_now() + 400),
        "signature-ahead",
        f"{SIGNATURES}/0/protected",
    ),
    "made in the future": (lambda lab, _: changed(lab, created=ahead(400)), "signature-ahead", "/created"),
    "changed in the future": (lambda lab, _: changed(lab, modified=ahead(400)), "signature-ahead", "/modified"),
    "unmarked": (lambda lab, _: changed(lab, object_marking_refs=None), "unmarked", MARKINGS),
    "an OpenCTI marking as object": (
        lambda lab, _: lab.signed(
            {
                "type": "marking-definition",
                "spec_version": "2.1",
                "id": "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37",
                "created": "2022-10-01T00:00:00.000Z",
                "created_by_ref": lab.identity,
                "definition_type": "statement",
                "definition": {"statement": "x"},
            }
        ),
        "marking",
        "/id",
    ),
    "outside the agreement": (
        lambda lab, _: changed(lab, x_prompt="Say this."),
        "out-of-scope-unlisted-property",
        "/x_prompt",
    ),
    "an e-mail address": (
        lambda lab, _: changed(lab, description="Ask jo@people.example about it."),
        "out-of-scope-personal-data",
        "/description",
    ),
    "no valid pattern": (lambda lab, _: changed(lab, pattern="[ipv4-addr:value ="), "pattern", "/pattern"),
    "changed before it was made": (
        lambda lab, _: changed(lab, modified="2020-01-01T00:00:00.000Z"),
        "order",
        "/modified",
    ),
    "a body of some megabytes": (lambda lab, _: changed(lab, description="x" * 5_000_000), "too-large", ""),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_objects_are_refused_by_name_and_nothing_of_them_is_stored(refusing: Community, case: str) -> None:
    aurora, borealis, _ = refusing.labs
    make, code, pointer = BAD[case]
    body = make(aurora, borealis)
    before = stored_rows()
    for dry_run in (True, False):
        outcome = aurora.publish(body, dry_run=dry_run)[0]
        assert refusal(outcome) == (code, pointer)
        assert stored_rows() == before


@pytest.fixture(scope="module")
def refusing(settled_community: Community) -> Community:
    return settled_community


def test_bad_objects_hold_no_good_one_back(refusing: Community) -> None:
    aurora, borealis, _ = refusing.labs
    good = [aurora.signed(aurora.indicator()) for _ in range(2)]
    bad = [make(aurora, borealis) for make, _, _ in BAD.values()]
    outcomes = aurora.publish(good[0], *bad, good[1])
    assert [each.index for each in outcomes] == list(range(len(bad) + 2))
    statuses = [each.status for each in outcomes]
    assert statuses == [OutcomeStatus.STORED, *[OutcomeStatus.FAILED] * len(bad), OutcomeStatus.STORED]


def test_a_client_or_a_reading_token_or_nobody_publishes_nothing(refusing: Community) -> None:
    aurora = refusing.aurora
    body = aurora.signed(aurora.indicator())
    reading = issue_token(actor=OPERATOR, lab=aurora.lab, scopes=["read"])
    principals = (
        (ANONYMOUS, NotAuthenticatedError),
        (aurora.client, AccessDeniedError),
        (authenticate_token(reading.secret, source_address=LOOPBACK), AccessDeniedError),
        (NODE, AccessDeniedError),
        (OPERATOR, AccessDeniedError),
    )
    before = stored_rows()
    for principal, error in principals:
        with pytest.raises(error):
            publish_objects(principal=principal, bodies=[body], collection=None, door="test")
    assert stored_rows() == before


def test_where_an_object_may_not_go_it_does_not(refusing: Community) -> None:
    aurora, borealis, _ = refusing.labs
    create_collection(
        actor=OPERATOR, alias="strict", title="Strict", floor=Tlp.AMBER, readers=[aurora.lab], writers=[aurora.lab]
    )
    create_collection(actor=OPERATOR, alias="theirs", title="Theirs", readers=[aurora.lab], writers=[borealis.lab])
    before = stored_rows()
    cases = (
        ("strict", Tlp.GREEN, "label-below-floor", MARKINGS),
        ("theirs", Tlp.GREEN, "not-writable", ""),
        ("all", Tlp.GREEN, "read-only-view", ""),
    )
    for alias, label, code, pointer in cases:
        outcome = publish_objects(
            principal=aurora.principal,
            bodies=[aurora.signed(aurora.indicator(label))],
            collection=find_collection(aurora.principal, alias),
            door="test",
        )[0]
        assert refusal(outcome) == (code, pointer)
    assert stored_rows() == before
    strict = find_collection(aurora.principal, "strict")
    stored = publish_objects(
        principal=aurora.principal, bodies=[aurora.signed(aurora.indicator(Tlp.AMBER))], collection=strict, door="test"
    )[0]
    assert stored.status is OutcomeStatus.STORED, "a label is held against the floor, never raised to it"


def test_a_lab_without_a_home_for_a_type_is_told_so(refusing: Community) -> None:
    cobalt = refusing.cobalt
    view = next(each for each in visible_collections(cobalt.principal) if each.alias == "playbooks")
    grant = cobalt.lab.grants.get(collection_id=view.id)
    members = {
        **cobalt.indicator(),
        "type": "course-of-action",
        "id": "course-of-action--11111111-2222-4333-8444-555555555555",
    }
    kept = ("type", "spec_version", "id", "created_by_ref", "created", "modified", "name", "object_marking_refs")
    body = cobalt.signed({name: members[name] for name in kept})
    for can_read, code in ((True, "not-writable"), (False, "no-home")):
        grant_access(actor=OPERATOR, collection=grant.collection, lab=cobalt.lab, can_read=can_read, can_write=False)
        assert refusal(cobalt.publish(body)[0])[0] == code


def test_a_token_publishes_up_to_its_label(refusing: Community) -> None:
    aurora = refusing.aurora
    token = issue_token(actor=OPERATOR, lab=aurora.lab, scopes=["publish"], bounds={"highest_label": "TLP:GREEN"})
    principal = authenticate_token(token.secret, source_address=LOOPBACK)
    outcomes = publish_objects(
        principal=principal,
        bodies=[aurora.signed(aurora.indicator(label)) for label in (Tlp.GREEN, Tlp.AMBER)],
        collection=None,
        door="test",
    )
    assert outcomes[0].status is OutcomeStatus.STORED
    assert refusal(outcomes[1]) == ("label-above-bound", MARKINGS)


def test_distributions_that_promise_nothing_are_refused(refusing: Community) -> None:
    aurora, borealis, cobalt = refusing.labs
    one, two = aurora.distribution(borealis.identity), aurora.distribution(cobalt.identity)
    store(aurora, one, two)
    unknown = aurora.distribution(borealis.identity)
    partly = aurora.indicator(Tlp.AMBER, granular_markings=[{"marking_ref": one["id"], "selectors": ["description"]}])
    cases: tuple[tuple[Members, str, str], ...] = (
        (marked(aurora, Tlp.GREEN, one), "distribution-too-loose", MARKINGS),
        (marked(aurora, Tlp.CLEAR, unknown), "distribution-too-loose", MARKINGS),
        (_with(aurora, one, two), "distributions", MARKINGS),
        (_with(aurora, one, unknown), "distributions", MARKINGS),
        (_with(aurora, unknown, aurora.distribution()), "distributions", MARKINGS),
        (partly, "granular-distribution", "/granular_markings"),
    )
    before = stored_rows()
    outcomes = aurora.publish(*(aurora.signed(members) for members, _, _ in cases))
    assert [refusal(each) for each in outcomes] == [case[1:] for case in cases]
    assert stored_rows() == before


def _with(lab: LabHandle, *markings: Members) -> Members:
    return lab.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, *(each["id"] for each in markings)])


def test_the_strictest_of_all_markings_counts(refusing: Community) -> None:
    aurora = refusing.aurora
    granular = aurora.indicator(
        Tlp.GREEN, granular_markings=[{"marking_ref": Tlp.RED.marking_id, "selectors": ["description"]}]
    )
    old = aurora.indicator(object_marking_refs=["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"])
    store(aurora, granular, old)
    labels = as_owner(
        "SELECT o.stix_id, v.label FROM version v JOIN object o ON o.id = v.object_id WHERE o.stix_id = ANY (%s)",
        [granular["id"], old["id"]],
    )
    assert dict(labels) == {granular["id"]: Tlp.RED, old["id"]: Tlp.AMBER}


def test_a_stranger_is_refused_whatever_it_brings(refusing: Community) -> None:
    aurora = refusing.aurora
    stranger = make_lab("Stranger", now=datetime.now(UTC))
    before = stored_rows()
    assert refusal(aurora.publish(stranger.identity_bytes)[0]) == ("foreign-identity", "/id")
    assert stored_rows() == before
