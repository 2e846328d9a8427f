"""Entity tags (RFC 9110 sections 8.8.3 and 13.1.2): what a client has, and whether that is still the answer.

Tags are weak: the cursor inside an answer is made anew each time, and a compressed answer is the same answer.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Final

from django.http import HttpRequest, HttpResponse

MAX_HEADER_CHARS: Final = 4_096
"""Some hundred tags of ours; a client has one for an address, or a few."""

ANY: Final = "*"

_MEMBER: Final = re.compile(r'\s*(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')


def known_tags(request: HttpRequest) -> frozenset[str]:
    """The opaque parts of If-None-Match, `ANY` for `*`; nothing if the header is malformed or too long."""
    header = str(request.META.get("HTTP_IF_NONE_MATCH", "")).strip()
    if header == ANY:
        return frozenset({ANY})
    if not header or len(header) > MAX_HEADER_CHARS:
        return frozenset()
    found = [_MEMBER.fullmatch(member) for member in header.split(",")]
    return frozenset(matched[1] for matched in found if matched is not None)


def is_known(tag: str, known: frozenset[str]) -> bool:
    """Whether the client has the answer with this tag (weak comparison)."""
    return tag in known or ANY in known


def tag_of(body: bytes) -> str:
    """The tag of an answer by its bytes."""
    return base64.urlsafe_b64encode(hashlib.blake2b(body, digest_size=16).digest()).decode().rstrip("=")


def set_tag(response: HttpResponse, tag: str) -> None:
    """Say the tag, and that a copy is asked about before each use."""
    response["ETag"] = f'W/"{tag}"'
    response["Cache-Control"] = "private, no-cache"


def make_not_modified(response: HttpResponse) -> HttpResponse:
    """304 instead of an answer that the client has; with the fields that RFC 9110 section 15.4.5 asks for."""
    response.status_code = 304
    response.content = b""
    return response
