"""Reads that a client draws out, and the forms that everybody may post."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.views.decorators.csrf import csrf_exempt

from exchange.http import bodies, forms
from exchange.http.bodies import read_body
from exchange.http.deadlines import Readers
from exchange.http.errors import SlowBodyError
from exchange.http.forms import MAX_AWAITED, MAX_FORM_BYTES, FormBodies
from exchange.services.errors import NotReadyError


class Dripping(io.RawIOBase):
    """A connection on which nothing more comes until the client goes away."""

    def __init__(self) -> None:
        self.gone = threading.Event()

    def read(self, _size: int = -1, /) -> bytes:
        self.gone.wait(30)
        return b""


@pytest.fixture
def dripping(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dripping]:
    monkeypatch.setattr(bodies, "CHUNK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(forms, "FORM_TIMEOUT_S", 0.05)
    stream = Dripping()
    yield stream
    stream.gone.set()


def idle(readers: Readers, count: int) -> None:
    """Wait until every read has ended."""
    for _ in range(count):
        assert readers._running.acquire(timeout=10)
    readers._running.release(count)


def posted(stream: io.RawIOBase | None = None, length: str | None = "3") -> HttpRequest:
    request = RequestFactory().post("/", b"a=b", content_type="application/x-www-form-urlencoded")
    if stream is not None:
        environ = {**request.META, "wsgi.input": stream, "wsgi.input_terminated": True}
        request = type(request)(environ)
    request.META["CONTENT_LENGTH"] = length
    if length is None:
        del request.META["CONTENT_LENGTH"]
    return request


def page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def refusal(request: HttpRequest) -> int | None:
    answer = FormBodies(page).process_view(request, page, (), {})
    return None if answer is None else answer.status_code


def test_answer_and_error_of_a_read_are_its_own() -> None:
    readers = Readers(at_once=1, awaited=1)
    assert readers.read_within(lambda: b"x", timeout_s=5) == b"x"
    idle(readers, 1)
    with pytest.raises(ZeroDivisionError):
        readers.read_within(lambda: 1 // 0, timeout_s=5)
    idle(readers, 1)
    with pytest.raises(TimeoutError):
        readers.read_within(time_out, timeout_s=5)


def time_out() -> None:
    raise TimeoutError


def test_body_that_does_not_come_is_given_up(dripping: Dripping) -> None:
    began = time.monotonic()
    with pytest.raises(SlowBodyError):
        read_body(posted(dripping), max_body_bytes=1_000)
    assert time.monotonic() - began < 5


def test_slow_clients_are_bounded_and_room_comes_back(dripping: Dripping) -> None:
    readers = Readers(at_once=3, awaited=1)
    for _ in range(3):
        with pytest.raises(SlowBodyError):
            readers.read_within(dripping.read, timeout_s=0)
    with pytest.raises(NotReadyError):
        readers.read_within(lambda: b"", timeout_s=5)
    dripping.gone.set()
    idle(readers, 3)
    assert readers.read_within(lambda: b"", timeout_s=5) == b""


def test_slow_forms_keep_few_requests_waiting(dripping: Dripping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "FORM_TIMEOUT_S", 2.0)
    statuses: list[int | None] = []
    threads = [threading.Thread(target=lambda: statuses.append(refusal(posted(dripping)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, filter(None, statuses))) == [408] * MAX_AWAITED + [503] * (8 - MAX_AWAITED)


def test_small_form_passes_with_its_body_read() -> None:
    request = posted()
    assert refusal(request) is None
    assert request.POST["a"] == "b"


@pytest.mark.parametrize(
    ("length", "status"),
    [(None, 411), ("", 411), ("x", 411), ("-1", 411), (str(MAX_FORM_BYTES + 1), 413), ("9" * 30, 413)],
)
def test_form_of_unknown_or_great_length_is_refused_unread(dripping: Dripping, length: str | None, status: int) -> None:
    assert refusal(posted(dripping, length)) == status


def test_slow_form_is_refused_in_time(dripping: Dripping) -> None:
    assert refusal(posted(dripping)) == 408


def test_views_that_read_for_themselves_and_requests_without_effect_are_left_alone(dripping: Dripping) -> None:
    request = posted(dripping, None)
    assert FormBodies(page).process_view(request, csrf_exempt(page), (), {}) is None
    request.method = "GET"
    assert refusal(request) is None
