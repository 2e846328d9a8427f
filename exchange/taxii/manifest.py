"""GET {api-root}/collections/{id}/manifest/ (TAXII 2.1 section 5.3): what there is, without the objects."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from exchange.http.validators import known_tags
from exchange.services.collections import CollectionView
from exchange.services.principals import Principal
from exchange.services.query import Manifest, PageRequest, read_manifest
from exchange.taxii.answers import bytes_response, set_dates, tagged
from exchange.taxii.collections import locate_collection, require_readable
from exchange.taxii.endpoint import endpoint
from exchange.taxii.envelopes import write_manifest
from exchange.taxii.filters import read_filters
from exchange.taxii.objects import DOOR


def get_manifest(request: HttpRequest, principal: Principal, view: CollectionView) -> HttpResponse:
    """A page of records, in the order of the objects that they stand for."""
    require_readable(view)
    filters = read_filters(request.META.get("QUERY_STRING", ""), page_limit=view.page_limit)
    found = Manifest()
    if not filters.is_unsatisfiable:
        found = read_names(request, principal, view, filters.page)
    return names_response(found, write_manifest(found))


def read_names(request: HttpRequest, principal: Principal, view: CollectionView, asked: PageRequest) -> Manifest:
    """A page of names, or the word that the client has it already."""
    return read_manifest(principal=principal, collection=view, request=asked, door=DOOR, known_tags=known_tags(request))


def names_response(found: Manifest, body: bytes) -> HttpResponse:
    """A manifest or versions with dates and tag; 304 if the client has it."""
    response = bytes_response(body)
    if found.records:
        set_dates(response, found.records[0].date_added, found.records[-1].date_added)
    return tagged(response, found.tag, is_known=found.is_known)


manifest = endpoint(locate_collection, GET=get_manifest)
