"""Signing: all or nothing, only one's own, and only what survives."""

import json

import pytest

from exchange.labtool.errors import DataError
from exchange.labtool.judging import Keyring
from exchange.labtool.signing import CannotSignError, sign_objects
from exchange.stix.fixed import fixed_object
from exchange.stix.markings import Tlp
from tests.unit.labtool.material import NOW, Party, address, indicator


def to_json(members: object) -> bytes:
    return json.dumps(members).encode()


def test_signed_objects_verify_and_keep_their_order(aurora: Party) -> None:
    fixed = fixed_object(Tlp.GREEN.marking_id)
    members = [indicator(aurora.id), address()]

    signed = sign_objects([to_json(members[0]), fixed, to_json(members[1])], aurora.keys.signing, now=NOW)

    ring = Keyring(aurora.pins)
    ring.learn([(aurora.identity, NOW)], now=NOW)
    verdicts = [ring.judge(raw, now=NOW, first_seen=NOW) for raw in signed]
    assert [verdict.reason for verdict in verdicts] == ["", "", ""]
    assert [verdict.id for verdict in verdicts] == [members[0]["id"], Tlp.GREEN.marking_id, members[1]["id"]]
    assert signed[1] == fixed


def test_what_stix2_would_rewrite_is_refused_with_its_place(aurora: Party) -> None:
    good, bad = indicator(aurora.id), indicator(aurora.id, created="2026-11-22T00:00:00Z")

    with pytest.raises(CannotSignError) as caught:
        sign_objects([to_json(good), to_json(bad)], aurora.keys.signing, now=NOW)

    assert [(fault.index, fault.id, fault.pointer) for fault in caught.value.faults] == [(1, bad["id"], "/created")]


def test_normalising_first_makes_it_signable(aurora: Party) -> None:
    bad = indicator(aurora.id, created="2026-11-22T00:00:00Z", pattern_version=None)

    signed = json.loads(sign_objects([to_json(bad)], aurora.keys.signing, now=NOW, fix=True)[0])

    assert signed["created"] == "2026-11-22T00:00:00.000Z"
    assert signed["pattern_version"] == "2.1"


def test_every_fault_of_every_object_is_told_at_once(aurora: Party, borealis: Party) -> None:
    objects = [
        to_json(indicator(borealis.id)),
        to_json(indicator(None)),
        aurora.indicator(),
        aurora.identity,
        b'{"type": "indicator", "type": "indicator"}',
        b"not json",
        to_json(indicator(aurora.id, labels=[])),
        to_json({**address(), "id": "ipv4-addr--5a1f1f0e-8f0c-5b58-9a5b-0b5e6a1a7c01"}),
    ]

    with pytest.raises(CannotSignError) as caught:
        sign_objects(objects, aurora.keys.signing, now=NOW, lab_identity=aurora.id)

    assert {fault.index for fault in caught.value.faults} == set(range(len(objects)))
    assert caught.value.faults[0].pointer == "/created_by_ref"
    assert caught.value.faults[1].pointer == "/created_by_ref"
    assert caught.value.faults[2].message == "The object is signed already."


def test_a_root_key_signs_no_objects(aurora: Party) -> None:
    with pytest.raises(DataError, match="root key"):
        sign_objects([to_json(indicator(aurora.id))], aurora.keys.root, now=NOW)
