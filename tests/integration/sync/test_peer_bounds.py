"""Peers that answer too much, too little, too slowly or something else: an error that says which, in bounded time."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from dataclasses import replace

import pytest

from exchange.sync.peers import Access, Limits, PeerError, PeerFault, RemoteRoot
from tests.integration.sync.conftest import QUICK
from tests.support.bad_peer import ALIAS, Answering, BadPeer, Exchange
from tests.support.misbehaving import (
    HEAD,
    bomb,
    cut_chunks,
    cut_gzip,
    cut_head,
    cut_short,
    drip,
    endless,
    gzip_bomb,
    hang_up,
    nest,
    say,
    say_nothing,
)

ONCE = replace(QUICK, attempts=1, max_body_bytes=100_000, max_page_objects=10)


def fault_of(peer: BadPeer, answering: Answering, limits: Limits = ONCE) -> PeerFault:
    """What a page comes to when the peer answers so."""
    peer.script, peer.always = [], answering
    with RemoteRoot(Access(peer.url), limits=limits) as root, pytest.raises(PeerError) as error:
        root.page(ALIAS, limit=5)
    return error.value.fault


@pytest.mark.parametrize("answering", [cut_short, cut_chunks, cut_gzip, hang_up])
def test_an_answer_that_ends_early_is_an_error_and_never_a_shorter_page(peer: BadPeer, answering: Answering) -> None:
    assert fault_of(peer, answering) is PeerFault.BROKEN_OFF


def test_an_answer_that_ends_among_its_headers_is_broken_off(peer: BadPeer) -> None:
    for size in range(1, len(HEAD) + 22):
        assert fault_of(peer, cut_head(size)) is PeerFault.BROKEN_OFF, size


@pytest.mark.parametrize("answering", [cut_short, hang_up])
def test_a_broken_answer_is_asked_for_again(peer: BadPeer, root: RemoteRoot, answering: Answering) -> None:
    peer.script = [answering, answering]
    bodies = peer.add(1)
    assert root.page(ALIAS, limit=5).bodies == tuple(bodies)


def test_a_gzip_bomb_stops_at_the_bound(peer: BadPeer) -> None:
    limits = replace(ONCE, max_body_bytes=1_000_000)
    assert len(bomb()) < limits.max_body_bytes
    tracemalloc.start()
    try:
        assert fault_of(peer, gzip_bomb, limits) is PeerFault.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_compressed_page_is_its_bytes(peer: BadPeer, root: RemoteRoot) -> None:
    peer.script = [say(gzip.compress(b'{"objects":[{"a": 1.0}]}'), Content_Encoding="gzip")]
    assert root.page(ALIAS, limit=5).bodies == (b'{"a": 1.0}',)


@pytest.mark.parametrize("size", [99_986, 99_987])
@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_body_may_be_as_large_as_its_bound_and_no_larger(peer: BadPeer, size: int, is_compressed: bool) -> None:
    body = b'{"more":false' + b" " * size + b"}"
    peer.script = [say(gzip.compress(body), Content_Encoding="gzip") if is_compressed else say(body)]
    with RemoteRoot(Access(peer.url), limits=ONCE) as root:
        if len(body) <= ONCE.max_body_bytes:
            assert root.page(ALIAS, limit=5).bodies == ()
            return
        with pytest.raises(PeerError) as error:
            root.page(ALIAS, limit=5)
    assert error.value.fault is PeerFault.TOO_LARGE


def test_an_endless_body_stops_at_the_bound(peer: BadPeer) -> None:
    assert fault_of(peer, endless) is PeerFault.TOO_LARGE


def test_a_page_of_more_objects_than_fit_is_too_large(peer: BadPeer) -> None:
    assert fault_of(peer, say(b'{"objects":[' + b",".join([b"{}"] * 11) + b"]}")) is PeerFault.TOO_LARGE


def test_a_page_of_very_many_values_is_too_large(peer: BadPeer) -> None:
    limits = replace(ONCE, max_body_bytes=10_000_000)
    assert fault_of(peer, say(b'{"objects":[[' + b"0," * 2_000_000 + b"0]]}"), limits) is PeerFault.TOO_LARGE


def test_nesting_without_end_is_malformed(peer: BadPeer) -> None:
    assert fault_of(peer, nest(10_000)) is PeerFault.MALFORMED


def test_a_refusal_that_nests_without_end_is_a_refusal(peer: BadPeer) -> None:
    def refuse(exchange: Exchange) -> None:
        exchange.send(403, b"[" * 60_000)

    assert fault_of(peer, refuse) is PeerFault.REFUSED


@pytest.mark.parametrize("answering", [drip, say_nothing])
def test_the_deadline_ends_what_drips_or_is_silent(peer: BadPeer, answering: Answering) -> None:
    began = time.monotonic()
    assert fault_of(peer, answering, replace(QUICK, deadline_s=1.0)) is PeerFault.TIMEOUT
    assert time.monotonic() - began < 20
    assert len(peer.requests) == 1


def test_silence_ends_at_the_timeout_of_reads_and_is_asked_again(peer: BadPeer) -> None:
    assert fault_of(peer, say_nothing, replace(QUICK, read_s=0.3, attempts=2)) is PeerFault.TIMEOUT
    assert len(peer.requests) == 2


@pytest.mark.parametrize(
    "content_type",
    [
        "", "application/json", "text/html", "application/taxii+json;version=2.0", "application/taxii+jsonx",
        "application/vnd.oasis.taxii+json; version=2.0", "application/stix+json;version=2.1",
    ],
)  # fmt: skip
def test_another_media_type_is_malformed(peer: BadPeer, content_type: str) -> None:
    peer.dials.content_type = content_type
    assert fault_of(peer, say(b"{}")) is PeerFault.MALFORMED


@pytest.mark.parametrize(
    "content_type",
    [
        "application/taxii+json",
        "Application/TAXII+JSON; version=2.1",
        'application/taxii+json;version="2.1";charset=utf-8',
    ],
)
def test_every_way_to_write_the_media_type_is_read(peer: BadPeer, root: RemoteRoot, content_type: str) -> None:
    peer.dials.content_type = content_type
    assert root.page(ALIAS, limit=1).bodies == ()


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_a_coding_that_was_not_asked_for_is_malformed(peer: BadPeer, coding: str) -> None:
    assert fault_of(peer, say(b"{}", Content_Encoding=coding)) is PeerFault.MALFORMED


def test_what_is_no_gzip_is_malformed(peer: BadPeer) -> None:
    assert fault_of(peer, say(b"{}", Content_Encoding="gzip")) is PeerFault.MALFORMED
    assert fault_of(peer, say(gzip.compress(b"{}") + b"x", Content_Encoding="gzip")) is PeerFault.MALFORMED


def test_a_peer_that_is_not_there_is_unreachable(allowed: None) -> None:
    with RemoteRoot(Access("http://127.0.0.1:9/peer/"), limits=ONCE) as root, pytest.raises(PeerError) as error:
        root.describe()
    assert error.value.fault is PeerFault.UNREACHABLE
    assert error.value.is_transient
