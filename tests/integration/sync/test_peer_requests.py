"""What this node asks of a peer that speaks TAXII, and what it makes of the answers."""

from __future__ import annotations

import json

import pytest

from exchange.services.errors import InvalidRequestError
from exchange.sync.peers import PeerError, PeerFault, RemoteCollectionInfo, RemoteRoot, StatusDetail
from tests.support.bad_peer import ALIAS, COLLECTION, STATUS, TAXII, BadPeer
from tests.support.misbehaving import say


def faulty(error: pytest.ExceptionInfo[PeerError]) -> PeerFault:
    return error.value.fault


def test_a_root_and_its_collections_are_described(root: RemoteRoot) -> None:
    described = root.describe()
    assert (described.title, described.versions, described.max_content_length) == ("A peer", (TAXII,), 10_000_000)
    assert root.collections() == [
        RemoteCollectionInfo(COLLECTION, "All", ALIAS, True, True, ("application/stix+json",)),
    ]


def test_what_a_peer_leaves_out_without_need_is_not_missed(root: RemoteRoot, peer: BadPeer) -> None:
    peer.dials.root = {"versions": [TAXII]}
    peer.dials.collections = {}
    assert root.describe().max_content_length is None
    assert root.collections() == []


@pytest.mark.parametrize("name", [COLLECTION, ALIAS])
def test_pages_hold_the_bytes_of_each_object_as_sent(root: RemoteRoot, peer: BadPeer, name: str) -> None:
    bodies = peer.add(5)
    first = root.page(name, limit=2)
    assert first.bodies == tuple(bodies[:2])
    assert (first.more, first.next) == (True, "2")
    assert (first.first, first.last) == (peer.objects[0][0], peer.objects[1][0])
    last = root.page(name, next="4", limit=2)
    assert (last.bodies, last.more, last.next) == ((bodies[4],), False, "")


def test_the_filters_are_sent_as_they_are(root: RemoteRoot, peer: BadPeer) -> None:
    root.page(ALIAS, added_after="2026-01-01T00:00:00.000001Z", limit=7)
    root.page(ALIAS, next="", limit=1, version="all")
    assert [asked.query for asked in peer.requests] == [
        {"added_after": "2026-01-01T00:00:00.000001Z", "limit": "7"},
        {"limit": "1", "match[version]": "all"},
    ]
    assert peer.requests[0].headers["accept"] == TAXII
    assert peer.requests[0].headers["accept-encoding"] == "gzip"


def test_a_next_of_any_characters_comes_back_as_it_was(root: RemoteRoot, peer: BadPeer) -> None:
    token = "é&=+ %2F#" + "x" * 3_000
    peer.script = [say(b'{"more":true,"next":"%s"}' % token.encode())]
    page = root.page(ALIAS, limit=1)
    assert page.next == token
    peer.script = [say(b"{}")]
    root.page(ALIAS, limit=1, next=page.next)
    assert peer.requests[-1].query["next"] == token


def test_an_empty_page_has_no_dates(root: RemoteRoot) -> None:
    page = root.page(ALIAS, limit=10)
    assert (page.bodies, page.more, page.first, page.last) == ((), False, "", "")


def test_more_without_next_is_told(root: RemoteRoot, peer: BadPeer) -> None:
    peer.dials.gives_next = False
    peer.add(3)
    page = root.page(ALIAS, limit=2)
    assert (page.more, page.next) == (True, "")


def test_dates_that_are_no_timestamps_are_none(root: RemoteRoot, peer: BadPeer) -> None:
    dates = {"X_TAXII_Date_Added_First": "x" * 99, "X_TAXII_Date_Added_Last": "Thu, 01 Jan 2026 00:00:00 GMT"}
    peer.script = [say(b"{}", **dates)]
    page = root.page(ALIAS, limit=2)
    assert (page.first, page.last) == ("", "")


def test_one_request_is_made_for_a_page_and_no_more(root: RemoteRoot, peer: BadPeer) -> None:
    peer.dials.forever = peer.dials.repeats = True
    peer.add(3)
    root.page(ALIAS, limit=2)
    assert len(peer.requests) == 1


def test_requests_share_a_connection(root: RemoteRoot, peer: BadPeer) -> None:
    for _ in range(5):
        root.page(ALIAS, limit=2)
    assert (len(peer.requests), peer.connections) == (5, 1)


def test_an_envelope_is_posted_as_it_is_and_its_status_read(root: RemoteRoot, peer: BadPeer) -> None:
    (body,) = peer.add(1)
    envelope = b'{"objects": [' + body + b"]}"
    status = root.post(ALIAS, envelope)
    assert peer.posted == [envelope]
    assert peer.requests[0].headers["content-type"] == TAXII
    assert (status.id, status.is_complete, status.total_count, status.success_count) == (STATUS, True, 1, 1)
    assert [each.version for each in status.success] == ["2026-01-01T00:00:00.000Z"]
    assert root.status(status.id) == status


def test_a_status_tells_what_failed_even_if_its_counts_and_lists_differ(root: RemoteRoot, peer: BadPeer) -> None:
    peer.script = [
        say(
            b'{"id":"%s","status":"pending","total_count":9,"success_count":5,"failure_count":2,"pending_count":2,'
            b'"failures":[{"id":"indicator--1","message":"bad\\u001b[31m %s"}]}' % (STATUS.encode(), b"x" * 900)
        )
    ]
    status = root.status(STATUS)
    assert (status.is_complete, status.success, status.success_count) == (False, (), 5)
    assert status.failure == (StatusDetail("indicator--1", "", status.failure[0].message),)
    assert status.failure[0].message.isprintable()
    assert len(status.failure[0].message) == 500


def test_an_object_is_deleted_or_one_version_of_it(root: RemoteRoot, peer: BadPeer) -> None:
    root.delete(COLLECTION, "indicator--1")
    root.delete(COLLECTION, "indicator--1", "2026-01-01T00:00:00.000Z")
    assert peer.deleted == [("indicator--1", ""), ("indicator--1", "2026-01-01T00:00:00.000Z")]


def test_a_deletion_needs_no_media_type(root: RemoteRoot, peer: BadPeer) -> None:
    peer.dials.content_type = ""
    root.delete(COLLECTION, "indicator--1")
    assert len(peer.deleted) == 1


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a?b", "a\nb", "x" * 251])
def test_a_name_that_would_be_another_path_is_not_asked_for(root: RemoteRoot, peer: BadPeer, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        root.page(name, limit=1)
    with pytest.raises(InvalidRequestError):
        root.status(name)
    with pytest.raises(InvalidRequestError):
        root.delete(COLLECTION, name)
    assert not peer.requests


def test_an_alias_of_any_letters_is_one_segment(root: RemoteRoot, peer: BadPeer) -> None:
    with pytest.raises(PeerError) as error:
        root.page("Signaturen für alle", limit=1)
    assert faulty(error) is PeerFault.NOT_FOUND
    assert peer.requests[0].path == "/peer/collections/Signaturen%20f%C3%BCr%20alle/objects/"


def test_a_page_has_room_for_an_object(root: RemoteRoot) -> None:
    with pytest.raises(InvalidRequestError):
        root.page(ALIAS, limit=0)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"x"', b'{"more":1}', b'{"more":true,"next":7}', b'{"objects":{}}',
        b'{"more":true,"more":true}',
        b'{"objects":[{"a":1}', b'{"next":"' + b"x" * 5_000 + b'"}', b'\xef\xbb\xbf{}', b'{"next":"\xff"}', b"{} {}",
    ],
)  # fmt: skip
def test_a_page_that_is_no_envelope_is_malformed(root: RemoteRoot, peer: BadPeer, body: bytes) -> None:
    peer.script = [say(body)]
    with pytest.raises(PeerError) as error:
        root.page(ALIAS, limit=1)
    assert faulty(error) is PeerFault.MALFORMED
    assert len(peer.requests) == 1


def test_a_name_twice_inside_an_object_spoils_no_page(root: RemoteRoot, peer: BadPeer) -> None:
    """It is refused where the object is read: a peer's one bad object must not hold up all that follow."""
    peer.script = [say(b'{"objects":[{"a":1,"a":2},{"b":1}]}')]
    assert root.page(ALIAS, limit=5).bodies == (b'{"a":1,"a":2}', b'{"b":1}')


@pytest.mark.parametrize(
    "resource",
    [
        b"{}", b"[]", b'{"id":"x","status":"complete"}', b'{"id":"../../x","status":"complete"}',
        b'{"id":"%s","status":"done"}', b'{"id":"%s","status":"complete","total_count":-1}',
        b'{"id":"%s","status":"complete","successes":[1]}', b'{"id":"%s","status":"complete","success_count":true}',
        b'{"id":"%s","status":"complete","status":"complete"}',
        b'{"id":"%s","status":"complete","failures":[{"id":7}]}',
    ],
)  # fmt: skip
def test_a_status_that_is_none_is_malformed(root: RemoteRoot, peer: BadPeer, resource: bytes) -> None:
    peer.script = [say(resource.replace(b"%s", STATUS.encode()))]
    with pytest.raises(PeerError) as error:
        root.status(STATUS)
    assert faulty(error) is PeerFault.MALFORMED


@pytest.mark.parametrize(
    "collection",
    [
        {}, {"id": 7}, {"id": "../x", "title": "x", "can_read": True, "can_write": True},
        {"id": "x", "title": "x", "can_read": "yes", "can_write": True}, "x",
        {"id": "x", "title": ["x"], "can_read": True, "can_write": True},
    ],
)  # fmt: skip
def test_a_collection_that_is_none_is_malformed(root: RemoteRoot, peer: BadPeer, collection: object) -> None:
    peer.dials.collections = {"collections": [collection]}
    with pytest.raises(PeerError) as error:
        root.collections()
    assert faulty(error) is PeerFault.MALFORMED


def test_an_alias_that_is_no_segment_is_none(root: RemoteRoot, peer: BadPeer) -> None:
    peer.dials.collections["collections"][0]["alias"] = "a/../../b"
    assert root.collections()[0].alias == ""


@pytest.mark.parametrize("record", [{}, {"id": ""}, {"id": 7}, {"id": "x", "version": None}, [], "x"])
def test_a_manifest_that_is_none_is_malformed(root: RemoteRoot, peer: BadPeer, record: object) -> None:
    peer.script = [say(json.dumps({"objects": [record]}).encode())]
    with pytest.raises(PeerError) as error:
        root.manifest(ALIAS, limit=1)
    assert faulty(error) is PeerFault.MALFORMED


def test_a_status_is_asked_for_in_the_letters_of_the_peer(root: RemoteRoot, peer: BadPeer) -> None:
    peer.script = [say(b'{"id":"%s","status":"pending"}' % STATUS.upper().encode())]
    assert root.post(ALIAS, b'{"objects":[]}').id == STATUS.upper()
