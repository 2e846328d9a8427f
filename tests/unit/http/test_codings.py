"""Which coding an answer comes in, by what the client says and how long the answer is."""

from __future__ import annotations

import gzip

import pytest
import zstandard
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from exchange.http.codings import MIN_BYTES, Codings, chosen_coding, keep_plain

BODY = b'{"objects":[' + b'"x",' * MIN_BYTES + b"0]}"


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP;Q=0.5", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0.5, gzip", "gzip"),
        ("zstd;q=0, gzip;q=0.001", "gzip"),
        ("*", "zstd"),
        ("*;q=0.5, zstd;q=0", "gzip"),
        ("*;q=0", "identity"),
        ("gzip;q=0", "identity"),
        ("identity", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=nan", "identity"),
        ("gzip gzip", "identity"),
        ("br", "identity"),
        (", gzip ,", "gzip"),
        ("gzip," * 1_000, "identity"),
    ],
)
def test_the_client_chooses_by_weight(header: str, coding: str) -> None:
    assert chosen_coding(header, MIN_BYTES) == coding


def test_short_answers_are_plain_unless_plain_is_refused() -> None:
    assert chosen_coding("gzip", MIN_BYTES - 1) == "identity"
    assert chosen_coding("gzip, identity;q=0", MIN_BYTES - 1) == "gzip"
    assert chosen_coding("gzip, *;q=0", MIN_BYTES - 1) == "gzip"


def answered(response: HttpResponseBase, accept: str = "gzip") -> HttpResponseBase:
    def get_response(_request: HttpRequest) -> HttpResponseBase:
        return response

    return Codings(get_response)(RequestFactory().get("/", HTTP_ACCEPT_ENCODING=accept))


def json_answer(**headers: str) -> HttpResponse:
    return HttpResponse(BODY, content_type="application/taxii+json;version=2.1", headers=headers)


def test_a_strong_tag_becomes_weak_and_a_weak_one_stays() -> None:
    assert answered(json_answer(ETag='"a"'))["ETag"] == 'W/"a"'
    assert answered(json_answer(ETag='W/"a"'))["ETag"] == 'W/"a"'
    assert answered(json_answer(ETag='"a"'), accept="br")["ETag"] == '"a"'


def test_what_is_compressed_is_what_was_there() -> None:
    zipped, frame = answered(json_answer()), answered(json_answer(), accept="zstd")
    assert isinstance(zipped, HttpResponse)
    assert isinstance(frame, HttpResponse)
    assert gzip.decompress(zipped.content) == zstandard.decompress(frame.content) == BODY
    assert zipped["Content-Length"] == str(len(zipped.content))


def test_streams_secrets_pages_for_persons_and_what_is_compressed_already_stay() -> None:
    secret = json_answer()
    keep_plain(secret)
    events = StreamingHttpResponse([b"data: x\n\n"], content_type="text/event-stream")
    for response in (secret, events, HttpResponse(BODY, content_type="text/html")):
        assert "Content-Encoding" not in answered(response)
    assert answered(json_answer(**{"Content-Encoding": "br"}))["Content-Encoding"] == "br"
