"""The body of an answer, bounded while it is read and decompressed; one that is shorter than announced is none."""

from __future__ import annotations

import http.client
import zlib
from typing import Final

CHUNK_BYTES: Final = 64 * 1024
CODING: Final = "gzip"
"""The one that is asked for (RFC 9110 section 12.5.3)."""

_GZIP_WINDOW: Final = zlib.MAX_WBITS | 16


class BodyTooLargeError(Exception):
    """More bytes than the caller takes."""


class BodyCodingError(Exception):
    """A content coding that was not asked for, or bytes that are not in it."""


def read_body(response: http.client.HTTPResponse, most_bytes: int) -> bytes:
    """The whole body without its content coding; of more than `most_bytes` no more than that is ever held.

    Raises:
        BodyTooLargeError, BodyCodingError. http.client.IncompleteRead: it ends before it should. OSError.
    """
    if response.length is not None and response.length > most_bytes:
        raise BodyTooLargeError
    decoder = _decoder(response.headers.get("Content-Encoding", "identity"))
    pieces: list[bytes] = []
    read = decoded = 0
    while chunk := response.read(CHUNK_BYTES):
        read += len(chunk)
        piece = decoder.decode(chunk, most_bytes - decoded)
        decoded += len(piece)
        # The first bound is for what decompresses to nothing and never ends.
        if max(read, decoded) > most_bytes:
            raise BodyTooLargeError
        pieces.append(piece)
    # With an amount asked for, http.client takes an early end for the end.
    if response.length or not decoder.is_complete:
        raise http.client.IncompleteRead(b"")
    return b"".join(pieces)


class _Identity:
    is_complete = True

    def decode(self, chunk: bytes, _room: int) -> bytes:
        return chunk


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_WINDOW)

    @property
    def is_complete(self) -> bool:
        return self._stream.eof

    def decode(self, chunk: bytes, room: int) -> bytes:
        """At most one byte more than there is room for: enough to see that it is too much."""
        try:
            piece = self._stream.decompress(chunk, room + 1)
        except zlib.error:
            raise BodyCodingError from None
        if self._stream.unused_data:
            raise BodyCodingError
        return piece


def _decoder(coding: str) -> _Identity | _Gzip:
    match coding.strip().lower():
        case "" | "identity":
            return _Identity()
        case "gzip" | "x-gzip":
            return _Gzip()
        case _:
            raise BodyCodingError
