"""Runs of a push channel: everything that may cross arrives, once and in order, whatever the peer does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from exchange.models import Collection, Grant, Lab, Peer, PeerChannel, PeerErrand
from exchange.services.clock import now
from exchange.services.collections import grant_access
from exchange.services.deletion import delete_object
from exchange.services.errors import NotFoundError
from exchange.services.peers import add_channel
from exchange.services.peers.claims import claim_channels, claim_due_channels
from exchange.services.peers.health import OPEN_AFTER, channels_health
from exchange.services.principals import OPERATOR
from exchange.services.pushing import drop_errand, list_errands, retry_errands, wake_push_channels
from exchange.services.pushing.errands import MAX_TRIES
from exchange.services.pushing.outbox import MAX_OBJECTS
from exchange.services.receiving import receive_page
from exchange.stix.markings import Tlp
from exchange.sync.pushing import push as pushing
from exchange.sync.pushing import sending
from exchange.sync.pushing.push import PushRun, push
from tests.integration.services.receiving.feeding import feed_indicator
from tests.integration.sync.conftest import QUICK
from tests.support import misbehaving
from tests.support.bad_peer import ALIAS, BadPeer
from tests.support.labs import Community, LabHandle
from tests.support.peers import make_feed, unsigned
from tests.support.posted_peer import Shelf, shelving, take_and_hang_up

Members = dict[str, Any]


@pytest.fixture
def shelf(peer: BadPeer) -> Shelf:
    """A peer that takes what it is posted."""
    made = Shelf()
    peer.always = shelving(made)
    return made


@pytest.fixture
def channel(community: Community, peer: BadPeer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> PeerChannel:
    """A channel that pushes `signatures` to a feed of the same community."""
    monkeypatch.setattr(sending, "FOLLOW_S", 1.0)
    monkeypatch.setattr(sending, "FIRST_LOOK_S", 0.01)
    handle = make_feed(community=True)
    handle.peer.channels.all().delete()
    Peer.objects.filter(pk=handle.peer.pk).update(url=peer.url)
    return add_channel(
        actor=OPERATOR,
        slug="gazette",
        direction=PeerChannel.Direction.PUSH,
        remote_collection=ALIAS,
        collection=signatures(),
    )


def signatures() -> Collection:
    return Collection.objects.get(alias="signatures", api_root__slug="exchange")


def run(channel: PeerChannel) -> PushRun:
    """One run, now."""
    return push(claim_channels([channel.pk])[0], limits=QUICK)


def publish(lab: LabHandle, count: int = 1, label: Tlp = Tlp.GREEN) -> list[Members]:
    made = [lab.indicator(label) for _ in range(count)]
    assert {each.error for each in lab.publish(*map(lab.signed, made))} == {None}
    return made


def ids_of(objects: list[Members]) -> list[str]:
    return [each["id"] for each in objects]


def indicators(shelf: Shelf) -> list[str]:
    return [each for each in shelf.order if each.lstrip("-").startswith("indicator")]


def test_what_may_cross_arrives_once_in_order_and_unchanged(
    community: Community, channel: PeerChannel, peer: BadPeer, shelf: Shelf
) -> None:
    first = publish(community.aurora, 3)
    publish(community.aurora, 1, Tlp.AMBER)
    ran = run(channel)
    assert (ran.failure, ran.tally.more, ran.tally.refused) == ("", False, 0)
    assert indicators(shelf) == ids_of(first)
    body = community.aurora.signed(community.aurora.indicator())
    assert community.aurora.publish(body)[0].error is None
    assert run(channel).tally.moved == 1
    assert body in peer.posted[-1]
    posts = len(peer.posted)
    assert run(channel).tally.envelopes == 0
    assert len(peer.posted) == posts


def test_new_versions_and_revocations_arrive(community: Community, channel: PeerChannel, shelf: Shelf) -> None:
    aurora = community.aurora
    (made,) = publish(aurora)
    run(channel)
    later = aurora.next_version(made, name="Later")
    assert aurora.publish(aurora.signed(later))[0].error is None
    run(channel)
    assert aurora.publish(aurora.signed(aurora.next_version(later, revoked=True)))[0].error is None
    run(channel)
    versions = [json.loads(each) for each in shelf.held[made["id"]]]
    assert [each.get("revoked", False) for each in versions] == [False, False, True]
    assert versions[1]["name"] == "Later"


def test_what_came_from_the_peer_does_not_return_to_it(channel: PeerChannel, shelf: Shelf) -> None:
    run(channel)
    feed = make_feed("herald", community=True)
    mine = make_feed_object(channel.peer)
    theirs = make_feed_object(feed.peer)
    ran = run(channel)
    assert ran.failure == ""
    assert mine not in shelf.held
    assert theirs in shelf.held


def make_feed_object(peer: Peer) -> str:
    """An object that this feed has sent, GREEN; its id."""
    pulling = PeerChannel.objects.create(
        peer=peer,
        direction="pull",
        remote_collection="x",
        collection=signatures(),
        created_at=now(),
        next_attempt_at=now(),
    )
    made = feed_indicator(object_marking_refs=[Tlp.GREEN.marking_id])
    receipt = receive_page(channel=pulling, bodies=[unsigned(made)], added_after="", next="", more=False, last_date="")
    assert receipt.stored == 1, receipt
    return str(made["id"])


def test_an_envelope_that_is_too_large_is_halved(community: Community, channel: PeerChannel, shelf: Shelf) -> None:
    made = publish(community.aurora, 9)
    shelf.most_objects = 2
    ran = run(channel)
    assert (ran.failure, ran.tally.more) == ("", False)
    assert indicators(shelf) == ids_of(made)


def test_envelopes_keep_to_what_the_peer_takes_and_one_object_beyond_it_stops_no_other(
    community: Community, channel: PeerChannel, peer: BadPeer, shelf: Shelf
) -> None:
    aurora = community.aurora
    small = publish(aurora, 4)
    large = aurora.indicator(description="long text " * 300)
    assert aurora.publish(aurora.signed(large))[0].error is None
    small += publish(aurora, 2)
    peer.dials.root["max_content_length"] = 3_000
    run(channel)
    assert max(map(len, peer.posted)) <= 3_000
    assert indicators(shelf) == ids_of(small)
    (errand,) = list_errands("gazette")
    assert (errand.stix_id, errand.kind) == (large["id"], "post")
    assert "3000 bytes" in errand.reason


@pytest.mark.parametrize("rejects", [False, True])
def test_refused_objects_are_kept_with_the_reason_and_come_again(
    community: Community, channel: PeerChannel, shelf: Shelf, rejects: bool
) -> None:
    made = publish(community.aurora, 5)
    bad = made[2]["id"]
    shelf.poison[bad], shelf.rejects = "unknown\nproperty", rejects
    ran = run(channel)
    assert (ran.failure, ran.tally.refused) == ("", 1)
    assert sorted(indicators(shelf)) == sorted(set(ids_of(made)) - {bad})
    (errand,) = list_errands("gazette")
    assert errand.stix_id == bad
    assert errand.reason.isprintable()
    assert ("422" if rejects else "unknown property") in errand.reason
    assert run(channel).tally.moved == 0
    PeerErrand.objects.update(next_attempt_at=now())
    run(channel)
    assert PeerErrand.objects.get().tries == 2
    shelf.poison.clear()
    PeerErrand.objects.update(next_attempt_at=now())
    assert run(channel).tally.moved == 1
    assert bad in shelf.held
    assert not PeerErrand.objects.exists()


def test_a_version_that_is_refused_for_ever_is_parked_until_an_operator_decides(
    community: Community, channel: PeerChannel, shelf: Shelf
) -> None:
    (made,) = publish(community.aurora)
    shelf.poison[made["id"]] = "no"
    run(channel)
    for _ in range(MAX_TRIES - 1):
        PeerErrand.objects.update(next_attempt_at=now())
        run(channel)
    (errand,) = list_errands()
    assert errand.next_attempt_at is None
    assert retry_errands(actor=OPERATOR, slug="gazette", number=errand.pk) == 1
    shelf.poison.clear()
    assert run(channel).tally.moved == 1
    with pytest.raises(NotFoundError):
        drop_errand(actor=OPERATOR, number=errand.pk)


def test_a_refused_version_that_is_old_or_gone_is_not_sent_again(
    community: Community, channel: PeerChannel, shelf: Shelf
) -> None:
    aurora = community.aurora
    made = publish(aurora, 3)
    for each in made:
        shelf.poison[each["id"]] = "no"
    run(channel)
    shelf.poison.clear()
    assert aurora.publish(aurora.signed(aurora.next_version(made[0], name="Later")))[0].error is None
    assert aurora.publish(aurora.signed(aurora.next_version(made[1], **marked(Tlp.AMBER))))[0].error is None
    PeerErrand.objects.update(next_attempt_at=now())
    run(channel)
    assert [json.loads(each)["name"] for each in shelf.held[made[0]["id"]]] == ["Later"]
    assert made[1]["id"] not in shelf.held
    assert made[2]["id"] in shelf.held
    assert not PeerErrand.objects.exists()


def marked(label: Tlp) -> Members:
    return {"object_marking_refs": [label.marking_id]}


@pytest.mark.parametrize("jealous", [False, True])
def test_an_envelope_whose_answer_was_lost_is_sent_again_and_doubles_nothing(
    community: Community, channel: PeerChannel, peer: BadPeer, shelf: Shelf, jealous: bool
) -> None:
    shelf.jealous = jealous
    made = publish(community.aurora, 3)
    good, lost = shelving(shelf), take_and_hang_up(shelf)
    peer.always = lambda exchange: lost(exchange) if exchange.asked.method == "POST" else good(exchange)
    ran = run(channel)
    assert ran.failure == "broken-off"
    stored = PeerChannel.objects.get(pk=channel.pk)
    assert stored.pending_upto is not None
    assert stored.failures == 1
    publish(community.aurora, 2)
    peer.always = good
    ran = run(channel)
    assert (ran.failure, ran.tally.more) == ("", False)
    assert indicators(shelf)[:3] == ids_of(made)
    assert [len(versions) for key, versions in shelf.held.items() if key.startswith("indicator")] == [1] * 5
    assert not PeerErrand.objects.filter(stix_id__startswith="indicator").exists()


def test_a_pending_status_is_followed_over_runs_to_its_end(
    community: Community, channel: PeerChannel, peer: BadPeer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "FOLLOW_S", 0.05)
    made = publish(community.aurora, 3)
    shelf.pending_looks, shelf.poison[made[1]["id"]] = 8, "no"
    ran = run(channel)
    assert (ran.failure, ran.tally.is_pending) == ("", True)
    posts, runs = len(peer.posted), 1
    stored = PeerChannel.objects.get(pk=channel.pk)
    assert stored.pending_status
    assert stored.next_attempt_at < now() + timedelta(seconds=2 * pushing.PENDING_PAUSE_S)
    while run(channel).tally.is_pending:
        runs += 1
    assert runs > 1
    assert len(peer.posted) == posts
    assert [each.stix_id for each in list_errands()] == [made[1]["id"]]
    assert PeerChannel.objects.get(pk=channel.pk).pending_upto is None


def test_a_status_that_the_peer_forgot_has_its_envelope_sent_again(
    community: Community, channel: PeerChannel, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "FOLLOW_S", 0.0)
    made = publish(community.aurora, 3)
    shelf.pending_looks = 1_000
    assert run(channel).tally.is_pending
    shelf.pending_looks, shelf.forgets = 0, True
    assert run(channel).failure == ""
    assert indicators(shelf) == ids_of(made)
    assert PeerChannel.objects.get(pk=channel.pk).pending_upto is None


def test_refusals_of_the_peer_open_the_circuit_and_lose_nothing(
    community: Community, channel: PeerChannel, peer: BadPeer, shelf: Shelf
) -> None:
    made = publish(community.aurora, 2)
    peer.always = misbehaving.refuse(403)
    for _ in range(OPEN_AFTER):
        assert run(channel).failure == "refused"
    (health,) = channels_health("gazette")
    assert (health.circuit, health.direction, health.last_failure) == ("open", "push", "refused")
    peer.always = shelving(shelf)
    assert run(channel).failure == ""
    assert indicators(shelf) == ids_of(made)
    assert channels_health("gazette")[0].circuit == "closed"


def test_retry_after_is_kept_to(community: Community, channel: PeerChannel, peer: BadPeer) -> None:
    publish(community.aurora)
    peer.always = misbehaving.refuse(429, retry_after="600")
    assert run(channel).failure == "rate-limited"
    assert PeerChannel.objects.get(pk=channel.pk).next_attempt_at > now() + timedelta(seconds=590)


def test_an_object_over_which_the_peer_stumbles_again_and_again_is_left_out_in_the_end(
    community: Community, channel: PeerChannel, peer: BadPeer, shelf: Shelf
) -> None:
    made = publish(community.aurora, 3)
    bad = made[0]["id"].encode()
    good = shelving(shelf)
    fails = misbehaving.refuse(500)
    peer.always = lambda exchange: fails(exchange) if bad in exchange.asked.body else good(exchange)
    assert run(channel).failure == "server-error"
    assert indicators(shelf) == []
    for _ in range(2):
        run(channel)
    assert indicators(shelf) == ids_of(made[1:])
    assert [each.stix_id for each in list_errands()] == [made[0]["id"]]


def test_deletion_and_narrowing_are_told_to_the_peer_before_anything_that_follows(
    community: Community, channel: PeerChannel, shelf: Shelf
) -> None:
    aurora = community.aurora
    deleted, narrowed, kept = publish(aurora, 3)
    run(channel)
    assert delete_object(principal=aurora.principal, stix_id=deleted["id"]) == []
    strict = aurora.next_version(narrowed, **marked(Tlp.AMBER))
    assert aurora.publish(aurora.signed(strict))[0].error is None
    wide = aurora.next_version(strict, **marked(Tlp.GREEN))
    assert aurora.publish(aurora.signed(wide))[0].error is None
    ran = run(channel)
    assert (ran.failure, ran.tally.deleted) == ("", 2)
    assert set(indicators(shelf)[3:5]) == {f"-{deleted['id']}", f"-{narrowed['id']}"}
    assert indicators(shelf)[5:] == [narrowed["id"]]
    assert deleted["id"] not in shelf.held
    assert kept["id"] in shelf.held
    assert run(channel).tally.deleted == 0


def test_a_peer_is_told_no_id_of_what_it_could_not_read(community: Community, channel: PeerChannel) -> None:
    aurora = community.aurora
    (secret,) = publish(aurora, 1, Tlp.AMBER)
    run(channel)
    delete_object(principal=aurora.principal, stix_id=secret["id"])
    assert not PeerErrand.objects.exists()


def test_a_deletion_that_the_peer_cannot_do_is_parked_and_one_that_failed_is_tried_first(
    community: Community, channel: PeerChannel, peer: BadPeer, shelf: Shelf
) -> None:
    aurora = community.aurora
    first, second = publish(aurora, 2)
    run(channel)
    delete_object(principal=aurora.principal, stix_id=first["id"])
    publish(aurora)
    good, fails = shelving(shelf), misbehaving.refuse(503)
    peer.always = lambda exchange: fails(exchange) if exchange.asked.method == "DELETE" else good(exchange)
    posts = len(peer.posted)
    assert run(channel).failure == "server-error"
    assert len(peer.posted) == posts
    cannot = misbehaving.refuse(405)
    peer.always = lambda exchange: cannot(exchange) if exchange.asked.method == "DELETE" else good(exchange)
    assert run(channel).failure == ""
    assert len(peer.posted) == posts + 1
    (errand,) = list_errands()
    assert (errand.stix_id, errand.next_attempt_at) == (first["id"], None)
    assert "405" in errand.reason
    assert second["id"] in shelf.held


def test_a_retried_deletion_does_not_end_what_was_published_again(
    community: Community, channel: PeerChannel, peer: BadPeer, shelf: Shelf
) -> None:
    aurora = community.aurora
    (made,) = publish(aurora)
    run(channel)
    good, cannot = shelving(shelf), misbehaving.refuse(405)
    peer.always = lambda exchange: cannot(exchange) if exchange.asked.method == "DELETE" else good(exchange)
    strict = aurora.next_version(made, **marked(Tlp.AMBER))
    assert aurora.publish(aurora.signed(strict))[0].error is None
    run(channel)
    (errand,) = list_errands()
    wide = aurora.next_version(strict, **marked(Tlp.GREEN))
    assert aurora.publish(aurora.signed(wide))[0].error is None
    run(channel)
    peer.always = good
    retry_errands(actor=OPERATOR, slug="gazette", number=errand.pk)
    run(channel)
    assert made["id"] in shelf.held
    assert not PeerErrand.objects.exists()


def test_a_channel_has_its_turn_when_there_may_be_something_and_not_otherwise(
    community: Community, channel: PeerChannel
) -> None:
    run(channel)
    PeerChannel.objects.update(next_attempt_at=now())
    assert claim_due_channels() == []
    assert not wake_push_channels(pause_s=0)
    PeerChannel.objects.update(next_attempt_at=now() + timedelta(hours=1))
    publish(community.aurora)
    assert wake_push_channels(pause_s=0)
    (claim,) = claim_due_channels()
    assert claim.direction == "push"


def test_pushing_gives_the_peer_a_grant_and_can_begin_now(community: Community, channel: PeerChannel) -> None:
    assert Grant.objects.get(collection=signatures(), lab=channel.peer.lab).can_read
    publish(community.aurora, 2)
    late = add_channel(
        actor=OPERATOR,
        slug="gazette",
        direction=PeerChannel.Direction.PUSH,
        remote_collection="other",
        collection=signatures(),
        from_now=True,
    )
    assert run(late).tally.moved == 0
    grant_access(actor=OPERATOR, collection=signatures(), lab=late.peer.lab, can_read=False, can_write=False)
    publish(community.aurora)
    assert run(late).failure
    assert Lab.objects.get(pk=late.peer.lab_id).kind == "feed"


def test_more_than_one_envelope_holds_is_sent_in_several(
    community: Community, channel: PeerChannel, peer: BadPeer, shelf: Shelf
) -> None:
    made = publish(community.aurora, MAX_OBJECTS + 1)
    ran = run(channel)
    assert (ran.failure, ran.tally.more) == ("", False)
    assert indicators(shelf) == ids_of(made)
    assert max(len(json.loads(each)["objects"]) for each in peer.posted) <= MAX_OBJECTS
