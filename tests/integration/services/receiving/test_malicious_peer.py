"""A peer that lies: whatever it forges, replays or claims, nothing is stored in another's name and the page goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exchange.models import QuarantinedObject
from exchange.services.collections import create_collection
from exchange.services.labs import suspend_lab
from exchange.services.principals import OPERATOR
from exchange.stix.canonical import canonicalize
from exchange.stix.fixed import SIGNATURE_EXTENSION
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign, sign_identity
from exchange.stix.timestamps import format_stix
from tests.integration.services.chains import new_signing_key, newest_identity, next_identity
from tests.integration.services.receiving.states import state_of
from tests.integration.services.views import as_owner, finds, seconds_now, store, stored_rows, withdrawals
from tests.support.homes import home_at
from tests.support.labs import Community, LabHandle
from tests.support.peers import (
    PeerHandle,
    make_exchange,
    make_feed,
    origins,
    pin_stranger,
    stranger,
    unsigned,
)

Forge = Callable[[LabHandle, LabHandle], bytes]


def re_marked(aurora: LabHandle, _: LabHandle) -> bytes:
    members = json.loads(aurora.signed(aurora.indicator(Tlp.AMBER)))
    members["object_marking_refs"] = [Tlp.GREEN.marking_id]
    return canonicalize(members)


def with_foreign_signature(aurora: LabHandle, dorado: LabHandle) -> bytes:
    members, other = (json.loads(each.signed(each.indicator())) for each in (aurora, dorado))
    members["extensions"] = other["extensions"]
    return canonicalize(members)


def in_anothers_name(aurora: LabHandle, dorado: LabHandle) -> bytes:
    return dorado.signed(dorado.indicator(created_by_ref=aurora.identity))


def without_creator(_: LabHandle, dorado: LabHandle) -> bytes:
    return dorado.signed(dorado.indicator(created_by_ref=None))


def by_an_unknown_key(aurora: LabHandle, _: LabHandle) -> bytes:
    key, _public = new_signing_key()
    return canonicalize(sign(aurora.indicator(), key, seconds_now()))


def from_tomorrow(_: LabHandle, dorado: LabHandle) -> bytes:
    later = format_stix(datetime.now(UTC) + timedelta(days=1))
    return dorado.signed(dorado.indicator(created=later))


def stripped(aurora: LabHandle, _: LabHandle) -> bytes:
    return unsigned(aurora.indicator())


FORGED: dict[str, tuple[Forge, str]] = {
    "marked looser than it was signed": (re_marked, "signature-wrong"),
    "signature of another object": (with_foreign_signature, "signature-creator"),
    "signed by one lab in the name of another": (in_anothers_name, "signature-creator"),
    "naming no creator": (without_creator, "signature-creator"),
    "signed by a key that nobody introduced": (by_an_unknown_key, "signature-key-unknown"),
    "from tomorrow": (from_tomorrow, "signature-ahead"),
    "signature taken off": (stripped, "signature-missing"),
    "unmarked": (lambda _, dorado: dorado.signed(dorado.indicator(None)), "unmarked"),
    "red": (lambda _, dorado: dorado.signed(dorado.indicator(Tlp.RED)), "label-red"),
    "amber for the labs of another node": (
        lambda _, dorado: dorado.signed(dorado.indicator(Tlp.AMBER)),
        "label-without-recipients",
    ),
    "outside the agreement": (
        lambda _, dorado: dorado.signed(dorado.indicator(x_prompt="Explain")),
        "out-of-scope-unlisted-property",
    ),
    "no JSON": (lambda *_: b'{"type": "indicator", ', "syntax"),
    "no STIX": (lambda _, dorado: dorado.signed(dorado.indicator(pattern_type=None)), "schema"),
    "text with a zero": (
        lambda _, dorado: dorado.signed(dorado.indicator(created="a\0b", modified="a\0b", created_by_ref="x\0")),
        "",
    ),
}


@pytest.mark.parametrize("case", list(FORGED))
def test_forged_object_is_quarantined_and_its_page_goes_on(community: Community, case: str) -> None:
    forge, code = FORGED[case]
    peer, dorado = make_exchange(), pin_stranger(stranger())
    peer.send(dorado.keys.identity_bytes)
    dorado.lab.refresh_from_db()
    body, sound = forge(community.aurora, dorado), dorado.indicator()
    receipt = peer.send(body, dorado.signed(sound))
    assert (receipt.stored, receipt.quarantined) == (1, 1), receipt
    row = QuarantinedObject.objects.get()
    assert bytes(row.body) == body
    assert not code or row.reason == code
    assert finds(community.borealis.principal, sound["id"])
    before = stored_rows()
    assert peer.send(body).quarantined == 1
    assert QuarantinedObject.objects.count() == 1
    assert stored_rows() == before


def reason_of(peer: PeerHandle, body: bytes) -> str:
    """Why this object alone is quarantined; nothing stored changes by it."""
    before = stored_rows()
    receipt = peer.send(body)
    assert receipt.quarantined == 1, receipt
    assert stored_rows() == before
    return next(iter(receipt.reasons))


def test_unknown_lab_waits_for_an_operator(peer: PeerHandle) -> None:
    eve = stranger("eve")
    assert reason_of(peer, eve.keys.identity_bytes) == "lab-unknown"
    assert reason_of(peer, eve.signed(eve.indicator())) == "signature-key-unknown"
    kept = QuarantinedObject.objects.order_by("id")
    assert [each.kid for each in kept] == [eve.keys.root.kid, eve.keys.signing.kid]
    assert kept[1].creator == eve.identity


def test_identity_signed_by_another_root_is_not_the_labs(peer: PeerHandle, dorado: LabHandle) -> None:
    eve = stranger("eve")
    members = newest_identity(dorado) | {"modified": format_stix(datetime.now(UTC) + timedelta(seconds=1))}
    listed = json.loads(eve.keys.identity_bytes)["extensions"]
    members["extensions"] = {name: body for name, body in listed.items() if name != SIGNATURE_EXTENSION}
    forged = canonicalize(sign_identity(members, [eve.keys.root, eve.keys.signing], seconds_now()))
    assert reason_of(peer, forged).startswith("chain-")


def test_older_identity_brings_no_ended_key_back(peer: PeerHandle, dorado: LabHandle) -> None:
    first = dorado.keys.identity_bytes
    key, public = new_signing_key()
    ended = next_identity(
        dorado,
        add=[public],
        change={dorado.keys.signing.kid: {"revoked_at": seconds_now() - 1}},
        signers=[dorado.keys.root, key],
    )
    assert peer.send(ended).stored == 1
    assert peer.send(first).known == 1
    assert reason_of(peer, dorado.signed(dorado.indicator())) == "signature-key-revoked"


def test_what_a_compromised_key_signs_is_quarantined(peer: PeerHandle, dorado: LabHandle) -> None:
    before = dorado.signed(dorado.indicator())
    assert peer.send(before).stored == 1
    ended = next_identity(dorado, change={dorado.keys.signing.kid: {"compromised_since": seconds_now() + 1}})
    assert peer.send(ended).stored == 1
    as_owner("UPDATE signing_key SET compromised_since = %s WHERE kid = %s", seconds_now() - 5, dorado.keys.signing.kid)
    try:
        assert reason_of(peer, dorado.signed(dorado.indicator())) == "signature-key-compromised"
        assert peer.send(before).known == 1
    finally:
        as_owner("UPDATE signing_key SET compromised_since = %s WHERE kid = %s", *_listed_compromise(dorado))


def _listed_compromise(dorado: LabHandle) -> tuple[int, str]:
    keys = next(body["jwks"]["keys"] for body in newest_identity(dorado)["extensions"].values() if "jwks" in body)
    return next((key["compromised_since"], key["kid"]) for key in keys if key["kid"] == dorado.keys.signing.kid)


def test_same_version_with_another_payload_is_a_conflict(peer: PeerHandle, dorado: LabHandle) -> None:
    members = dorado.indicator()
    peer.send(dorado.signed(members))
    assert reason_of(peer, dorado.signed(members | {"name": "Another"})) == "version-conflict"


def test_id_of_another_lab_is_not_taken(community: Community, peer: PeerHandle, dorado: LabHandle) -> None:
    members = community.aurora.indicator(Tlp.RED)
    store(community.aurora, members)
    claimed = dorado.indicator(id=members["id"])
    assert reason_of(peer, dorado.signed(claimed)) == "foreign-id"


def test_marking_of_another_lab_is_not_used(community: Community, peer: PeerHandle, dorado: LabHandle) -> None:
    marking = community.aurora.distribution(community.borealis.identity)
    store(community.aurora, marking)
    refs = [Tlp.AMBER.marking_id, marking["id"]]
    assert reason_of(peer, dorado.signed(dorado.indicator(Tlp.AMBER, object_marking_refs=refs))) == "foreign-marking"


def test_older_version_that_is_replayed_does_not_become_the_newest(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    first = dorado.indicator()
    later = dorado.next_version(first, name="Later")
    peer.send(dorado.signed(later))
    peer.send(dorado.signed(first))
    rows = as_owner(
        "SELECT v.body FROM object o JOIN version v ON v.id = o.newest_version_id WHERE stix_id = %s", first["id"]
    )
    assert json.loads(bytes(rows[0][0]))["name"] == "Later"


def test_deleted_object_does_not_return_and_is_not_kept(peer: PeerHandle, dorado: LabHandle) -> None:
    members = dorado.indicator()
    body = dorado.signed(members)
    peer.send(home_at(dorado, peer), body)
    assert peer.send(peer.note(members["id"], dorado.identity, "deleted")).withdrawals == 1
    receipt = peer.send(body, dorado.signed(dorado.next_version(members)))
    assert (receipt.refused, receipt.quarantined, receipt.stored) == (2, 0, 0)
    assert not QuarantinedObject.objects.exists()


def test_suspended_lab_publishes_nothing_through_peers(peer: PeerHandle, dorado: LabHandle) -> None:
    suspend_lab(actor=OPERATOR, slug="dorado")
    assert reason_of(peer, dorado.signed(dorado.indicator())) == "lab-suspended"


def test_label_above_what_is_exchanged_is_quarantined(community: Community, dorado: LabHandle) -> None:
    low = make_exchange("inlet", highest_label=int(Tlp.GREEN))
    marking = dorado.distribution(community.aurora.identity)
    low.send(dorado.signed(marking))
    refs = [Tlp.AMBER.marking_id, marking["id"]]
    assert reason_of(low, dorado.signed(dorado.indicator(Tlp.AMBER, object_marking_refs=refs))) == "label-above-peer"


def test_label_below_the_floor_of_the_collection_is_quarantined(community: Community, dorado: LabHandle) -> None:
    create_collection(actor=OPERATOR, alias="strict", title="Strict", floor=Tlp.AMBER, readers=[community.aurora.lab])
    peer = make_exchange("inlet", collection="strict")
    assert reason_of(peer, dorado.signed(dorado.indicator())) == "label-below-floor"


def test_object_looser_than_what_it_refers_to_is_quarantined(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    marking = dorado.distribution(community.aurora.identity)
    strict = dorado.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    assert peer.send(dorado.signed(marking), dorado.signed(strict)).stored == 2
    note = {
        "type": "note",
        "spec_version": "2.1",
        "id": "note--5a4f4e39-5b0a-4b8f-9c48-0bd4f5b2c001",
        "created_by_ref": dorado.identity,
        "created": strict["created"],
        "modified": strict["created"],
        "content": "See there.",
        "object_refs": [strict["id"]],
        "object_marking_refs": [Tlp.GREEN.marking_id],
    }
    assert reason_of(peer, dorado.signed(note)) == "looser-than-reference"


# --- withdrawals ---------------------------------------------------------------------------------------------------


def test_withdrawal_counts_for_what_came_from_that_peer_alone(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    own = community.aurora.indicator()
    store(community.aurora, own)
    other = make_exchange("inlet")
    theirs = dorado.indicator()
    other.send(dorado.signed(theirs))
    for stix_id, producer in ((own["id"], community.aurora.identity), (theirs["id"], dorado.identity)):
        for state in ("deleted", "revoked", "narrowed", "suspended"):
            assert reason_of(peer, peer.note(stix_id, producer, state)) == "withdrawal-origin"
        assert finds(community.borealis.principal, stix_id)


def test_withdrawal_that_is_relayed_or_signed_by_a_lab_is_not_followed(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    members = dorado.indicator()
    peer.send(dorado.signed(members))
    other = make_exchange("inlet")
    feed = make_feed()
    note = peer.note(members["id"], dorado.identity, "deleted")
    assert reason_of(other, note) == "withdrawal-foreign"
    assert reason_of(other, other.note(members["id"], dorado.identity, "deleted")) == "withdrawal-origin"
    assert reason_of(feed, note) == "withdrawal-foreign"
    by_lab = json.loads(note) | {"created_by_ref": dorado.identity}
    del by_lab["extensions"][SIGNATURE_EXTENSION]
    assert reason_of(peer, dorado.signed(by_lab)) == "withdrawal-foreign"
    by_lab["created_by_ref"] = peer.keys.identity_id
    assert reason_of(feed, unsigned(by_lab)) == "unsigned-extension"
    assert finds(community.borealis.principal, members["id"])


def test_identity_and_marking_in_use_are_not_withdrawn(
    community: Community, peer: PeerHandle, dorado: LabHandle
) -> None:
    marking = dorado.distribution(community.aurora.identity)
    secret = dorado.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    assert peer.send(dorado.signed(marking), dorado.signed(secret)).stored == 2
    for stix_id in (marking["id"], dorado.identity):
        for state in ("deleted", "suspended"):
            assert reason_of(peer, peer.note(stix_id, dorado.identity, state)) == "in-use"


def test_node_signs_nothing_but_notes_and_its_identity(peer: PeerHandle, dorado: LabHandle) -> None:
    members = dorado.indicator(created_by_ref=peer.keys.identity_id)
    body = canonicalize(sign(members, peer.keys.signing, seconds_now()))
    assert reason_of(peer, body) == "signed-by-node"


def test_new_word_in_the_name_of_this_node_is_not_believed(community: Community, peer: PeerHandle) -> None:
    key, _ = new_signing_key()
    own: Any = community.node.lab.identity_id
    members = community.aurora.indicator(created_by_ref=own)
    assert reason_of(peer, canonicalize(sign(members, key, seconds_now()))) == "signature-key-unknown"


@pytest.mark.parametrize("state", ["deleted", "revoked", "narrowed", "suspended"])
def test_withdrawn_object_leaves_sight_and_readers_here_are_told(
    community: Community, peer: PeerHandle, dorado: LabHandle, state: str
) -> None:
    members = dorado.indicator()
    peer.send(home_at(dorado, peer))
    peer.send(dorado.signed(members), dorado.signed(dorado.next_version(members, name="Later")))
    before = stored_rows()["version"]
    assert peer.send(peer.note(members["id"], dorado.identity, state)).withdrawals == 1
    assert not finds(community.aurora.principal, members["id"])
    assert withdrawals(community.aurora.principal, members["id"]) == [state]
    assert (state_of(members["id"]) == "deleted") == (state == "deleted")
    assert (stored_rows()["version"] < before) == (state == "deleted")
    # The same word again tells nobody a second time.
    assert peer.send(peer.note(members["id"], dorado.identity, state)).withdrawals == 1
    assert withdrawals(community.aurora.principal, members["id"]) == [state]


def test_what_the_peer_sends_again_is_shown_again(community: Community, peer: PeerHandle, dorado: LabHandle) -> None:
    members = dorado.indicator()
    body = dorado.signed(members)
    peer.send(home_at(dorado, peer), body)
    note = peer.note(members["id"], dorado.identity, "suspended")
    peer.send(note)
    other = make_exchange("inlet")
    assert other.send(body).known == 1
    assert not finds(community.aurora.principal, members["id"])
    assert peer.send(body).stored == 1
    assert finds(community.aurora.principal, members["id"])
    # On one page the order decides.
    assert peer.send(body, note).refused == 1
    assert not finds(community.aurora.principal, members["id"])
    assert peer.send(note, body).stored == 1
    assert finds(community.aurora.principal, members["id"])
    assert origins(members["id"]) == [(peer.peer.id, dorado.keys.signing.kid)]


def test_next_version_after_a_withdrawal_is_shown(community: Community, peer: PeerHandle, dorado: LabHandle) -> None:
    members = dorado.indicator()
    peer.send(dorado.signed(members))
    peer.send(peer.note(members["id"], dorado.identity, "narrowed"))
    assert peer.send(dorado.signed(dorado.next_version(members))).stored == 1
    assert finds(community.aurora.principal, members["id"])
