"""GET {api-root}/collections/{id}/manifest/ (TAXII 2.1 section 5.3): what there is, without the objects."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from exchange.services.collections import CollectionView
from exchange.services.principals import Principal
from exchange.services.query import Manifest, read_manifest
from exchange.taxii.answers import bytes_response, set_dates
from exchange.taxii.collections import locate_collection, require_readable
from exchange.taxii.endpoint import endpoint
from exchange.taxii.envelopes import write_manifest
from exchange.taxii.filters import read_filters
from exchange.taxii.objects import DOOR


def get_manifest(request: HttpRequest, principal: Principal, view: CollectionView) -> HttpResponse:
    """A page of records, in the order of the objects that they stand for."""
    require_readable(view)
    filters = read_filters(request.META.get("QUERY_STRING", ""), page_limit=view.page_limit)
    found = Manifest([], more=False, next="")
    if not filters.is_unsatisfiable:
        found = read_manifest(principal=principal, collection=view, request=filters.page, door=DOOR)
    response = bytes_response(write_manifest(found))
    if found.records:
        set_dates(response, found.records[0].date_added, found.records[-1].date_added)
    return response


manifest = endpoint(locate_collection, GET=get_manifest)
