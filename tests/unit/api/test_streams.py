"""Places for streams, the one look that all of them wait on, and what a stream sends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from pytest_django import Settings

from exchange.api import following
from exchange.api.following import Events, Following, Question
from exchange.api.streams import MAX_PER_LAB, Places, Waker
from exchange.http.errors import TooManyStreamsError
from exchange.services.errors import NotAuthenticatedError, NotReadyError
from exchange.services.principals import ANONYMOUS
from exchange.services.query import PageRequest
from tests.support.events import parsed

TIMEOUT_S = 10.0


def test_a_lab_and_a_process_have_so_many_places_and_each_comes_back_once(settings: Settings) -> None:
    settings.EVENT_STREAMS = MAX_PER_LAB + 1
    places = Places()
    give_back, *_ = [places.take(1) for _ in range(MAX_PER_LAB)]
    with pytest.raises(TooManyStreamsError):
        places.take(1)
    places.take(2)
    with pytest.raises(NotReadyError):
        places.take(3)
    give_back()
    give_back()
    places.take(1)
    with pytest.raises(TooManyStreamsError):
        places.take(1)


def test_no_stream_is_served_where_an_operator_wants_none(settings: Settings) -> None:
    settings.EVENT_STREAMS = 0
    with pytest.raises(NotReadyError):
        Places().take(1)


class Sequencer:
    """Counts how often it was looked at."""

    def __init__(self) -> None:
        self.last, self.looks, self.threads = 5, 0, set[str]()

    def __call__(self) -> int:
        self.looks += 1
        self.threads.add(threading.current_thread().name)
        return self.last


def test_all_wait_on_one_look_and_wake_when_the_sequence_passes_their_place() -> None:
    sequencer = Sequencer()
    waker = Waker(sequencer, look_every_s=0.01)
    assert waker.wait_beyond(4, timeout_s=TIMEOUT_S)
    assert not waker.wait_beyond(5, timeout_s=0.05)
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(waker.wait_beyond, 5, timeout_s=TIMEOUT_S) for _ in range(8)]
        sequencer.last = 6
        assert all(each.result() for each in waiting)
    assert sequencer.threads == {"sequencer"}


def test_nobody_looks_while_nobody_waits() -> None:
    sequencer = Sequencer()
    waker = Waker(sequencer, look_every_s=0.01)
    assert waker.wait_beyond(4, timeout_s=TIMEOUT_S)
    for thread in threading.enumerate():
        if thread.name == "sequencer":
            thread.join(TIMEOUT_S)
    assert not any(thread.name == "sequencer" for thread in threading.enumerate())
    sequencer.last = 6
    assert waker.wait_beyond(5, timeout_s=TIMEOUT_S)


QUESTION = Question(lambda: ANONYMOUS, "all", PageRequest(limit=1, cursor="begin"))


def stream_of(
    monkeypatch: pytest.MonkeyPatch, read: Callable[..., Events], question: Question = QUESTION, **times: float
) -> tuple[list[dict[str, str]], list[str]]:
    """The blocks of a whole stream whose batches are these, and how often its place was given back."""
    monkeypatch.setattr(following, "read_events", read)
    monkeypatch.setattr(following, "release_connection", lambda: None)
    given_back: list[str] = []
    stream = Following(question, lambda: given_back.append("place"), waker=Waker(lambda: 0, look_every_s=0.01), **times)
    return parsed(b"".join(stream)), given_back


def test_a_stream_tells_its_place_at_both_ends_and_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks, given_back = stream_of(monkeypatch, lambda *_: Events(b"", "reached", 9, False), life_s=0.2, beat_s=0.05)
    assert blocks[0] == {"retry": "2000", "id": "begin"}
    assert blocks[-1] == {"id": "reached"}
    assert given_back == ["place"]


def test_a_stream_that_begins_at_a_date_has_no_place_to_tell_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    question = replace(QUESTION, request=PageRequest(limit=1))
    blocks, _ = stream_of(monkeypatch, lambda *_: Events(b"", "x", 9, False), question, life_s=0.0)
    assert blocks[0] == {"retry": "2000"}


def test_a_refusal_ends_a_stream_without_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Events:
        raise NotAuthenticatedError("the token is not valid")

    blocks, given_back = stream_of(monkeypatch, refuse)
    assert blocks == [{"retry": "2000", "id": "begin"}]
    assert given_back == ["place"]


def test_line_breaks_between_the_tokens_of_an_object_do_not_end_its_event() -> None:
    assert following._event("c", b'{"a":\r\n1,\n"b":"\\n"}') == (
        b'id: c\nevent: object\ndata: {"a":  1, "b":"\\n"}\n\n'
    )
