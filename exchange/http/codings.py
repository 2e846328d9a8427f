"""JSON in zstd or gzip where Accept-Encoding asks for it (RFC 9110 section 12.5.3), for all doors in one place.

Streams and pages for persons stay as they are, and so do answers with a secret: their length would tell of it to
whoever chooses what stands beside it (BREACH). Answers to HEAD lose their body here, after it was measured.
"""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable
from typing import Final

import zstandard
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

MIN_BYTES: Final = 1_024
"""Less fits one packet with its headers, compressed or not."""

ZSTD_LEVEL: Final = 1
GZIP_LEVEL: Final = 1
"""A page of 840 kB: zstd 1 takes 1.3 ms and leaves a fifth, 3 takes 8 ms and leaves no less; gzip 1 takes 15 ms and
leaves a quarter, 6 takes 51 ms and leaves a fifth."""

IDENTITY: Final = "identity"
CODINGS: Final = ("zstd", "gzip")
"""What answers come in; where a client likes both the same, the first."""

MAX_HEADER_CHARS: Final = 1_024
"""Browsers send some 30."""

_JSON: Final = re.compile(r"application/(?:[\w.-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
_MEMBER: Final = re.compile(r"([!#$%&'*+.^_`|~\w-]+)(?:\s*;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?", re.ASCII | re.I)
_PLAIN: Final = "_commonwatch_plain"
_threads: Final = threading.local()


def keep_plain(response: HttpResponseBase) -> None:
    """Never compress this answer: there is a secret in it."""
    setattr(response, _PLAIN, True)


def chosen_coding(header: str, size: int) -> str:
    """The coding of an answer of `size` bytes. `identity` too if nothing that the client takes is there: a client that
    refuses all is better served with something than with 406.
    """
    weights = _weights(header)
    others = weights.get("*", 0.0)
    found = {name: weights.get(name, weights.get("x-gzip", others) if name == "gzip" else others) for name in CODINGS}
    best = max(CODINGS, key=lambda name: found[name])
    # Not named, it is taken, and liked less than what is named.
    plain = weights.get(IDENTITY, weights.get("*"))
    is_plain_refused = plain == 0.0
    if found[best] == 0.0 or (plain is not None and plain > found[best]):
        return IDENTITY
    return best if size >= MIN_BYTES or is_plain_refused else IDENTITY


class Codings:
    """Middleware outside those that set Content-Length."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if not isinstance(response, HttpResponse) or not _JSON.match(response.get("Content-Type", "")):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        _encode(request, response)
        if request.method == "HEAD":
            response["Content-Length"] = str(len(response.content))
            response.content = b""
        return response


def _encode(request: HttpRequest, response: HttpResponse) -> None:
    if "Content-Encoding" in response or not response.content or getattr(response, _PLAIN, False):
        return
    coding = chosen_coding(str(request.META.get("HTTP_ACCEPT_ENCODING", "")), len(response.content))
    if coding == IDENTITY:
        return
    response.content = _zstd(response.content) if coding == "zstd" else _gzip(response.content)
    response["Content-Encoding"] = coding
    response["Content-Length"] = str(len(response.content))
    tag = response.get("ETag", "")
    if tag.startswith('"'):
        # Strong tags promise the same bytes, and these are others.
        response["ETag"] = f"W/{tag}"


def _weights(header: str) -> dict[str, float]:
    """Codings by name with their weights; nothing if the header is malformed or too long."""
    if len(header) > MAX_HEADER_CHARS:
        return {}
    weights: dict[str, float] = {}
    for member in filter(None, (each.strip() for each in header.split(","))):
        matched = _MEMBER.fullmatch(member)
        if matched is None:
            return {}
        weights[matched[1].lower()] = float(matched[2] or 1)
    return weights


def _zstd(body: bytes) -> bytes:
    """One frame; its window is far below the 8 MiB that a receiver must have (RFC 9659)."""
    if not hasattr(_threads, "compressor"):
        # A compressor works for one thread at a time, and making one costs as much as a small answer.
        _threads.compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
    encoded: bytes = _threads.compressor.compress(body)
    return encoded


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, GZIP_LEVEL, mtime=0)
