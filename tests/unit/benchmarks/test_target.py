"""What a server of a comparison is asked, and what it is read for."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from benchmarks.connection import Answer
from benchmarks.corpus import date_of
from benchmarks.target import Target
from exchange.stix.timestamps import parse_timestamp

TARGET = Target("some server", "", 1, "/first/collections/one/", "Bearer x", first=1_001, last=5_500)


def query_of(request: bytes) -> dict[str, list[str]]:
    return parse_qs(request.split(b" ")[1].decode().partition("?")[2])


def test_a_request_carries_its_credentials_and_its_parameters() -> None:
    request = TARGET.request("manifest", limit=5, next="a+b")
    assert request.startswith(b"GET /first/collections/one/manifest/?limit=5&next=a%2Bb HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer x\r\n" in request


def test_windows_are_whole_pages_that_share_no_object() -> None:
    starts = [parse_timestamp(query_of(request)["added_after"][0]) for request in TARGET.windows("objects", 1_000)]
    assert starts == [date_of(number) for number in (1_000, 2_000, 3_000, 4_000)]


def test_every_poll_asks_for_another_instant_and_finds_the_same_objects() -> None:
    instants = [parse_timestamp(query_of(request)["added_after"][0]) for request in TARGET.polls(10, 1_000, 300)]
    assert len(set(instants)) == 300
    assert all(date_of(5_490) <= each < date_of(5_491) for each in instants)


@pytest.mark.parametrize("answer", [Answer(200, {}, b"{}"), Answer(404, {}, b'{"objects":[1]}')])
def test_an_empty_or_refused_answer_is_no_measurement(answer: Answer) -> None:
    with pytest.raises(AssertionError, match="some server answered"):
        TARGET.read(answer)
