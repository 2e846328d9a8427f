"""GET {api-root}/collections/ and GET {api-root}/collections/{id}/ (TAXII 2.1 sections 5.1 and 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from exchange.services.collections import CollectionView, find_collection, visible_collections
from exchange.services.errors import AccessDeniedError
from exchange.services.principals import Principal
from exchange.services.roots import find_root
from exchange.taxii.answers import resource_response
from exchange.taxii.endpoint import endpoint
from exchange.taxii.media_types import STIX


def locate_collections(principal: Principal, names: Mapping[str, str]) -> list[CollectionView]:
    """The collections that the principal may know of. Raises: NotFoundError: no such API root."""
    views = visible_collections(principal, api_root=names["api_root"])
    if not views:
        find_root(principal, names["api_root"])
    return views


def locate_collection(principal: Principal, names: Mapping[str, str]) -> CollectionView:
    """The collection of the path, by id or alias. Raises: NotFoundError."""
    return find_collection(principal, names["collection"], api_root=names["api_root"])


def require_readable(view: CollectionView) -> None:
    """Refuse a collection that the principal may know of but not read. Raises: AccessDeniedError."""
    if not view.can_read:
        raise AccessDeniedError("you may not read this collection", code="not-readable")


def get_collections(_request: HttpRequest, _principal: Principal, views: list[CollectionView]) -> HttpResponse:
    """All of them, by ascending id; an empty list may not be written (section 2)."""
    return resource_response({"collections": [collection_resource(view) for view in views]} if views else {})


def get_collection(_request: HttpRequest, _principal: Principal, view: CollectionView) -> HttpResponse:
    """One of them."""
    return resource_response(collection_resource(view))


def collection_resource(view: CollectionView) -> dict[str, Any]:
    """Members of a collection resource (section 5.2.1), as seen by one principal."""
    resource: dict[str, Any] = {"id": str(view.public_id), "title": view.title}
    if view.description:
        resource["description"] = view.description
    return resource | {
        "alias": view.alias,
        "can_read": view.can_read,
        "can_write": view.can_write,
        "media_types": [STIX],
    }


collections = endpoint(locate_collections, GET=get_collections)
collection = endpoint(locate_collection, GET=get_collection)
