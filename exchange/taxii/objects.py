"""GET {api-root}/collections/{id}/objects/ (TAXII 2.1 section 5.4); what is posted there is for posting.py."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from exchange.http.validators import known_tags
from exchange.services.collections import CollectionView
from exchange.services.principals import Principal
from exchange.services.query import BodiesPage, PageRequest, read_bodies
from exchange.taxii.answers import bytes_response, set_dates, tagged
from exchange.taxii.collections import locate_collection, require_readable
from exchange.taxii.endpoint import endpoint
from exchange.taxii.envelopes import write_envelope
from exchange.taxii.filters import read_filters
from exchange.taxii.posting import post_objects

DOOR = "taxii"


def get_objects(request: HttpRequest, principal: Principal, view: CollectionView) -> HttpResponse:
    """A page of the versions that match and that the principal may read, oldest first."""
    require_readable(view)
    filters = read_filters(request.META.get("QUERY_STRING", ""), page_limit=view.page_limit)
    page = BodiesPage()
    if not filters.is_unsatisfiable:
        page = read_envelope_page(request, principal, view, filters.page)
    return envelope_response(page)


def read_envelope_page(
    request: HttpRequest, principal: Principal, view: CollectionView, asked: PageRequest
) -> BodiesPage:
    """A page of objects, or the word that the client has it already."""
    return read_bodies(principal=principal, collection=view, request=asked, door=DOOR, known_tags=known_tags(request))


def envelope_response(page: BodiesPage) -> HttpResponse:
    """The envelope with its dates and its tag; 304 if the client has it."""
    response = bytes_response(write_envelope(page))
    if page.first is not None and page.last is not None:
        set_dates(response, page.first, page.last)
    return tagged(response, page.tag, is_known=page.is_known)


objects = endpoint(locate_collection, GET=get_objects, POST=post_objects)
