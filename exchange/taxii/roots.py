"""GET {api-root}/ (TAXII 2.1 section 4.2)."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from exchange.services.errors import NotFoundError
from exchange.services.principals import Principal
from exchange.services.roots import RootView, find_root
from exchange.taxii.answers import resource_response
from exchange.taxii.endpoint import endpoint
from exchange.taxii.media_types import TAXII


def locate_root(principal: Principal, names: Mapping[str, str]) -> RootView:
    """The API root of the path. Raises: NotFoundError."""
    return find_root(principal, names["api_root"])


def get_root(_request: HttpRequest, _principal: Principal, root: RootView) -> HttpResponse:
    """What the root speaks, and how large a body may be."""
    described = {"description": root.description} if root.description else {}
    return resource_response(
        {"title": root.title, **described, "versions": [TAXII], "max_content_length": root.max_content_bytes}
    )


def locate_nothing(principal: Principal, names: Mapping[str, str]) -> None:
    """An address that this door does not have, or one without its slash. Raises: NotFoundError: always."""
    if "api_root" in names:
        find_root(principal, names["api_root"])
    raise NotFoundError("there is nothing at this address; TAXII addresses end in a slash")


nothing = endpoint(locate_nothing)
api_root = endpoint(locate_root, GET=get_root)
