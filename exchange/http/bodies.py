"""Reads a request body and counts while it reads: what a header says of the length decides nothing but haste.

Takes plain, gzip and zstd bodies (RFC 9110 section 8.4.1.3, RFC 8878). Both what arrives and what it inflates to stay
within the limit, so a small body that grows is stopped before it does.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

import zstandard
from django.http import HttpRequest, UnreadablePostError

from exchange.http.deadlines import Readers
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.http.limits import charge_body
from exchange.services.errors import InvalidRequestError, TooLargeError
from exchange.stix.errors import MalformedJsonError, ObjectInvalidError, StixError

CHUNK_BYTES: Final = 256 * 1024
CHUNK_TIMEOUT_S: Final = 30.0
"""For one chunk, so at least 9 kB/s: 10 MB over a poor line may take minutes, one byte a second does not pass."""

MAX_READERS: Final = 64
"""Eight times the threads of docker/Dockerfile, so that clients in time find room beside slow ones."""

CODING: Final = "content-encoding"
"""Code of every refusal that is about the content coding."""

ACCEPTED_CODINGS: Final = "gzip, zstd, identity"
"""Value of Accept-Encoding on a 415 (RFC 9110 section 12.5.3)."""

MAX_ZSTD_WINDOW_BYTES: Final = 8 * 1024 * 1024
"""What a receiver must have, and need not exceed (RFC 9659 section 3): memory that the sender orders."""

ZSTD_STEP_BYTES: Final = 1_024
"""A block of 4 bytes may stand for 128 KiB, so one step inflates to at most 32 MiB before it is counted."""

_readers: Final = Readers(at_once=MAX_READERS, awaited=MAX_READERS)
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_SHAPE_CODES: Final = frozenset({"not-an-object", "not-a-list", "too-many-objects", "too-many-values", "too-large"})


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def media_type_of(request: HttpRequest) -> str:
    """The media type that a body is said to have, in lower case, without parameters; "" if nothing is said."""
    return str(request.META.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def read_body(request: HttpRequest, *, max_body_bytes: int) -> bytes:
    """The body as its producer wrote it, without content coding.

    Raises:
        ExchangeError: as `body_chunks` and its iterator.
    """
    return b"".join(body_chunks(request, max_body_bytes=max_body_bytes))


def body_chunks(request: HttpRequest, *, max_body_bytes: int) -> Iterator[bytes]:
    """The body as its producer wrote it, without content coding, as it arrives.

    Raises, some of it as late as the chunk that shows it:
        TooLargeError: more than `max_body_bytes`, before or after inflating.
        UnsupportedMediaTypeError: a content coding that is not taken. InvalidRequestError: cut off, or broken.
        SlowBodyError: slower than `CHUNK_BYTES` in `CHUNK_TIMEOUT_S`. NotReadyError: too many slow ones already.
    """
    coding = request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if coding not in {"identity", *_DECODERS}:
        raise UnsupportedMediaTypeError("a body is sent plain, or in gzip or zstd", code=CODING)
    announced = _announced_bytes(request)
    if announced is not None and announced > max_body_bytes:
        raise _too_large(max_body_bytes)
    received = _receive(_stream_of(request), announced, max_body_bytes)
    if coding != "identity":
        received = _DECODERS[coding](received, max_body_bytes=max_body_bytes)
    return _charged(request, received)


def _charged(request: HttpRequest, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks; when they end, or are left because the body is refused, its sender pays for what came of it."""
    total_bytes = 0
    try:
        for chunk in chunks:
            total_bytes += len(chunk)
            yield chunk
    finally:
        charge_body(request, total_bytes)


def read_beginning(chunks: Iterator[bytes], most: int) -> tuple[bytes, bool]:
    """The body up to the chunk with which it has more than `most` bytes, and whether that is all of it."""
    taken, total_bytes = [], 0
    for chunk in chunks:
        taken.append(chunk)
        total_bytes += len(chunk)
        if total_bytes > most:
            return b"".join(taken), False
    return b"".join(taken), True


def inflate(chunks: Iterator[bytes], *, max_body_bytes: int) -> Iterator[bytes]:
    """One gzip member (RFC 1952), inflated piece by piece.

    Raises:
        TooLargeError: it inflates to more than `max_body_bytes`. InvalidRequestError: not gzip, cut off, or followed
            by something else.
    """
    inflater, total_bytes = zlib.decompressobj(_GZIP_WINDOW), 0
    for chunk in chunks:
        if inflater.eof and chunk:
            # What a decoder is not given after its end, it does not call unused.
            raise InvalidRequestError("something follows the gzip body", code="content-encoding")
        pending, is_drained = chunk, False
        while not (is_drained or inflater.eof):
            try:
                piece = inflater.decompress(pending, CHUNK_BYTES)
            except zlib.error:
                raise InvalidRequestError("the body is not gzip", code=CODING) from None
            total_bytes += len(piece)
            if total_bytes > max_body_bytes:
                raise _too_large(max_body_bytes)
            yield piece
            pending = inflater.unconsumed_tail
            is_drained = not pending and len(piece) < CHUNK_BYTES
        if inflater.unused_data:
            raise InvalidRequestError("something follows the gzip body", code=CODING)
    if not inflater.eof:
        raise InvalidRequestError("the gzip body is cut off", code=CODING)


def inflate_zstd(chunks: Iterator[bytes], *, max_body_bytes: int) -> Iterator[bytes]:
    """One zstd frame (RFC 8878), inflated step by step.

    Raises:
        TooLargeError: it inflates to more than `max_body_bytes`. InvalidRequestError: not zstd, a window over
            `MAX_ZSTD_WINDOW_BYTES`, cut off, or followed by something else.
    """
    inflater, total_bytes = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW_BYTES).decompressobj(), 0
    for chunk in chunks:
        for start in range(0, len(chunk), ZSTD_STEP_BYTES):
            if inflater.eof:
                raise InvalidRequestError("something follows the zstd body", code=CODING)
            try:
                piece = inflater.decompress(chunk[start : start + ZSTD_STEP_BYTES])
            except zstandard.ZstdError:
                raise InvalidRequestError("the body is not zstd, or its window is too large", code=CODING) from None
            total_bytes += len(piece)
            if total_bytes > max_body_bytes:
                raise _too_large(max_body_bytes)
            yield piece
    if inflater.unused_data:
        raise InvalidRequestError("something follows the zstd body", code=CODING)
    if not inflater.eof:
        raise InvalidRequestError("the zstd body is cut off", code=CODING)


class _Decoder(Protocol):
    def __call__(self, chunks: Iterator[bytes], *, max_body_bytes: int) -> Iterator[bytes]: ...


_DECODERS: Final[Mapping[str, _Decoder]] = {"gzip": inflate, "zstd": inflate_zstd}


def shape_fault(error: MalformedJsonError) -> StixError:
    """The refusal of sound JSON that has another shape than a body of objects; of broken JSON, the error as it is."""
    if error.code in _SHAPE_CODES:
        return ObjectInvalidError(error.code, error.message, error.pointer)
    return error


def _announced_bytes(request: HttpRequest) -> int | None:
    text = request.META.get("CONTENT_LENGTH") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _stream_of(request: HttpRequest) -> _Readable:
    """Django's own stream ends after Content-Length bytes, so that a chunked body would look empty."""
    if request.META.get("wsgi.input_terminated"):
        stream: _Readable = request.META["wsgi.input"]
        return stream
    return request


def _receive(stream: _Readable, announced: int | None, max_body_bytes: int) -> Iterator[bytes]:
    total_bytes = 0
    # The server hands out no more than was announced, so the end need not be asked for in a read of its own.
    while announced is None or total_bytes < announced:
        try:
            chunk = _readers.read_within(lambda: stream.read(CHUNK_BYTES), timeout_s=CHUNK_TIMEOUT_S)
        except (UnreadablePostError, OSError):
            raise InvalidRequestError("the body broke off", code="body-incomplete") from None
        if not chunk:
            break
        total_bytes += len(chunk)
        if total_bytes > max_body_bytes:
            raise _too_large(max_body_bytes)
        yield chunk
    if announced is not None and total_bytes < announced:
        raise InvalidRequestError("the body is shorter than announced", code="body-incomplete")


def _too_large(max_body_bytes: int) -> TooLargeError:
    return TooLargeError(f"a body may have {max_body_bytes} bytes", code="body-too-large")
