"""Runs of a pull channel against a peer that does each bad thing: nothing is lost and nothing is there twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import DjangoDbBlocker

from exchange.models import Lab, Peer, PeerChannel, QuarantinedObject, StixObject
from exchange.services.checking import check_exchange
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.outbound import allow_host
from exchange.services.peers.claims import CLAIM_S, claim_channels, claim_due_channels, renew_claim
from exchange.services.peers.health import OPEN_AFTER, Circuit, channels_health
from exchange.services.peers.registry import set_state
from exchange.services.principals import OPERATOR
from exchange.services.receiving import PageReceipt
from exchange.stix.canonical import canonicalize
from exchange.sync.pulling import pull as pulling
from exchange.sync.pulling.pull import OnPage, Run, pull
from exchange.sync.pulling.tasks import pull_channel
from tests.integration.services.receiving.feeding import feed_indicator
from tests.integration.sync.conftest import QUICK
from tests.support import misbehaving
from tests.support.bad_peer import ALIAS, BadPeer, bad_peer
from tests.support.database import close_connections, empty_tables
from tests.support.labs import make_community
from tests.support.peers import make_feed
from tests.support.snapshots import Snapshot

PAGE = 7
ONE_MOMENT = "2026-01-01T12:00:00.000000Z"


@pytest.fixture(scope="module")
def with_feed(_migrated: None, django_db_blocker: DjangoDbBlocker) -> Snapshot:
    """A node that pulls from a feed on loopback."""
    with django_db_blocker.unblock():
        empty_tables()
        make_community()
        make_feed()
        PeerChannel.objects.update(remote_collection=ALIAS)
        allow_host(actor=OPERATOR, host="127.0.0.1")
        return Snapshot.take()


@pytest.fixture
def peer() -> Iterator[BadPeer]:
    with bad_peer() as started:
        yield started


@pytest.fixture
def channel(with_feed: Snapshot, peer: BadPeer, django_db_blocker: DjangoDbBlocker) -> Iterator[PeerChannel]:
    """A channel to the peer's collection, which is due; after the test everything stored is verified again."""
    with django_db_blocker.unblock():
        with_feed.restore()
        Peer.objects.update(url=peer.url)
        yield PeerChannel.objects.get()
        report = check_exchange()
        assert not report.faults, report.faults
        close_connections()


def offer(peer: BadPeer, count: int, *, date: str = "") -> set[str]:
    """The peer has so many more objects, each later than the one before, or all at one date."""
    ids = {f"indicator--{uuid.uuid4()}" for _ in range(count)}
    for number, each in enumerate(sorted(ids), len(peer.objects)):
        when = date or f"2026-01-01T10:{number // 60:02}:{number % 60:02}.000000Z"
        peer.objects.append((when, canonicalize(feed_indicator(id=each))))
    return ids


def run(channel: PeerChannel) -> Run:
    """One run, now."""
    return pull(claim_channels([channel.pk])[0], limits=QUICK, page_limit=PAGE)


def stored() -> set[str]:
    with writing():
        return set(StixObject.objects.filter(producer__kind=Lab.Kind.FEED).values_list("stix_id", flat=True))


@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("gives_next", [False, True])
@pytest.mark.parametrize("date", ["", ONE_MOMENT])
def test_everything_comes_once_and_later_what_is_new(
    channel: PeerChannel, peer: BadPeer, inclusive: bool, gives_next: bool, date: str
) -> None:
    peer.dials.inclusive, peer.dials.gives_next = inclusive, gives_next
    ids = offer(peer, 16, date=date)
    first = run(channel)
    assert (first.failure, first.more, first.moved) == ("", False, 16)
    assert stored() == ids
    ids |= offer(peer, 5, date="2026-01-01T13:00:00.000000Z")
    second = run(channel)
    assert (second.failure, second.moved) == ("", 5)
    assert stored() == ids
    third = run(channel)
    assert (third.failure, third.moved, third.more) == ("", 0, False)
    assert not QuarantinedObject.objects.exists()


def test_a_peer_that_repeats_a_page_for_ever_is_left(channel: PeerChannel, peer: BadPeer) -> None:
    peer.dials.repeats = True
    offer(peer, 40)
    came = run(channel)
    assert came.failure == "no-progress"
    assert came.pages == 2
    assert len(stored()) == PAGE


def test_a_peer_that_always_has_more_is_left_and_what_it_had_is_here(channel: PeerChannel, peer: BadPeer) -> None:
    peer.dials.forever = True
    ids = offer(peer, 20)
    assert run(channel).failure == "no-progress"
    assert stored() == ids


def test_too_large_a_page_is_asked_for_in_parts(channel: PeerChannel, peer: BadPeer) -> None:
    ids = offer(peer, 20)
    peer.script = [misbehaving.refuse(413), misbehaving.refuse(413)]
    assert run(channel).failure == ""
    assert stored() == ids
    assert [int(asked.query["limit"]) for asked in peer.requests[:3]] == [PAGE, PAGE // 2, PAGE // 4]


def test_a_peer_that_wants_to_be_asked_later_is(channel: PeerChannel, peer: BadPeer) -> None:
    offer(peer, 3)
    peer.script = [misbehaving.refuse(429, retry_after="600")]
    before = now()
    assert run(channel).failure == "rate-limited"
    channel.refresh_from_db()
    assert channel.next_attempt_at >= before + timedelta(seconds=599)
    assert claim_due_channels() == []


def test_a_body_that_ends_in_the_middle_is_no_shorter_page(channel: PeerChannel, peer: BadPeer) -> None:
    ids = offer(peer, 20)
    peer.script = [misbehaving.cut_short] * QUICK.attempts
    assert run(channel).failure == "broken-off"
    assert stored() == set()
    assert run(channel).failure == ""
    assert stored() == ids


def test_a_cursor_that_the_peer_has_forgotten_costs_nothing(channel: PeerChannel, peer: BadPeer) -> None:
    ids = offer(peer, 30)
    run_of_two = pull(claim_channels([channel.pk])[0], limits=QUICK, page_limit=PAGE, on_page=failing_after(2, peer))
    assert run_of_two.failure == "server-error"
    channel.refresh_from_db()
    assert channel.next, "the run ended in the middle"
    peer.always, peer.script = None, [misbehaving.refuse(400)]
    assert run(channel).failure == ""
    assert stored() == ids


def failing_after(pages: int, peer: BadPeer) -> OnPage:
    """Told of pages; after so many the peer fails for ever."""
    seen: list[PageReceipt] = []

    def told(receipt: PageReceipt) -> None:
        seen.append(receipt)
        if len(seen) == pages:
            peer.always = misbehaving.refuse(500)

    return told


def test_what_is_no_stix_goes_to_quarantine_and_stops_nothing(channel: PeerChannel, peer: BadPeer) -> None:
    ids = offer(peer, 5)
    peer.objects.insert(2, ("2026-01-01T10:00:01.500000Z", b'{"type":"indicator","id":"indicator--1"}'))
    came = run(channel)
    assert (came.failure, came.moved, came.received) == ("", 5, 6)
    assert stored() == ids
    assert QuarantinedObject.objects.count() == 1


def test_the_circuit_opens_probes_and_closes(channel: PeerChannel, peer: BadPeer) -> None:
    ids = offer(peer, 3)
    peer.always = misbehaving.refuse(500)
    for _ in range(OPEN_AFTER):
        assert run(channel).failure == "server-error"
    (health,) = channels_health("gazette")
    assert (health.circuit, health.failures, health.last_failure) == (Circuit.OPEN, OPEN_AFTER, "server-error")
    assert claim_due_channels() == []
    PeerChannel.objects.update(next_attempt_at=now())
    assert channels_health()[0].circuit is Circuit.PROBING
    peer.always = None
    (claim,) = claim_due_channels()
    pull_channel(claim.channel_id, str(claim.claim))
    (health,) = channels_health()
    assert (health.circuit, health.failures, health.last_failure) == (Circuit.CLOSED, 0, "")
    assert stored() == ids
    assert health.moved == 3


def test_one_worker_at_a_time_and_another_when_it_is_gone(channel: PeerChannel, peer: BadPeer) -> None:
    (claim,) = claim_channels([channel.pk])
    assert claim_channels([channel.pk]) == []
    assert renew_claim(claim)
    PeerChannel.objects.update(claimed_until=now() - timedelta(seconds=CLAIM_S))
    offer(peer, 3)
    (other,) = claim_due_channels()
    assert not renew_claim(claim)
    assert pull(claim, limits=QUICK).failure == "claim-over"
    assert pull(other, limits=QUICK).moved == 3


def test_a_date_of_the_future_does_not_end_the_channel(channel: PeerChannel, peer: BadPeer) -> None:
    ids = offer(peer, 2) | offer(peer, 1, date="2099-01-01T00:00:00.000000Z")
    assert run(channel).failure == ""
    channel.refresh_from_db()
    assert (channel.added_after, channel.last_date) == ("", "")
    peer.objects.pop()
    ids |= offer(peer, 1, date="2026-01-01T13:00:00.000000Z")
    assert run(channel).failure == ""
    assert stored() == ids


def test_a_fault_of_ours_is_noted_and_given_a_pause(
    channel: PeerChannel, peer: BadPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("something secret")

    offer(peer, 3)
    monkeypatch.setattr(pulling, "receive_page", fail)
    assert run(channel).failure == "internal"
    channel.refresh_from_db()
    assert (channel.last_failure, channel.claim) == ("internal", None)
    assert claim_due_channels() == []


def test_a_peer_that_is_stopped_in_the_middle_is_not_asked_again(channel: PeerChannel, peer: BadPeer) -> None:
    offer(peer, 30)

    def stop(_receipt: PageReceipt) -> None:
        set_state(actor=OPERATOR, slug="gazette", state=Peer.State.PAUSED)

    came = pull(claim_channels([channel.pk])[0], limits=QUICK, page_limit=PAGE, on_page=stop)
    assert (came.failure, came.pages) == ("claim-over", 1)
    channel.refresh_from_db()
    assert channel.failures == 0


def test_a_paused_peer_is_not_asked(channel: PeerChannel, peer: BadPeer) -> None:
    set_state(actor=OPERATOR, slug="gazette", state=Peer.State.PAUSED)
    assert claim_due_channels() == []
    assert claim_channels([channel.pk]) == []
    assert channels_health()[0].state == "paused"


def test_the_log_and_the_row_say_codes_and_nothing_of_the_peer(
    channel: PeerChannel, peer: BadPeer, caplog: pytest.LogCaptureFixture
) -> None:
    peer.always = misbehaving.refuse(500, title="sesame")
    with caplog.at_level("INFO"):
        run(channel)
    channel.refresh_from_db()
    assert channel.last_failure == "server-error"
    assert "failure=server-error" in caplog.text
    assert "sesame" not in caplog.text
