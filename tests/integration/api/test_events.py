"""Event streams of a real web process: what comes, to whom, after which event, and when a stream ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from exchange.models import Collection, Delivery, Lab, Token
from exchange.services.clock import now
from exchange.services.collections import grant_access
from exchange.services.deletion import delete_object
from exchange.services.labs import suspend_lab
from exchange.services.principals import OPERATOR
from exchange.stix.extensions import check_extensions
from exchange.stix.fixed import WITHDRAWAL_EXTENSION
from exchange.stix.markings import Tlp
from tests.integration.services.views import marked, store
from tests.support.database import TestServices
from tests.support.events import TIMEOUT_S, EventReader
from tests.support.labs import Community, LabHandle
from tests.support.server import WebServer

Server = tuple[str, Community]
STREAMS = 3


@contextmanager
def started_web(services: TestServices, log: Path) -> Iterator[WebServer]:
    """A web process with room for streams."""
    server = WebServer(services, log, threads=STREAMS + 3, environment={"EVENT_STREAMS": str(STREAMS)})
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def web(services: TestServices, _migrated: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with started_web(services, tmp_path_factory.mktemp("events") / "web.log") as server:
        yield server


@pytest.fixture
def events_server(web: WebServer, community: Community) -> Server:
    return web.url, community


def test_new_objects_come_as_they_are_published_and_old_ones_do_not(events_server: Server) -> None:
    url, community = events_server
    aurora, borealis, _ = community.labs
    old, new = aurora.indicator(), aurora.indicator()
    store(aurora, old)
    with EventReader(url, borealis.token) as reader:
        assert reader.response.headers["Content-Type"] == "text/event-stream"
        assert reader.response.headers["X-Accel-Buffering"] == "no"
        assert "no-store" in reader.response.headers["Cache-Control"]
        body = aurora.signed(new)
        aurora.publish(body)
        (event,) = reader.take(1)
    assert event.name == "object"
    assert event.data["object"] == json.loads(body)
    assert event.data["producer"] == "aurora"
    assert event.data["collection"] == "signatures"


def test_a_client_goes_on_after_the_event_that_it_saw_last(events_server: Server) -> None:
    url, community = events_server
    aurora, borealis, _ = community.labs
    first, second, third = (aurora.indicator() for _ in range(3))
    with EventReader(url, borealis.token) as reader:
        store(aurora, first)
        seen = reader.take(1)
        last_id = reader.last_id
    store(aurora, second, third)
    with EventReader(url, borealis.token, last_id=last_id) as reader:
        seen += reader.take(2)
    assert [each.data["object"]["id"] for each in seen] == [each["id"] for each in (first, second, third)]
    with EventReader(url, borealis.token, query=f"last_event_id={last_id}") as reader:
        assert [each.data["object"]["id"] for each in reader.take(2)] == [second["id"], third["id"]]


def test_a_client_that_saw_nothing_yet_misses_nothing_when_it_comes_back(events_server: Server) -> None:
    url, community = events_server
    aurora, borealis, _ = community.labs
    headers = {"Authorization": f"Bearer {borealis.token}"}
    with requests.get(f"{url}/api/v1/events/", headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        lines = response.iter_lines(chunk_size=1)
        begin = [next(lines).decode() for _ in range(2)]
    assert begin[0].startswith("retry: ")
    last_id = begin[1].removeprefix("id: ")
    members = aurora.indicator()
    store(aurora, members)
    with EventReader(url, borealis.token, last_id=last_id) as reader:
        assert reader.take(1)[0].data["object"]["id"] == members["id"]


def test_an_event_id_is_a_cursor_of_the_list(events_server: Server) -> None:
    url, community = events_server
    aurora, borealis, _ = community.labs
    with EventReader(url, borealis.token, query="type=indicator") as reader:
        store(aurora, *(aurora.indicator() for _ in range(3)))
        first = reader.take(1)[0]
    response = requests.get(
        f"{url}/api/v1/objects/",
        params={"type": "indicator", "cursor": first.id},
        headers={"Authorization": f"Bearer {borealis.token}"},
        timeout=TIMEOUT_S,
    )
    assert len(response.json()["objects"]) == 2


def test_filters_hold_and_added_after_begins_in_the_past(events_server: Server) -> None:
    url, community = events_server
    aurora, borealis, _ = community.labs
    members = [aurora.indicator() for _ in range(3)]
    store(aurora, aurora.address("198.51.100.9"), *members)
    query = "collection=signatures&type=indicator&added_after=2020-01-01T00:00:00Z"
    with EventReader(url, borealis.token, query=query) as reader:
        assert [each.data["object"]["id"] for each in reader.take(3)] == [each["id"] for each in members]


def test_each_reader_gets_what_it_may_read_and_withdrawals_come_too(events_server: Server) -> None:
    url, community = events_server
    aurora, borealis, cobalt = community.labs
    marking = aurora.distribution(borealis.identity)
    store(aurora, marking)
    secret, public = marked(aurora, Tlp.AMBER, marking), aurora.indicator()
    with EventReader(url, borealis.token) as theirs, EventReader(url, cobalt.token) as others:
        store(aurora, secret, public)
        assert [each.data["object"]["id"] for each in theirs.take(2)] == [secret["id"], public["id"]]
        assert [each.data["object"]["id"] for each in others.take(1)] == [public["id"]]
        delete_object(principal=aurora.principal, stix_id=public["id"])
        note = others.take(1)[0].data["object"]
    extension: Any = check_extensions(note)[WITHDRAWAL_EXTENSION]
    assert extension.object == public["id"]


def test_what_a_stream_delivers_stands_in_the_delivery_log(events_server: Server) -> None:
    url, community = events_server
    aurora, borealis, _ = community.labs
    with EventReader(url, borealis.token) as reader:
        store(aurora, aurora.indicator(Tlp.AMBER))
        reader.take(1)
    assert list(Delivery.objects.filter(door="events").values_list("lab_id", flat=True)) == [borealis.lab.pk]


def revoke(community: Community) -> None:
    Token.objects.filter(prefix=community.borealis.principal.token_prefix).update(revoked_at=now())


def suspend(_community: Community) -> None:
    suspend_lab(actor=OPERATOR, slug="borealis")


def take_the_grant(_community: Community) -> None:
    lab, signatures = Lab.objects.get(slug="borealis"), Collection.objects.get(alias="signatures")
    grant_access(actor=OPERATOR, collection=signatures, lab=lab, can_read=False, can_write=False)


@pytest.mark.parametrize(
    ("change", "kind"), [(revoke, "not-authenticated"), (suspend, "not-authenticated"), (take_the_grant, "cursor")]
)
def test_a_stream_ends_when_its_reader_may_not_read_any_more(
    events_server: Server, change: Callable[[Community], None], kind: str
) -> None:
    url, community = events_server
    aurora, borealis, _ = community.labs
    with EventReader(url, borealis.token) as reader:
        change(community)
        store(aurora, aurora.indicator())
        found = list(reader.events())
    assert [each.name for each in found] == ["problem"]
    assert found[0].data["type"] == f"urn:commonwatch:problem:{kind}"


def ask(url: str, token: str, query: str = "", **headers: str) -> requests.Response:
    given = {"Authorization": f"Bearer {token}"} if token else {}
    address = f"{url}/api/v1/events/?{query}"
    return requests.get(address, headers=given | headers, timeout=TIMEOUT_S)


def test_what_is_wrong_is_answered_before_a_stream_begins(events_server: Server) -> None:
    url, community = events_server
    token = community.borealis.token
    assert ask(url, "").status_code == 401
    assert ask(url, token, "collection=nothing").status_code == 404
    for query in ("limit=1", "type=UPPER", "added_after=yesterday", "last_event_id=forged", "type=a&type=b"):
        response = ask(url, token, query)
        assert response.status_code == 400, query
        assert response.headers["Content-Type"] == "application/problem+json"
    assert ask(url, token, **{"Last-Event-ID": "forged"}).status_code == 400
    with EventReader(url, token) as reader:
        theirs = ask(url, community.cobalt.token, f"last_event_id={reader.last_id or 'x'}")
        assert theirs.status_code == 400


def test_the_oldest_stream_of_a_lab_makes_room_for_its_next_one(events_server: Server) -> None:
    url, community = events_server
    token = community.borealis.token
    with EventReader(url, token) as oldest, EventReader(url, token) as other, EventReader(url, token) as newest:
        assert list(oldest.events()) == []
        store(community.aurora, community.aurora.indicator())
        assert len(other.take(1)) == len(newest.take(1)) == 1


def test_where_all_streams_are_taken_others_are_told_to_come_back_and_nothing_else_stops(
    services: TestServices, community: Community, tmp_path: Path
) -> None:
    aurora, borealis, cobalt = community.labs
    with started_web(services, tmp_path / "web.log") as server:
        url = server.url
        check_that_all_streams_can_be_taken(url, aurora, borealis, cobalt)


def check_that_all_streams_can_be_taken(url: str, aurora: LabHandle, borealis: LabHandle, cobalt: LabHandle) -> None:
    with EventReader(url, aurora.token), EventReader(url, borealis.token), EventReader(url, borealis.token):
        refused = ask(url, cobalt.token)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        headers = {"Authorization": f"Bearer {cobalt.token}"}
        assert requests.get(f"{url}/api/v1/whoami/", headers=headers, timeout=TIMEOUT_S).status_code == 200
    status = 503
    while status == 503:
        # The next thing that is sent finds that its client has gone.
        store(aurora, aurora.indicator())
        with EventReader(url, cobalt.token) as reader:
            status = reader.response.status_code
    assert status == 200


def test_head_says_what_get_would_and_opens_no_stream(events_server: Server) -> None:
    url, community = events_server
    headers = {"Authorization": f"Bearer {community.borealis.token}"}
    for _ in range(STREAMS + 1):
        head = requests.head(f"{url}/api/v1/events/", headers=headers, timeout=TIMEOUT_S)
        assert head.status_code == 200
        assert head.headers["Content-Type"] == "text/event-stream"
