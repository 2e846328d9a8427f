"""The feed: bounded, patient with a node that stumbles, and soon done with one that is broken or hostile."""

import json
import logging
import time
from collections.abc import Iterator

import pytest

from exchange.labtool.address import parse_node_address
from exchange.labtool.errors import RefusedError, UnreachableError, UsageError
from exchange.labtool.feed import MAX_STILL_PAGES, Feed, FeedError
from exchange.labtool.transport import BoundedSession, Limits, OversizeError, pause_s
from exchange.stix.limits import MAX_OBJECTS_PER_ENVELOPE
from tests.unit.labtool.material import Party
from tests.unit.labtool.small_node import TAXII, TOKEN, Answer, SmallNode, gzipped

LIMITS = Limits(timeout_s=2.0, response_bytes=100_000, response_s=3.0, attempts=3)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def feed(node: SmallNode, pauses: list[float]) -> Iterator[Feed]:
    session = BoundedSession(token=TOKEN, limits=LIMITS, is_loopback=True, sleep=pauses.append)
    with Feed(parse_node_address(node.url), session) as opened:
        yield opened


def objects_of(feed: Feed, **options: int) -> list[bytes]:
    return [raw for page in feed.pages("signatures", page_objects=options.get("page", 1000)) for raw in page.objects]


def test_objects_come_as_the_bytes_that_were_sent(node: SmallNode, feed: Feed) -> None:
    raws = [b'{"id": "a--1",  "n": 1.0}', b'{"id":"b--2","\\u00e9":"\xc3\xa9"}', b"[1, 2]"]
    node.add("signatures", *raws)

    assert objects_of(feed, page=2) == raws


def test_collections_are_found_from_discovery(feed: Feed) -> None:
    assert set(feed.collections()) == {"signatures", "attribution", "identities", "feedback"}


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_node_that_says_later_is_asked_again(node: SmallNode, feed: Feed, pauses: list[float], status: int) -> None:
    node.add("signatures", b"{}")
    node.answers[node.objects_path("signatures")] = Answer(status, headers={"Retry-After": "7"}, times=2)

    assert objects_of(feed) == [b"{}"]
    assert pauses == [7.0, 7.0]


def test_an_answer_that_breaks_off_is_asked_for_again(node: SmallNode, feed: Feed, pauses: list[float]) -> None:
    node.add("signatures", b'{"id": 1}')
    whole = b'{"more": false, "objects": [{"id": 2}]}'
    node.answers[node.objects_path("signatures")] = Answer(body=whole, cut_after_bytes=20, times=1)

    assert objects_of(feed) == [b'{"id": 1}']
    assert len(pauses) == 1


def test_a_node_that_keeps_failing_is_given_up(node: SmallNode, feed: Feed, pauses: list[float]) -> None:
    node.answers[node.objects_path("signatures")] = Answer(503)

    with pytest.raises(RefusedError, match="503"):
        objects_of(feed)
    assert len(pauses) == LIMITS.attempts - 1


def test_a_pause_is_what_the_node_asks_for_within_reason() -> None:
    assert pause_s(1, "3") == 3.0
    assert pause_s(1, "99999999") == 30.0
    assert pause_s(1, "Wed, 21 Oct 2026 07:28:00 GMT") <= 0.5
    assert pause_s(30, None) <= 30.0


def test_a_node_that_is_not_there_is_one_line(pauses: list[float]) -> None:
    session = BoundedSession(token=TOKEN, limits=LIMITS, is_loopback=True, sleep=pauses.append)
    with (
        Feed(parse_node_address("http://127.0.0.1:9"), session) as feed,
        pytest.raises(UnreachableError, match="cannot be reached") as caught,
    ):
        feed.collections()
    assert "\n" not in str(caught.value)


def test_a_node_without_a_trusted_certificate_is_refused_at_once(node: SmallNode, pauses: list[float]) -> None:
    session = BoundedSession(token=TOKEN, limits=LIMITS, is_loopback=True, sleep=pauses.append)
    with (
        Feed(parse_node_address(node.url.replace("http", "https")), session) as feed,
        pytest.raises(UnreachableError, match="TLS"),
    ):
        feed.collections()
    assert pauses == []


def test_too_large_an_answer_is_dropped_while_reading(node: SmallNode, feed: Feed) -> None:
    node.answers[node.objects_path("signatures")] = Answer(body=b" " * 200_000 + b"{}")

    with pytest.raises(OversizeError):
        objects_of(feed)


def test_a_page_that_is_too_large_is_asked_for_again_in_smaller_parts(node: SmallNode, feed: Feed) -> None:
    raws = [b'{"id": %d, "x": "%s"}' % (number, b"x" * 30_000) for number in range(10)]
    node.add("signatures", *raws)

    assert objects_of(feed, page=8) == raws
    limits = [int(request.query["limit"][0]) for request in node.requests if "limit" in request.query]
    assert limits == [8, 4, 2, 2, 2, 2, 2]


def test_one_object_that_is_too_large_ends_the_asking(node: SmallNode, feed: Feed) -> None:
    node.add("signatures", b'{"x": "%s"}' % (b"x" * 200_000))

    with pytest.raises(OversizeError):
        objects_of(feed, page=8)
    assert node.paths().count(node.objects_path("signatures")) == 4


def test_a_page_of_too_many_objects_is_asked_for_again_in_smaller_parts(node: SmallNode, feed: Feed) -> None:
    many = b'{"objects":[' + b",".join([b"{}"] * (MAX_OBJECTS_PER_ENVELOPE + 1)) + b"]}"
    node.answers[node.objects_path("signatures")] = Answer(body=many, times=1)
    node.add("signatures", b"{}")

    assert objects_of(feed, page=20_000) == [b"{}"]


def test_a_compression_bomb_is_dropped_while_unpacking(node: SmallNode, feed: Feed) -> None:
    node.answers[node.objects_path("signatures")] = gzipped(b" " * 50_000_000 + b"{}")

    started = time.monotonic()
    with pytest.raises(OversizeError):
        objects_of(feed)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'{"objects": 5}',
        b'{"objects": {}}',
        b'{"more": "yes", "objects": [{}]}',
        b'{"more": true, "next": 5, "objects": [{}]}',
        b'{"more": true, "objects": [{}]}',
        b'{"objects": [{}], "objects": [{}]}',
        b"[" * 100_000,
        b'{"objects": [' + b"[" * 20_000 + b"]" * 20_000 + b"]}",
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"objects": [{}]}\xff',
        b'{"more": true, "next": "' + b"x" * 5000 + b'", "objects": [{}]}',
    ],
)
def test_a_broken_envelope_is_one_line(node: SmallNode, feed: Feed, body: bytes) -> None:
    node.answers[node.objects_path("signatures")] = Answer(body=body)

    with pytest.raises(FeedError) as caught:
        objects_of(feed)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["/taxii2/", "/exchange/collections/"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"5",
        b"{}",
        b'{"collections": 5}',
        b'{"collections": [{}]}',
        b'{"collections": [{"id": "../../x", "title": "x", "can_read": true, "can_write": true}]}',
        b'{"collections": [{"id": 5, "title": "x", "can_read": true, "can_write": true}]}',
        b'{"title": "x", "api_roots": 5}',
        b'{"title": "x", "api_roots": [5]}',
        b'{"title": "x", "api_roots": ["http://[::1"]}',
        b"[" * 100_000,
    ],
)
def test_broken_discovery_is_one_line(node: SmallNode, feed: Feed, path: str, body: bytes) -> None:
    node.answers[path] = Answer(body=body)

    with pytest.raises((FeedError, RefusedError)) as caught:
        objects_of(feed)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "application/taxii+json;version=2.0", ""])
def test_another_media_type_is_no_taxii(node: SmallNode, feed: Feed, content_type: str) -> None:
    node.answers["/taxii2/"] = Answer(headers={"Content-Type": content_type})

    with pytest.raises(FeedError, match="not TAXII"):
        objects_of(feed)


def test_more_with_the_same_next_for_ever_ends(node: SmallNode, feed: Feed) -> None:
    node.answers[node.objects_path("signatures")] = Answer(body=b'{"more": true, "next": "again", "objects": [{}]}')

    with pytest.raises(FeedError, match="does not move on"):
        objects_of(feed)
    assert node.paths().count(node.objects_path("signatures")) == 2


def test_more_with_the_same_date_for_ever_ends(node: SmallNode, feed: Feed) -> None:
    date = {"X-TAXII-Date-Added-Last": "2026-11-01T00:00:00.000001Z"}
    node.answers[node.objects_path("signatures")] = Answer(body=b'{"more": true, "objects": [{}]}', headers=date)

    with pytest.raises(FeedError, match="does not move on"):
        objects_of(feed)
    assert node.paths().count(node.objects_path("signatures")) == 2


def test_empty_pages_with_more_end(node: SmallNode, feed: Feed) -> None:
    path = node.objects_path("signatures")
    numbers = iter(range(10_000))

    class Counting(Answer):
        """A new `next` each time."""

        @property
        def body(self) -> bytes:
            return json.dumps({"more": True, "next": str(next(numbers))}).encode()

        @body.setter
        def body(self, value: bytes) -> None:
            """Ignore what the dataclass sets."""

    node.answers[path] = Counting()

    with pytest.raises(FeedError, match="does not move on"):
        objects_of(feed)
    assert node.paths().count(path) <= MAX_STILL_PAGES + 1


def test_a_bad_date_header_is_not_believed(node: SmallNode, feed: Feed) -> None:
    node.answers[node.objects_path("signatures")] = Answer(
        body=b'{"objects": [{}]}', headers={"X-TAXII-Date-Added-Last": "../../yesterday"}
    )

    assert [page.date_added_last for page in feed.pages("signatures")] == [None]


def test_the_token_goes_to_no_other_host(node: SmallNode, feed: Feed) -> None:
    with SmallNode() as other:
        roots = {"title": "x", "api_roots": [f"{other.url}/exchange/"], "default": f"{other.url}/exchange/"}
        node.answers["/taxii2/"] = Answer(body=json.dumps(roots).encode())
        with pytest.raises(RefusedError, match="no collection"):
            objects_of(feed)
        assert other.requests == []


def test_a_redirect_is_neither_followed_nor_tried_again(node: SmallNode, feed: Feed, pauses: list[float]) -> None:
    with SmallNode() as other:
        node.answers["/taxii2/"] = Answer(302, headers={"Location": f"{other.url}/taxii2/", "Content-Type": TAXII})
        with pytest.raises(UnreachableError, match="follow no redirect"):
            objects_of(feed)
        assert other.requests == []
    assert pauses == []


def test_a_refused_token_is_told_without_the_token(
    node: SmallNode, feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    node.answers["/taxii2/"] = Answer(401, b'{"title": "Unauthorized \\u001b[2J"}')

    with pytest.raises(RefusedError) as caught:
        objects_of(feed)
    assert caught.value.status == 401
    assert "\x1b" not in str(caught.value)
    assert TOKEN not in str(caught.value) + caplog.text + repr(feed.__dict__)


def test_a_loopback_node_is_reached_without_the_proxy(
    node: SmallNode, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    node.add("signatures", b"{}")

    assert objects_of(feed) == [b"{}"]


@pytest.mark.parametrize(
    "address",
    [
        "http://exchange.example",
        "http://10.0.0.1:8000",
        "ftp://localhost",
        "localhost:8000",
        "https://",
        "https://user:secret@exchange.example",
        "https://exchange.example/path",
        "https://exchange.example:99999",
        "http://localhost.exchange.example",
        "",
    ],
)
def test_addresses_that_are_refused(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_node_address(address)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Exchange.example/", "https://exchange.example"),
        ("https://exchange.example:443", "https://exchange.example"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.2:8000/", "http://127.0.0.2:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_addresses_that_are_taken(address: str, origin: str) -> None:
    assert parse_node_address(address).origin == origin


def test_identities_are_asked_for_in_all_versions(node: SmallNode, feed: Feed, aurora: Party) -> None:
    node.add("identities", aurora.identity)

    list(feed.pages("identities", all_versions=True, added_after="2026-01-01T00:00:00Z"))

    assert node.requests[-1].query["match[version]"] == ["all"]
    assert node.requests[-1].query["added_after"] == ["2026-01-01T00:00:00Z"]


def test_a_collection_that_we_may_not_read_is_a_refusal(node: SmallNode, feed: Feed) -> None:
    listed = {"id": node.collection_ids["signatures"], "title": "x", "can_read": False, "can_write": True}
    node.answers["/exchange/collections/"] = Answer(body=json.dumps({"collections": [listed]}).encode())

    with pytest.raises(RefusedError, match="does not let us read"):
        list(feed.pages(str(listed["id"])))
