"""A peer that lies at the door of one of two exchanges: it is refused there, and nothing of it crosses to the other.

mallory is an exchange with a lab of its own, eve, and relays estrella, who is honest; harbour pulls from here.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command

from exchange.models import Peer, PeerChannel, QuarantinedObject, StixObject, Version
from exchange.services.checking import check_exchange
from exchange.services.database import writing
from exchange.services.outbound import allow_host
from exchange.services.peers.claims import claim_channels
from exchange.services.principals import OPERATOR
from exchange.stix.canonical import canonicalize
from exchange.stix.fixed import KEYS_EXTENSION
from exchange.stix.limits import MAX_DEPTH, MAX_OBJECT_BYTES
from exchange.stix.markings import Tlp
from exchange.stix.signature import sign_identity
from exchange.stix.timestamps import format_stix
from exchange.sync.pulling.pull import Run, pull
from tests.integration.services.views import finds, seconds_now
from tests.integration.sync.conftest import QUICK
from tests.support.bad_peer import ALIAS, BadPeer, bad_peer
from tests.support.labs import Community, LabHandle
from tests.support.misbehaving import gzip_bomb
from tests.support.other_node import OtherNode, admit_known
from tests.support.peers import PeerHandle, make_exchange, pin_stranger, stranger


@dataclass(frozen=True, slots=True)
class Lying:
    """The peer, its server, and the two labs whose objects come through it."""

    peer: PeerHandle
    server: BadPeer
    estrella: LabHandle
    eve: LabHandle

    def send(self, *bodies: bytes) -> Run:
        """The peer has these objects besides, in this order, and is pulled from."""
        for body in bodies:
            moment = len(self.server.objects)
            self.server.objects.append((f"2026-01-01T10:{moment // 60:02}:{moment % 60:02}.000000Z", body))
        return pull(claim_channels([self.peer.channel.pk])[0], limits=QUICK)


@pytest.fixture
def mallory(other: OtherNode, community: Community) -> Iterator[Lying]:
    """Both exchanges know eve and estrella; here alone mallory is a peer."""
    allow_host(actor=OPERATOR, host="127.0.0.1")
    peer = make_exchange("mallory", community=True)
    estrella, eve = pin_stranger(stranger("estrella")), pin_stranger(stranger("eve"))
    with other.at_work():
        for lab in (estrella, eve):
            admit_known(lab.lab.slug, lab.keys.root.kid)
    with bad_peer() as server:
        Peer.objects.filter(pk=peer.peer.pk).update(url=server.url)
        PeerChannel.objects.filter(pk=peer.channel.pk).update(remote_collection=ALIAS, added_after="", last_date="")
        lying = Lying(peer, server, estrella, eve)
        assert lying.send(estrella.keys.identity_bytes, eve.keys.identity_bytes).moved == 2
        yield lying


def changed(body: bytes, **changes: Any) -> bytes:
    """The object with other members and the signature that it had."""
    return canonicalize(json.loads(body) | changes)


def nested(body: bytes, levels: int) -> bytes:
    """Far too deep: the value of one member more."""
    return body[:-1] + b',"x_deep":' + b"[" * levels + b"]" * levels + b"}"


def identity_by(root: LabHandle, lab: LabHandle) -> bytes:
    """A next identity of a lab, which gives it the keys of another and is signed by these."""
    members = json.loads(lab.keys.identity_bytes)
    keys = json.loads(root.keys.identity_bytes)["extensions"][KEYS_EXTENSION]
    members |= {"modified": format_stix(datetime.now(UTC)), "extensions": {KEYS_EXTENSION: keys}}
    return canonicalize(sign_identity(members, [root.keys.root, root.keys.signing], seconds_now()))


def pull_there(other: OtherNode) -> None:
    """The other exchange pulls what is new here."""
    with other.at_work():
        call_command("sync", "--json", stdout=(out := io.StringIO()), stderr=io.StringIO())
        assert {run["failure"] for run in json.loads(out.getvalue())["runs"]} == {None}


def versions_there(other: OtherNode) -> set[bytes]:
    """The bytes of every version at the other exchange that came from here, without identities and what nodes say."""
    with other.at_work():
        assert not QuarantinedObject.objects.exclude(reason="lab-unknown").exists()
        with writing():
            found = Version.objects.filter(origin_peer_id__isnull=False, object__type="indicator")
            return {bytes(each.body) for each in found}


def reasons() -> dict[str, int]:
    """How many objects wait in quarantine, by reason."""
    found: dict[str, int] = {}
    for reason in QuarantinedObject.objects.values_list("reason", flat=True):
        found[reason] = found.get(reason, 0) + 1
    return found


def test_what_is_forged_is_refused_here_and_crosses_nowhere(
    mallory: Lying, other: OtherNode, community: Community
) -> None:
    aurora, estrella, eve = community.aurora, mallory.estrella, mallory.eve
    own = aurora.signed(aurora.indicator())
    assert aurora.publish(own)[0].error is None
    amber, newest = aurora.indicator(Tlp.AMBER), estrella.next_version(estrella.indicator(), name="Second")
    honest = [estrella.signed(estrella.indicator()) for _ in range(3)] + [estrella.signed(newest)]
    forged = {
        "signature-wrong": [
            changed(own, name="Changed"),
            changed(aurora.signed(amber), object_marking_refs=[Tlp.GREEN.marking_id]),
            changed(honest[0], id=f"indicator--{'1' * 8}-1111-4111-8111-{'1' * 12}"),
        ],
        "foreign-id": [
            eve.signed(eve.indicator(id=json.loads(own)["id"])),
            eve.signed(eve.indicator(id=json.loads(honest[0])["id"])),
        ],
        "signature-creator": [eve.signed(eve.indicator(created_by_ref=estrella.identity))],
        "signature-missing": [canonicalize(estrella.indicator())],
        "withdrawal-origin": [mallory.peer.note(json.loads(own)["id"], aurora.identity, "deleted")],
        "too-deep": [nested(honest[0], MAX_DEPTH + 1)],
        "too-large": [changed(honest[0], description="x" * MAX_OBJECT_BYTES)],
        "identifier": [b'{"type":"indicator","id":"x"}'],
    }
    bad = [body for bodies in forged.values() for body in bodies]
    mixed = [*bad[:4], *honest[:2], *bad[4:], *honest[2:]]
    run = mallory.send(*mixed, identity_by(eve, estrella))
    assert (run.failure, run.moved) == ("", len(honest))
    found = reasons()
    chain = [reason for reason in found if reason.startswith("chain-")]
    assert len(chain) == 1, found
    assert found.pop(chain[0]) == 1
    assert found == {reason: len(bodies) for reason, bodies in forged.items()}
    assert finds(community.borealis.principal, json.loads(own)["id"])

    pull_there(other)
    assert versions_there(other) == {own, *honest}

    # A version before the newest one, with a good signature, is not the newest anywhere.
    before = estrella.signed({**newest, "modified": newest["created"], "name": "First"})
    assert mallory.send(before).failure == ""
    # A bomb in place of a page costs nothing but that page.
    mallory.server.script = [gzip_bomb]
    last = estrella.signed(estrella.indicator())
    assert mallory.send(last).moved == 1
    pull_there(other)
    assert newest_there(other, newest["id"]) == "Second"
    assert versions_there(other) - {before} == {own, *honest, last}
    with other.at_work():
        assert not check_exchange().faults


def newest_there(other: OtherNode, stix_id: str) -> str:
    """The name that the other exchange shows."""
    with other.at_work(), writing():
        newest = StixObject.objects.values_list("newest_version_id", flat=True).get(stix_id=stix_id)
        assert newest is not None
        name: str = json.loads(bytes(Version.objects.get(pk=newest).body))["name"]
        return name


def test_a_withdrawal_is_the_word_of_its_sender_alone_and_of_its_moment(
    mallory: Lying, other: OtherNode, community: Community
) -> None:
    reader, dorado, estrella = community.borealis.principal, other.dorado, mallory.estrella
    theirs, relayed = dorado.indicator(), estrella.signed(estrella.indicator())
    with other.at_work():
        assert dorado.publish(dorado.signed(theirs))[0].error is None
    assert mallory.send(relayed).moved == 1
    call_command("sync", "harbour", stdout=io.StringIO(), stderr=io.StringIO())
    pull_there(other)
    assert finds(reader, theirs["id"])

    # harbour takes dorado's object back, and has it again.
    narrowed = dorado.next_version(theirs, object_marking_refs=[Tlp.AMBER.marking_id])
    again = dorado.next_version(narrowed, object_marking_refs=[Tlp.GREEN.marking_id])
    with other.at_work():
        assert dorado.publish(dorado.signed(narrowed))[0].error is None
        with writing():
            notes = [bytes(each.body) for each in Version.objects.filter(object__type="note")]
    call_command("sync", "harbour", stdout=io.StringIO(), stderr=io.StringIO())
    assert not finds(reader, theirs["id"])
    with other.at_work():
        assert dorado.publish(dorado.signed(again))[0].error is None
    call_command("sync", "harbour", stdout=io.StringIO(), stderr=io.StringIO())
    assert finds(reader, theirs["id"])

    # mallory kept the note and plays it again; says it in its own name; and in the name of harbour.
    stolen = [note for note in notes if theirs["id"].encode() in note]
    assert stolen
    said = mallory.peer.note(theirs["id"], dorado.identity, "deleted")
    in_its_name = changed(said, created_by_ref=json.loads(stolen[0])["created_by_ref"])
    assert mallory.send(*stolen, said, in_its_name).moved == 0
    assert finds(reader, theirs["id"])
    assert reasons().keys() >= {"withdrawal-foreign", "withdrawal-origin"}
    assert sum(reasons().values()) == len(stolen) + 2

    # What it relayed itself it may take back, here and for those who have it from here; once is enough.
    relayed_id = json.loads(relayed)["id"]
    word = mallory.peer.note(relayed_id, estrella.identity, "narrowed")
    assert mallory.send(word).failure == ""
    assert not finds(reader, relayed_id)
    pull_there(other)
    with other.at_work():
        assert not finds(dorado.principal, relayed_id)
    # Sent again it is shown again, at both.
    assert mallory.send(relayed).failure == ""
    pull_there(other)
    assert finds(reader, relayed_id)
    with other.at_work():
        assert finds(dorado.principal, relayed_id)
        assert not check_exchange().faults
