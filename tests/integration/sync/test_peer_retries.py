"""When a peer is asked again, how often and when, and what its refusals become."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exchange.sync.peers import Access, PeerError, PeerFault, RemoteRoot
from exchange.sync.peers.retrying import pause_s, read_retry_after
from tests.integration.sync.conftest import QUICK
from tests.support.bad_peer import ALIAS, COLLECTION, BadPeer
from tests.support.misbehaving import hang_up, refuse

REQUESTS: list[Callable[[RemoteRoot], object]] = [
    lambda root: root.page(ALIAS, limit=1),
    lambda root: root.post(ALIAS, b'{"objects":[]}'),
    lambda root: root.delete(COLLECTION, "indicator--1"),
]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("request_of", REQUESTS)
def test_a_peer_that_recovers_is_asked_until_it_does(
    root: RemoteRoot, peer: BadPeer, status: int, request_of: Callable[[RemoteRoot], object]
) -> None:
    peer.script = [refuse(status), refuse(status)]
    request_of(root)
    assert len(peer.requests) == 3
    assert len({asked.body for asked in peer.requests}) == 1


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (429, PeerFault.RATE_LIMITED),
        (500, PeerFault.SERVER_ERROR),
        (503, PeerFault.SERVER_ERROR),
    ],
)
def test_a_peer_that_does_not_recover_is_given_up(
    root: RemoteRoot, peer: BadPeer, status: int, fault: PeerFault
) -> None:
    peer.always = refuse(status)
    with pytest.raises(PeerError) as error:
        root.page(ALIAS, limit=1)
    assert (error.value.fault, error.value.code, error.value.status) == (fault, fault.value, status)
    assert error.value.is_transient
    assert len(peer.requests) == QUICK.attempts


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, PeerFault.REJECTED),
        (401, PeerFault.REFUSED),
        (403, PeerFault.REFUSED),
        (404, PeerFault.NOT_FOUND),
        (406, PeerFault.REJECTED),
        (413, PeerFault.TOO_LARGE),
        (415, PeerFault.REJECTED),
        (422, PeerFault.REJECTED),
        (304, PeerFault.MALFORMED),
    ],
)
@pytest.mark.parametrize("request_of", REQUESTS)
def test_what_the_peer_will_never_take_is_asked_once(
    root: RemoteRoot, peer: BadPeer, status: int, fault: PeerFault, request_of: Callable[[RemoteRoot], object]
) -> None:
    peer.always = refuse(status)
    with pytest.raises(PeerError) as error:
        request_of(root)
    assert (error.value.fault, error.value.is_transient) == (fault, False)
    assert len(peer.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_the_time_that_the_peer_names_is_waited_for(root: RemoteRoot, peer: BadPeer, status: int) -> None:
    peer.script = [refuse(status, retry_after="1")]
    began = time.monotonic()
    root.page(ALIAS, limit=1)
    assert time.monotonic() - began >= 1.0


@pytest.mark.parametrize("status", [429, 503])
def test_a_longer_time_is_told_and_not_waited_for(root: RemoteRoot, peer: BadPeer, status: int) -> None:
    peer.always = refuse(status, retry_after="3600")
    began = time.monotonic()
    with pytest.raises(PeerError) as error:
        root.page(ALIAS, limit=1)
    assert error.value.retry_after_s == 3600
    assert time.monotonic() - began < 60
    assert len(peer.requests) == 1


def test_pauses_end_with_the_deadline(peer: BadPeer) -> None:
    peer.always = refuse(503)
    limits = replace(QUICK, deadline_s=0.5, pause_s=0.4, attempts=10)
    began = time.monotonic()
    with RemoteRoot(Access(peer.url), limits=limits) as root, pytest.raises(PeerError) as error:
        root.page(ALIAS, limit=1)
    assert error.value.fault is PeerFault.SERVER_ERROR
    assert time.monotonic() - began < 5.0


def test_a_connection_that_the_peer_has_closed_meanwhile_is_no_failure(peer: BadPeer) -> None:
    with RemoteRoot(Access(peer.url), limits=replace(QUICK, attempts=1)) as root:
        root.page(ALIAS, limit=1)
        peer.script = [hang_up]
        root.page(ALIAS, limit=1)
    assert (len(peer.requests), peer.connections) == (3, 2)


def test_pauses_grow_within_their_bounds_and_differ() -> None:
    error = PeerError(PeerFault.SERVER_ERROR, "x")
    limits = replace(QUICK, attempts=9, pause_s=1.0, max_pause_s=5.0)
    for attempt, longest in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0), (8, 5.0)):
        pauses = {pause_s(error, attempt, limits) or 0.0 for _ in range(50)}
        assert len(pauses) > 1
        assert all(longest / 2 <= each <= longest for each in pauses)
    assert pause_s(error, 9, limits) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("9" * 5_000, 86_400),
        ("Wed, 25 Nov 2026 10:01:00 GMT", 60),
        ("Wed, 25 Nov 2020 10:01:00 GMT", 0),
        ("Wed, 25 Nov 2099 10:01:00 GMT", 86_400),
        ("Wed, 25 Nov 2026 10:01:00 -0000", 60),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: int | None) -> None:
    assert read_retry_after(value, datetime(2026, 11, 25, 10, 0, tzinfo=UTC)) == seconds


def test_of_what_a_peer_says_a_short_printable_title_is_kept(root: RemoteRoot, peer: BadPeer) -> None:
    peer.always = refuse(403, title="\\u001b[31mno\\nno " + "x" * 500)
    with pytest.raises(PeerError) as error:
        root.page(ALIAS, limit=1, next="a-secret-of-the-peer")
    detail = error.value.detail
    assert detail.isprintable()
    assert len(detail) < 300
    assert f"at {peer.url}collections/{ALIAS}/objects/" in detail
    assert "a-secret" not in detail
