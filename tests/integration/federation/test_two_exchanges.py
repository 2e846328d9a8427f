"""Two exchanges: what one publishes the other's labs read and verify, and nothing goes round in circles."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from exchange.models import QuarantinedObject, StixObject, Version
from exchange.services.checking import check_exchange
from exchange.services.collections import find_collection
from exchange.services.database import writing
from exchange.services.deletion import delete_object
from exchange.services.principals import Principal
from exchange.services.query import PageRequest, read_bodies
from exchange.services.receiving import offer_waiting
from exchange.stix.markings import Tlp
from tests.support.homes import identity_at
from tests.support.labs import Community, LabHandle, admit_lab
from tests.support.other_node import OtherNode, admit_known


@pytest.fixture
def here(other: OtherNode, exchange_server: tuple[str, Community]) -> Community:
    """The first exchange, which the other one is connected to."""
    return exchange_server[1]


def sync() -> int:
    """Pull everything that is new; how many objects were taken."""
    out, err = io.StringIO(), io.StringIO()
    call_command("sync", "--json", stdout=out, stderr=err)
    runs: list[dict[str, Any]] = json.loads(out.getvalue())["runs"]
    assert [run["failure"] for run in runs] == [None] * 3, err.getvalue()
    return sum(run["moved"] for run in runs)


def read(reader: Principal, alias: str = "signatures") -> list[bytes]:
    """The bytes of everything that is an indicator or a note."""
    request = PageRequest(limit=1000, types=("indicator", "note"))
    view = find_collection(reader, alias)
    joined = read_bodies(principal=reader, collection=view, request=request, door="test").joined
    return [json.dumps(each, sort_keys=True).encode() for each in json.loads(b"[" + joined + b"]")]


def plain(body: bytes) -> bytes:
    return json.dumps(json.loads(body), sort_keys=True).encode()


def publish(lab: LabHandle, *members: dict[str, Any]) -> list[bytes]:
    bodies = [lab.signed(each) for each in members]
    outcomes = lab.publish(*bodies)
    assert [each.error for each in outcomes] == [None] * len(bodies)
    return bodies


def publish_identity(lab: LabHandle, body: bytes) -> None:
    assert lab.publish(body)[0].error is None


def test_what_a_lab_publishes_there_is_read_here_byte_for_byte(other: OtherNode, here: Community) -> None:
    dorado = other.dorado
    with other.at_work():
        bodies = publish(dorado, *(dorado.indicator() for _ in range(3)))
        publish(dorado, dorado.indicator(Tlp.AMBER))
    assert sync() == 3
    assert sorted(read(here.aurora.principal)) == sorted(map(plain, bodies))
    with writing():
        stored = {bytes(each.body) for each in Version.objects.filter(object__producer__slug="dorado")}
    assert stored.issuperset(bodies)
    assert not QuarantinedObject.objects.exists()
    assert sync() == 0


def test_new_versions_revocations_and_deletions_follow(other: OtherNode, here: Community) -> None:
    dorado = other.dorado
    with other.at_work():
        # Only a node that the lab calls its home has the word that an object is deleted.
        publish_identity(dorado, identity_at(dorado, (other.root, False)))
        members = [dorado.indicator() for _ in range(3)]
        publish(dorado, *members)
    sync()
    with other.at_work():
        (revised,) = publish(dorado, dorado.next_version(members[0], name="Another name"))
        (revoked,) = publish(dorado, dorado.next_version(members[1], revoked=True))
        delete_object(principal=dorado.principal, stix_id=members[2]["id"])
    sync()
    indicators = [each for each in read(here.borealis.principal) if b'"type": "indicator"' in each]
    assert sorted(indicators) == sorted(map(plain, (revised, revoked)))
    with writing():
        states = dict(StixObject.objects.filter(producer__slug="dorado").values_list("stix_id", "state"))
    assert [states[each["id"]] for each in members] == ["current", "revoked", "deleted"]
    notes = [each for each in read(here.borealis.principal) if b'"type": "note"' in each]
    assert any(members[2]["id"].encode() in each and b'"deleted"' in each for each in notes)


def test_a_ring_ends_by_itself_and_both_hold_the_same(other: OtherNode, here: Community) -> None:
    dorado, aurora = other.dorado, here.aurora
    ours = publish(aurora, *(aurora.indicator() for _ in range(4)))
    with other.at_work():
        theirs = publish(dorado, *(dorado.indicator() for _ in range(4)))
    moved = []
    for _ in range(3):
        moved.append(sync())
        with other.at_work():
            moved.append(sync())
    assert moved[2:] == [0, 0, 0, 0]
    everything = sorted(map(plain, ours + theirs))
    assert sorted(read(here.borealis.principal)) == everything
    with other.at_work():
        assert sorted(read(dorado.principal)) == everything
        assert not check_exchange().faults
        with writing():
            dorados = Version.objects.filter(object__producer__slug="dorado")
            assert set(dorados.values_list("origin_peer_id", flat=True)) == {None}, "nothing came back to it"


def test_without_the_flag_of_a_community_green_stays_where_it_is(other: OtherNode, here: Community) -> None:
    with other.at_work():
        call_command("update_peer", "home", "--no-community", stdout=io.StringIO())
        publish(other.dorado, other.dorado.indicator(Tlp.GREEN))
        (clear,) = publish(other.dorado, other.dorado.indicator(Tlp.CLEAR))
    sync()
    assert read(here.aurora.principal) == [plain(clear)]
    with other.at_work():
        call_command("update_peer", "home", "--community", stdout=io.StringIO())
    sync()
    assert len(read(here.aurora.principal)) == 2, "what begins to cross has a new place"


def test_an_unknown_lab_waits_for_its_pin_and_then_comes_by_itself(other: OtherNode, here: Community) -> None:
    with other.at_work():
        stranger = admit_lab("estrella")
        (body,) = publish(stranger, stranger.indicator())
    sync()
    assert read(here.aurora.principal) == []
    assert QuarantinedObject.objects.filter(state="waiting").count() == 2
    admit_known("estrella", stranger.keys.root.kid)
    assert offer_waiting() == 2, "as the worker does every minute"
    assert read(here.aurora.principal) == [plain(body)]


def test_peers_are_tried_before_they_are_kept(
    other: OtherNode, here: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    call_command("check_peer", "harbour", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["title"]
    assert "signatures (r-)" in told["collections"]
    monkeypatch.setenv("PEER_SECRET", "cwt_no_token")
    arguments = ("add_peer", "again", f"{other.server.url}/exchange/", "--credentials=bearer")
    with pytest.raises(CommandError):
        call_command(*arguments, "--check", stdout=out)
    call_command("list_peers", "--json", stdout=(listed := io.StringIO()))
    (peer,) = json.loads(listed.getvalue())["peers"]
    assert peer["peer"] == "harbour"
    assert {each["circuit"] for each in peer["channels"]} == {"closed"}
