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

from exchange.http.validators import is_known, known_tags

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
    return is_known(tag.removeprefix('W/"').removesuffix('"'), known_tags(request))
