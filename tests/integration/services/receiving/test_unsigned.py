"""What a feed sends unsigned: its own, vouched by it, and never mixed up with what a lab signed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from exchange.models import Collection, QuarantinedObject
from exchange.services.principals import ANONYMOUS
from exchange.stix.markings import Tlp
from tests.integration.services.receiving.feeding import feed_indicator
from tests.integration.services.views import as_owner, finds, page_of, store, stored_rows, visible
from tests.support.labs import Community
from tests.support.peers import PeerHandle, make_exchange, make_feed, origins, pin_stranger, stranger, unsigned


@pytest.fixture
def feed(community: Community) -> PeerHandle:
    Collection.objects.filter(alias="signatures").update(scope="open")
    return make_feed()


def stored_label(stix_id: str) -> int:
    return int(
        as_owner("SELECT label FROM version v JOIN object o ON o.id = v.object_id WHERE stix_id = %s", stix_id)[0][0]
    )


def test_unsigned_object_is_the_feeds_and_says_so(community: Community, feed: PeerHandle) -> None:
    members = feed_indicator()
    body = unsigned(members)
    assert feed.send(body).stored == 1
    entry = next(each for each in page_of(community.aurora.principal).entries if each.body == body)
    assert (entry.producer, entry.custody, entry.vouched_by) == ("gazette", "", "gazette")
    assert origins(members["id"]) == [(feed.peer.id, "")]
    others = [each for each in page_of(community.aurora.principal).entries if each.body != body]
    assert {each.vouched_by for each in others} == {""}


@pytest.mark.parametrize("default", [Tlp.CLEAR, Tlp.AMBER, Tlp.AMBER_STRICT])
def test_unmarked_object_has_the_label_of_the_peer_and_its_bytes(community: Community, default: Tlp) -> None:
    Collection.objects.update(scope="open", public=True)
    feed = make_feed(default_label=int(default))
    members = feed_indicator(object_marking_refs=None)
    assert feed.send(unsigned(members)).stored == 1
    assert stored_label(members["id"]) == int(default)
    assert finds(community.aurora.principal, members["id"])
    assert finds(community.aurora.client, members["id"]) == (default < Tlp.AMBER_STRICT)
    assert finds(ANONYMOUS, members["id"]) == (default is Tlp.CLEAR)


def test_feed_that_must_sign_and_exchange_that_does_not_are_not_taken(community: Community) -> None:
    for peer in (make_feed("strict", accepts_unsigned=False), make_exchange()):
        receipt = peer.send(unsigned(feed_indicator()))
        assert receipt.reasons == {"signature-missing": 1}


def test_red_is_taken_from_nobody(feed: PeerHandle) -> None:
    receipt = feed.send(unsigned(feed_indicator(object_marking_refs=[Tlp.RED.marking_id])))
    assert receipt.reasons == {"label-red": 1}


def test_versions_follow_modified_and_a_conflict_is_kept_aside(community: Community, feed: PeerHandle) -> None:
    first = feed_indicator()
    later = first | {"modified": "2026-11-24T12:00:00.500Z", "name": "Later"}
    assert feed.send(unsigned(later), unsigned(first)).stored == 2
    entry = next(each for each in page_of(community.aurora.principal).entries if each.vouched_by)
    assert entry.body == unsigned(later)
    assert feed.send(unsigned(later), unsigned(first)).known == 2
    assert feed.send(unsigned(later | {"name": "Other"})).reasons == {"version-conflict": 1}


def test_observable_is_a_version_for_each_payload_and_none_for_a_repeated_one(
    community: Community, feed: PeerHandle
) -> None:
    address = community.aurora.address("203.0.113.77", Tlp.CLEAR)
    noted = address | {"defanged": False}
    assert feed.send(unsigned(address), unsigned(noted), unsigned(address)).stored == 2
    before = stored_rows()
    assert feed.send(unsigned(noted), unsigned(address)).known == 2
    assert stored_rows() == before


def test_statement_marking_of_a_feed_is_taken_and_awaited_only_where_it_could_narrow(
    community: Community, feed: PeerHandle
) -> None:
    statement: dict[str, Any] = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{uuid.uuid4()}",
        "created": "2026-11-24T12:00:00.000Z",
        "definition_type": "statement",
        "definition": {"statement": "Free to use"},
    }
    loose = feed_indicator(object_marking_refs=[Tlp.GREEN.marking_id, statement["id"]])
    strict = feed_indicator(object_marking_refs=[Tlp.AMBER.marking_id, statement["id"]])
    receipt = feed.send(unsigned(loose), unsigned(strict))
    assert (receipt.stored, receipt.held) == (1, 1)
    assert feed.send(unsigned(statement)).stored == 1
    assert {loose["id"], strict["id"]} <= visible(community.aurora.principal)


# --- never mixed up ------------------------------------------------------------------------------------------------


def test_unsigned_object_in_the_name_of_somebody_known_is_not_taken(community: Community, feed: PeerHandle) -> None:
    aurora = community.aurora
    for members in (
        aurora.indicator(),
        feed_indicator(created_by_ref=community.node.lab.identity_id),
        feed_indicator(
            type="identity",
            id=aurora.identity,
            name="Aurora",
            identity_class="organization",
            pattern=None,
            pattern_type=None,
            valid_from=None,
        ),
    ):
        assert feed.send(unsigned(members)).reasons == {"unsigned-claim": 1}
    assert QuarantinedObject.objects.filter(creator=aurora.identity).count() == 1


def test_unsigned_object_under_the_id_of_a_signed_one_is_not_taken(community: Community, feed: PeerHandle) -> None:
    members = community.aurora.indicator(Tlp.AMBER)
    store(community.aurora, members)
    before = stored_rows()
    assert feed.send(unsigned(feed_indicator(id=members["id"]))).reasons == {"foreign-id": 1}
    assert stored_rows() == before


def test_feed_that_was_first_with_an_id_keeps_no_lab_from_it(community: Community, feed: PeerHandle) -> None:
    relayed, dorado = make_exchange(), pin_stranger(stranger())
    theirs, ours = dorado.indicator(), community.aurora.indicator()
    assert feed.send(*(unsigned(feed_indicator(id=each["id"])) for each in (theirs, ours))).stored == 2
    assert relayed.send(dorado.keys.identity_bytes, dorado.signed(theirs)).stored == 2
    store(community.aurora, ours)
    found = [each for each in page_of(community.aurora.principal).entries if each.type == "indicator"]
    assert sorted((each.producer, each.vouched_by) for each in found) == [
        ("aurora", ""),
        ("dorado", ""),
        ("gazette", "gazette"),
        ("gazette", "gazette"),
    ]


def test_signature_that_was_taken_off_opens_nothing(community: Community, feed: PeerHandle) -> None:
    """An AMBER object for named labs, its signature gone: its distribution is not the feed's, so it waits."""
    dorado = stranger()
    marking = dorado.distribution(community.borealis.identity)
    secret = dorado.indicator(Tlp.AMBER, object_marking_refs=[Tlp.AMBER.marking_id, marking["id"]])
    receipt = feed.send(unsigned(secret), unsigned(marking))
    assert (receipt.held, receipt.reasons) == (1, {"unsigned-extension": 1})
    assert not any(finds(lab.principal, secret["id"]) for lab in community.labs)


def test_two_feeds_have_a_copy_each(community: Community, feed: PeerHandle) -> None:
    body = unsigned(feed_indicator())
    assert feed.send(body).stored == 1
    assert make_feed("herald").send(body).stored == 1
    found = [each.vouched_by for each in page_of(community.aurora.principal).entries if each.body == body]
    assert sorted(found) == ["gazette", "herald"]


def test_signed_object_through_a_feed_is_its_producers(community: Community, feed: PeerHandle) -> None:
    dorado = pin_stranger(stranger())
    body = dorado.signed(dorado.indicator())
    assert feed.send(dorado.keys.identity_bytes, body).stored == 2
    entry = next(each for each in page_of(community.aurora.principal).entries if each.body == body)
    assert (entry.producer, entry.custody, entry.vouched_by) == ("dorado", "lab", "")
