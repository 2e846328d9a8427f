"""Bodies are counted while they are read, before and after inflating."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from typing import Any

import pytest
import zstandard
from django.http import HttpRequest
from django.test import RequestFactory

from exchange.http.bodies import inflate, read_beginning, read_body
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.services.errors import InvalidRequestError, TooLargeError

LIMIT_BYTES = 1_000
MEMBER = gzip.compress(b"{}", mtime=0)


def posted(body: bytes, **headers: Any) -> HttpRequest:
    return RequestFactory().post("/", body, content_type="application/json", **headers)


def chunked(body: bytes, **headers: Any) -> HttpRequest:
    """As a server hands over a chunked body: no length, and a stream that ends by itself."""
    request = posted(b"", **headers)
    request.META |= {"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(body)}
    request.META.pop("CONTENT_LENGTH", None)
    return request


def read(request: HttpRequest) -> bytes:
    return read_body(request, max_body_bytes=LIMIT_BYTES)


def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not() -> None:
    assert read(posted(b"x" * LIMIT_BYTES)) == b"x" * LIMIT_BYTES
    with pytest.raises(TooLargeError):
        read(posted(b"x" * (LIMIT_BYTES + 1)))


def test_a_chunked_body_is_counted() -> None:
    assert read(chunked(b"x" * LIMIT_BYTES)) == b"x" * LIMIT_BYTES
    with pytest.raises(TooLargeError):
        read(chunked(b"x" * (LIMIT_BYTES + 1)))


def test_a_body_that_ends_before_its_announced_length_is_refused() -> None:
    request = chunked(b"x" * 10)
    request.META["CONTENT_LENGTH"] = "11"
    with pytest.raises(InvalidRequestError):
        read(request)


def test_a_gzip_body_is_inflated() -> None:
    assert read(posted(gzip.compress(b"x" * LIMIT_BYTES), headers={"Content-Encoding": "gzip"})) == b"x" * LIMIT_BYTES
    assert read(chunked(gzip.compress(b""), headers={"Content-Encoding": "GZIP"})) == b""


@pytest.mark.parametrize("size_bytes", [1, 70_000, 262_143, 262_144, 262_145, 524_288, 3_000_000])
def test_gzip_bodies_of_any_size_come_out_whole(size_bytes: int) -> None:
    content = bytes(range(256)) * (size_bytes // 256) + b"y" * (size_bytes % 256)
    for level in (0, 1, 9):
        request = posted(gzip.compress(content, level), headers={"Content-Encoding": "gzip"})
        assert read_body(request, max_body_bytes=4_000_000) == content


def test_a_compression_bomb_is_stopped_before_it_unfolds() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000)
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        read_body(posted(bomb, headers={"Content-Encoding": "gzip"}), max_body_bytes=1_000_000)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8_000_000


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", MEMBER[:-1], MEMBER + b"x", MEMBER + MEMBER],
)
def test_what_is_not_one_whole_gzip_member_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        read(posted(body, headers={"Content-Encoding": "gzip"}))


@pytest.mark.parametrize("size", [1, 7, 100])
def test_nothing_may_follow_a_gzip_body_wherever_its_chunks_end(size: int) -> None:
    body = gzip.compress(b"{}")
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    assert b"".join(inflate(iter(pieces), max_body_bytes=LIMIT_BYTES)) == b"{}"
    with pytest.raises(InvalidRequestError, match="follows"):
        list(inflate(iter([*pieces, b"x"]), max_body_bytes=LIMIT_BYTES))


@pytest.mark.parametrize("coding", ["br", "x-zstd", "deflate", "gzip, gzip", "compress", ""])
def test_other_codings_are_refused(coding: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        read(posted(b"{}", headers={"Content-Encoding": coding}))


@pytest.mark.parametrize(
    ("chunks", "most", "taken", "left"),
    [
        ([], 3, b"", []),
        ([b"ab", b"c"], 3, b"abc", []),
        ([b"ab", b"cd", b"ef", b"g"], 3, b"abcd", [b"ef", b"g"]),
        ([b"abcdef"], 3, b"abcdef", []),
    ],
)
def test_the_beginning_of_a_body_ends_with_the_chunk_that_goes_beyond(
    chunks: list[bytes], most: int, taken: bytes, left: list[bytes]
) -> None:
    arriving = iter(chunks)
    assert read_beginning(arriving, most) == (taken, len(taken) <= most)
    assert list(arriving) == left


def framed(body: bytes, **parameters: int) -> bytes:
    compressor = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(**parameters))
    stream = compressor.compressobj()
    return stream.compress(body) + stream.flush()


@pytest.mark.parametrize("make", [posted, chunked])
def test_a_zstd_body_is_inflated(make: Any) -> None:
    body = bytes(range(250)) * 4
    assert read(make(framed(body), HTTP_CONTENT_ENCODING="zstd")) == body


def test_a_zstd_bomb_stops_at_the_limit_and_takes_little_memory() -> None:
    bomb = framed(b"\0" * (256 << 20))
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        read_body(chunked(bomb, HTTP_CONTENT_ENCODING="zstd"), max_body_bytes=len(bomb))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 72 << 20


def test_a_zstd_body_that_is_broken_cut_off_followed_or_orders_much_memory_is_refused() -> None:
    whole = framed(b"x" * 500)
    wide = framed(b"x" * 500, window_log=27)
    for body in (b"not zstd", whole[:-1], whole + b"y", whole + whole, b"", wide):
        with pytest.raises(InvalidRequestError) as caught:
            read(chunked(body, HTTP_CONTENT_ENCODING="zstd"))
        assert caught.value.code == "content-encoding"
