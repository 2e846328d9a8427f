"""GET and DELETE {api-root}/collections/{id}/objects/{object-id}/ and GET its versions (TAXII 2.1 sections 5.6 to 5.8).

An object that is not in the collection for this reader is 404; one that is, while the filters leave nothing of it, is
an empty answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from exchange.services.collections import CollectionView
from exchange.services.deletion import delete_object
from exchange.services.errors import AccessDeniedError, ConflictError, NotAuthenticatedError, NotFoundError
from exchange.services.principals import Principal, PrincipalKind
from exchange.services.query import BodiesPage, Manifest, has_object
from exchange.taxii.answers import bytes_response
from exchange.taxii.collections import locate_collection, require_readable
from exchange.taxii.endpoint import endpoint
from exchange.taxii.envelopes import write_versions
from exchange.taxii.filters import Filters, read_deletion_filters, read_object_filters, read_versions_filters
from exchange.taxii.manifest import names_response, read_names
from exchange.taxii.objects import envelope_response, read_envelope_page


@dataclass(frozen=True, slots=True)
class Place:
    """A collection that the principal may know of, and an id that may be in it."""

    view: CollectionView
    stix_id: str


def locate_object(principal: Principal, names: Mapping[str, str]) -> Place:
    """The collection of the path; whether the object is there, each method asks. Raises: NotFoundError."""
    return Place(locate_collection(principal, names), names["object_id"])


def get_object(request: HttpRequest, principal: Principal, place: Place) -> HttpResponse:
    """The versions of the object that match: the newest, if nothing else is asked for."""
    require_readable(place.view)
    query = request.META.get("QUERY_STRING", "")
    filters = read_object_filters(query, stix_id=place.stix_id, page_limit=place.view.page_limit)
    page = BodiesPage()
    if _is_worth_asking(filters, place):
        page = read_envelope_page(request, principal, place.view, filters.page)
    if not (page.count or page.is_known):
        _require_object(principal, place)
    return envelope_response(page)


def get_versions(request: HttpRequest, principal: Principal, place: Place) -> HttpResponse:
    """The versions of the object, in the order in which they were added."""
    require_readable(place.view)
    query = request.META.get("QUERY_STRING", "")
    filters = read_versions_filters(query, stix_id=place.stix_id, page_limit=place.view.page_limit)
    found = Manifest()
    if _is_worth_asking(filters, place):
        found = read_names(request, principal, place.view, filters.page)
    if not (found.records or found.is_known):
        _require_object(principal, place)
    return names_response(found, write_versions(found))


def delete_versions(request: HttpRequest, principal: Principal, place: Place) -> HttpResponse:
    """Delete the lab's own object, or the versions of it that are named; the answer has no body."""
    _require_deletable(principal, place.view)
    filters = read_deletion_filters(request.META.get("QUERY_STRING", ""))
    if filters.is_unsatisfiable:
        raise NotFoundError("the object has no such version", code="version-not-found")
    try:
        delete_object(principal=principal, stix_id=place.stix_id, collection=place.view, versions=filters.versions)
    except ConflictError as error:
        # Section 5.7 knows no other code for what a client may not delete.
        raise AccessDeniedError(error.detail, code=error.code) from error
    except NotFoundError as error:
        if error.code == "object-not-found" and has_object(
            principal=principal, collection=place.view, stix_id=place.stix_id
        ):
            raise AccessDeniedError("only the lab that published it may delete it", code="not-yours") from error
        raise
    return bytes_response(b"")


def _is_worth_asking(filters: Filters, place: Place) -> bool:
    return not filters.is_unsatisfiable and "\0" not in place.stix_id


def _require_object(principal: Principal, place: Place) -> None:
    if not has_object(principal=principal, collection=place.view, stix_id=place.stix_id):
        raise NotFoundError("there is no such object", code="object-not-found")


def _require_deletable(principal: Principal, view: CollectionView) -> None:
    """The matrix of section 5.7: deleting needs both rights; with neither, the collection is not there."""
    if principal.kind is PrincipalKind.ANONYMOUS:
        raise NotAuthenticatedError("sign in with a token")
    if not (view.can_read or view.can_write):
        raise NotFoundError("there is no such collection", code="collection-not-found")
    if not (view.can_read and view.can_write):
        raise AccessDeniedError("you may not delete from this collection", code="not-deletable")


single_object = endpoint(locate_object, GET=get_object, DELETE=delete_versions)
versions = endpoint(locate_object, GET=get_versions)
