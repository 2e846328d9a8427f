"""Two nodes of our own: what the transport asks of a real commonwatch web process, over HTTP and over TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.services.outbound import allow_host
from exchange.services.principals import OPERATOR
from exchange.sync.peers import (
    Access,
    BasicCredentials,
    BearerCredentials,
    NoCredentials,
    OwnAuthorities,
    PeerError,
    PeerFault,
    RemoteRoot,
)
from exchange.taxii.posting import MAX_OBJECTS_AT_ONCE
from tests.integration.taxii.tls import TlsServer
from tests.support.database import TestServices
from tests.support.labs import Community, LabHandle

COLLECTION = "signatures"


@pytest.fixture
def root_url(exchange_server: tuple[str, Community]) -> str:
    allow_host(actor=OPERATOR, host="localhost")
    return f"{exchange_server[0]}/exchange/"


@pytest.fixture
def aurora(exchange_server: tuple[str, Community]) -> LabHandle:
    return exchange_server[1].aurora


@pytest.fixture
def publisher(root_url: str, aurora: LabHandle) -> Iterator[RemoteRoot]:
    with RemoteRoot(Access(root_url, BearerCredentials(aurora.token))) as root:
        yield root


@pytest.fixture
def reader(root_url: str, exchange_server: tuple[str, Community]) -> Iterator[RemoteRoot]:
    with RemoteRoot(Access(root_url, BasicCredentials("borealis", exchange_server[1].borealis.token))) as root:
        yield root


def envelope_of(bodies: list[bytes]) -> bytes:
    return b'{"objects":[' + b",".join(bodies) + b"]}"


def test_a_node_describes_itself_to_a_node(reader: RemoteRoot) -> None:
    assert reader.describe().max_content_length
    listed = {each.alias: each for each in reader.collections()}
    assert listed[COLLECTION].can_read
    assert listed[COLLECTION].media_types == ("application/stix+json;version=2.1",)


def test_what_one_posts_another_pages_byte_for_byte(
    publisher: RemoteRoot, reader: RemoteRoot, aurora: LabHandle
) -> None:
    before = reader.page(COLLECTION, limit=1000, version="all")
    bodies = [aurora.signed(aurora.indicator(description=f"é {number} \u2028")) for number in range(7)]
    status = publisher.post(COLLECTION, envelope_of(bodies))
    assert (status.is_complete, status.success_count, status.failure_count) == (True, 7, 0)
    assert publisher.status(status.id) == status
    found: list[bytes] = []
    following = ""
    while True:
        page = reader.page(COLLECTION, added_after=before.last, next=following, limit=3, version="all")
        found += page.bodies
        following = page.next
        assert page.first <= page.last
        if not page.more:
            break
    assert found == bodies
    manifest = reader.manifest(COLLECTION, added_after=before.last, limit=3, version="all")
    assert [each.id for each in manifest.records] == [json.loads(body)["id"] for body in bodies[:3]]
    assert (manifest.more, manifest.first) == (True, manifest.records[0].date_added)
    assert manifest.records[0].media_type == "application/stix+json;version=2.1"


def test_the_same_envelope_twice_is_a_success(publisher: RemoteRoot, aurora: LabHandle) -> None:
    envelope = envelope_of([aurora.signed(aurora.indicator())])
    assert publisher.post(COLLECTION, envelope).success_count == 1
    assert publisher.post(COLLECTION, envelope).success_count == 1


def test_what_a_node_does_not_take_is_told_object_by_object(publisher: RemoteRoot, aurora: LabHandle) -> None:
    good, bad = aurora.signed(aurora.indicator()), aurora.signed(aurora.indicator(label=None))
    status = publisher.post(COLLECTION, envelope_of([good, bad]))
    assert (status.success_count, status.failure_count) == (1, 1)
    assert [each.id for each in status.failure] == [json.loads(bad)["id"]]
    assert status.failure[0].message


def test_a_large_envelope_is_pending(publisher: RemoteRoot, aurora: LabHandle) -> None:
    body = aurora.signed(aurora.indicator())
    status = publisher.post(COLLECTION, envelope_of([body] * (MAX_OBJECTS_AT_ONCE + 1)))
    assert (status.status, status.pending_count) == ("pending", MAX_OBJECTS_AT_ONCE + 1)


def test_an_object_is_deleted_at_the_peer(publisher: RemoteRoot, reader: RemoteRoot, aurora: LabHandle) -> None:
    members = aurora.indicator()
    publisher.post(COLLECTION, envelope_of([aurora.signed(members)]))
    publisher.delete(COLLECTION, members["id"])
    assert members["id"] not in {json.loads(body)["id"] for body in reader.page(COLLECTION, limit=1000).bodies}
    with pytest.raises(PeerError) as error:
        publisher.delete(COLLECTION, members["id"])
    assert error.value.fault is PeerFault.NOT_FOUND


def test_an_envelope_beyond_what_the_node_takes_is_too_large(publisher: RemoteRoot) -> None:
    """The node refuses by the length that is announced, while the body is still on its way."""
    most = publisher.describe().max_content_length
    assert most is not None
    with pytest.raises(PeerError) as error:
        publisher.post(COLLECTION, b'{"objects":[' + b" " * most + b"]}")
    assert (error.value.fault, error.value.status) == (PeerFault.TOO_LARGE, 413)


@pytest.mark.parametrize("credentials", [NoCredentials(), BearerCredentials("nobody"), BasicCredentials("a", "b")])
def test_a_stranger_is_refused(root_url: str, credentials: BearerCredentials) -> None:
    with RemoteRoot(Access(root_url, credentials)) as root, pytest.raises(PeerError) as error:
        root.page(COLLECTION, limit=1)
    assert (error.value.fault, error.value.status) == (PeerFault.REFUSED, 401)


def test_a_node_behind_tls_is_read_with_its_own_authority(
    root_url: str, services: TestServices, aurora: LabHandle, tmp_path: Path
) -> None:
    server = TlsServer(services, tmp_path)
    server.start()
    try:
        trust = OwnAuthorities(server.certificate.read_text())
        access = Access(f"{server.url}/exchange/", BearerCredentials(aurora.token), trust)
        with RemoteRoot(access) as root:
            assert root.page(COLLECTION, limit=10).bodies
        with RemoteRoot(Access(access.url, access.credentials)) as root, pytest.raises(PeerError) as error:
            root.page(COLLECTION, limit=10)
        assert error.value.fault is PeerFault.TLS
    finally:
        server.stop()
