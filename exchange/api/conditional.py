"""Entity tags of what one reader gets, and answers that say it has that already (RFC 9110 sections 8.8.3 and 13.1.2).

A tag is made of the bytes that this reader gets and of nothing else, under a key of the node: it tells nothing of what
the reader does not see, and nobody can make one for content that they only guess. It is weak, because the bytes on the
wire may be compressed.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.crypto import salted_hmac
from django.utils.http import parse_etags

MAX_TAGS_CHARS: Final = 8_192
"""Of If-None-Match: a hundred tags. A longer list matches nothing."""

_SALT: Final = "exchange.api.conditional"


def tag_of(content: bytes) -> str:
    """The entity tag of these bytes."""
    return f'W/"{salted_hmac(_SALT, content, algorithm="sha256").hexdigest()[:32]}"'


def answer_for(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The response, with the headers of content that one reader may keep and has to ask about again; or 304."""
    if "ETag" not in response:
        response["ETag"] = tag_of(response.content)
    if _has_it(request, response["ETag"]):
        tag = response["ETag"]
        response = HttpResponse(status=304)
        response["ETag"] = tag
        del response["Content-Type"]
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ("Authorization", "Accept-Encoding"))
    return response


def _has_it(request: HttpRequest, tag: str) -> bool:
    """Weak comparison: the tag counts, whether it came as weak or not."""
    header = request.META.get("HTTP_IF_NONE_MATCH", "")
    if len(header) > MAX_TAGS_CHARS:
        return False
    return any(each == "*" or each.removeprefix("W/") == tag.removeprefix("W/") for each in parse_etags(header))
