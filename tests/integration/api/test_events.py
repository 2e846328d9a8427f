"""The event stream of a real web process: what arrives, for whom, where it goes on, and when it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from exchange.api.streams import MAX_PER_LAB
from exchange.models import Collection, Delivery
from exchange.services.collections import grant_access
from exchange.services.communities import collection_named, create_root
from exchange.services.labs import suspend_lab
from exchange.services.principals import OPERATOR
from exchange.services.tokens import issue_token, revoke_token
from exchange.stix.markings import Tlp
from tests.support.database import TestServices
from tests.support.events import Stream, open_stream
from tests.support.forms import assert_form
from tests.support.labs import Community, LabHandle
from tests.support.receiver import wait_for
from tests.support.rest import RestClient, RestNode
from tests.support.server import WebServer

Follow = Callable[..., Stream]


@pytest.fixture
def follow(node: RestNode) -> Iterator[Follow]:
    """Begins streams; all of them end with the test, by the node's own doing: no lab may go on."""
    streams: list[Stream] = []

    def begin(client: RestClient, query: str = "", **headers: str) -> Stream:
        stream = open_stream(client, query, **headers)
        streams.append(stream)
        wait_for(lambda: stream.beats or stream.events, "the first bytes")
        return stream

    yield begin
    for lab in node.community.labs:
        suspend_lab(actor=OPERATOR, slug=lab.lab.slug)
    wait_for(lambda: all(stream.has_ended for stream in streams), "the end of the streams")


def published(lab: LabHandle, *labels: Tlp) -> list[str]:
    members = [lab.indicator(label) for label in labels]
    outcomes = lab.publish(*(lab.signed(each) for each in members))
    assert all(outcome.error is None for outcome in outcomes), outcomes
    return [each["id"] for each in members]


def refused(response: requests.Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert_form(response.json(), "Problem")
    return str(response.json()["detail"])


def test_new_objects_arrive_as_events_with_the_entries_of_rest(node: RestNode, follow: Follow) -> None:
    old = published(node.community.aurora, Tlp.GREEN)
    stream = follow(node.cobalt)
    assert stream.response.headers["Content-Type"] == "text/event-stream"
    assert stream.response.headers["X-Accel-Buffering"] == "no"
    assert stream.response.headers["Cache-Control"] == "private, no-store"
    assert "Content-Encoding" not in stream.response.headers
    new = published(node.community.aurora, Tlp.GREEN, Tlp.AMBER)
    wait_for(lambda: len(stream.events) == 2, "two events")
    assert stream.object_ids == new
    assert {event.kind for event in stream.events} == {"object"}
    listed = {entry["object"]["id"]: entry for entry in node.cobalt.get("objects/?type=indicator").json()["objects"]}
    assert [json.loads(event.data) for event in stream.events] == [listed[each] for each in new]
    assert not set(old) & set(stream.object_ids)


def test_who_may_not_read_it_gets_no_event_and_no_row_in_the_log(node: RestNode, follow: Follow) -> None:
    client = RestClient(node.url, node.community.cobalt.client_token)
    stream = follow(client)
    published(node.community.aurora, Tlp.RED, Tlp.AMBER_STRICT)
    (green,) = published(node.community.aurora, Tlp.GREEN)
    wait_for(lambda: stream.events, "the event")
    assert stream.object_ids == [green]
    rows = Delivery.objects.filter(door="events")
    assert [row.seq_from == row.seq_to for row in rows] == [True]


def test_a_stream_goes_on_after_the_last_event_and_loses_and_repeats_nothing(node: RestNode, follow: Follow) -> None:
    aurora = node.community.aurora
    stream = follow(node.cobalt)
    first = published(aurora, Tlp.GREEN, Tlp.GREEN)
    wait_for(lambda: len(stream.events) == 2, "two events")
    missed = published(aurora, *[Tlp.GREEN] * 3)
    by_header = follow(node.cobalt, **{"Last-Event-ID": stream.events[0].id})
    wait_for(lambda: len(by_header.events) == 4, "four events")
    assert by_header.object_ids == [first[1], *missed]
    by_parameter = follow(node.borealis, "?added_after=2020-01-01T00:00:00Z&type=indicator")
    wait_for(lambda: len(by_parameter.events) == 5, "everything")
    again = follow(
        node.borealis, f"?added_after=2020-01-01T00:00:00Z&type=indicator&last_event_id={by_parameter.events[3].id}"
    )
    wait_for(lambda: again.events, "the last one")
    assert again.object_ids == missed[-1:]


def test_who_leaves_before_the_first_event_can_come_back_to_where_it_began(node: RestNode, follow: Follow) -> None:
    stream = follow(node.cobalt)
    assert stream.last_id
    missed = published(node.community.aurora, Tlp.GREEN)
    again = follow(node.cobalt, **{"Last-Event-ID": stream.last_id})
    wait_for(lambda: again.events, "what was missed")
    assert again.object_ids == missed


def test_types_and_collection_narrow_a_stream(node: RestNode, follow: Follow) -> None:
    aurora = node.community.aurora
    stream = follow(node.cobalt, "?collection=attribution&type=ipv4-addr")
    published(aurora, Tlp.GREEN)
    address = aurora.address("198.51.100.77")
    assert aurora.publish(aurora.signed(address))[0].error is None
    wait_for(lambda: stream.events, "the event")
    assert stream.object_ids == [address["id"]]


def test_a_collection_of_another_root_is_followed_by_its_full_name(node: RestNode, follow: Follow) -> None:
    create_root(actor=OPERATOR, slug="second", title="Second", with_collections=True)
    theirs = collection_named("signatures", api_root="second")
    aurora, cobalt = node.community.aurora, node.community.cobalt
    for lab in (aurora, cobalt):
        grant_access(actor=OPERATOR, collection=theirs, lab=lab.lab, can_read=True, can_write=True)
    stream = follow(node.cobalt, "?collection=second/signatures")
    published(aurora, Tlp.GREEN)
    there = aurora.indicator()
    sent = node.aurora.publish(aurora.signed(there), query="?collection=second/signatures")
    assert sent.status_code == 201
    wait_for(lambda: stream.events, "the event")
    assert stream.object_ids == [there["id"]]
    assert node.borealis.get("events/?collection=second/signatures").status_code == 404


def test_a_deletion_arrives_as_a_note(node: RestNode, follow: Follow) -> None:
    (gone,) = published(node.community.aurora, Tlp.GREEN)
    stream = follow(node.cobalt)
    assert node.aurora.delete(f"objects/{gone}/").status_code == 204
    wait_for(lambda: stream.events, "the note")
    assert gone in stream.events[0].data
    assert stream.object_ids[0].startswith("note--")


def test_a_cursor_of_another_reader_question_or_time_of_grants_is_refused_before_the_stream(
    node: RestNode, follow: Follow
) -> None:
    stream = follow(node.cobalt)
    cursor = {"Last-Event-ID": stream.last_id}
    assert "another request" in refused(node.borealis.get("events/", headers=cursor), 400)
    assert "another request" in refused(node.cobalt.get("events/?type=note", headers=cursor), 400)
    assert "start again" in refused(node.cobalt.get("events/", headers={"Last-Event-ID": "17"}), 400)
    playbooks = Collection.objects.get(alias="playbooks")
    grant_access(actor=OPERATOR, collection=playbooks, lab=node.community.cobalt.lab, can_read=False, can_write=False)
    assert "start again" in refused(node.cobalt.get("events/", headers=cursor), 400)


def test_what_does_not_read_or_asks_wrongly_gets_a_problem(node: RestNode) -> None:
    refused(node.nobody.get("events/"), 401)
    writer = issue_token(actor=OPERATOR, lab=node.community.cobalt.lab, scopes=["publish"])
    refused(RestClient(node.url, writer.secret).get("events/"), 403)
    refused(node.cobalt.get("events/?collection=nothing"), 404)
    for query in ("?limit=1", "?type=A", "?added_after=x", "?last_event_id=", "?type=a&type=b"):
        refused(node.cobalt.get("events/" + query), 400)
    head = node.cobalt.request("HEAD", "events/")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("how", ["revoked", "suspended", "grants"])
def test_a_stream_ends_when_its_reader_may_not_go_on(node: RestNode, follow: Follow, how: str) -> None:
    cobalt = node.community.cobalt
    token = issue_token(actor=OPERATOR, lab=cobalt.lab, scopes=["read"])
    stream = follow(RestClient(node.url, token.secret))
    if how == "revoked":
        revoke_token(principal=cobalt.principal, prefix=token.token.prefix)
    elif how == "suspended":
        suspend_lab(actor=OPERATOR, slug="cobalt")
    else:
        playbooks = Collection.objects.get(alias="playbooks")
        grant_access(actor=OPERATOR, collection=playbooks, lab=cobalt.lab, can_read=False, can_write=False)
    published(node.community.aurora, Tlp.GREEN)
    wait_for(lambda: stream.has_ended, "the end")
    assert stream.events == []
    assert stream.fault == ""


def test_a_lab_has_few_streams_and_gets_its_place_back_when_a_client_goes(node: RestNode, follow: Follow) -> None:
    streams = [follow(node.cobalt) for _ in range(MAX_PER_LAB)]
    full = node.cobalt.get("events/")
    refused(full, 429)
    assert full.headers["Retry-After"].isdigit()
    assert node.cobalt.get("whoami/").status_code == 200
    for stream in streams:
        stream.close()

    def has_room() -> bool:
        # A client that is gone is noticed when something is written to it.
        published(node.community.aurora, Tlp.GREEN)
        try:
            follow(node.cobalt)
        except AssertionError:
            return False
        return True

    wait_for(has_room, "a place")


def test_a_web_process_that_stops_does_not_wait_for_its_streams(
    services: TestServices, community: Community, tmp_path: Path
) -> None:
    server = WebServer(services, tmp_path / "web.log")
    server.start()
    client = RestClient(server.url, community.cobalt.token)
    streams = [open_stream(client) for _ in range(MAX_PER_LAB)]
    wait_for(lambda: all(stream.beats for stream in streams), "the streams")
    server.stop()
    assert server.process is not None
    assert server.process.returncode == 0
    wait_for(lambda: all(stream.has_ended for stream in streams), "the end of the streams")
