"""GET and POST {api-root}/collections/{id}/objects/ (TAXII 2.1 sections 5.4 and 5.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from exchange.http.bodies import read_body
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.http.parameters import Parameters
from exchange.http.validators import known_tags
from exchange.services.access import require_publishing
from exchange.services.clock import now
from exchange.services.collections import CollectionView
from exchange.services.errors import AccessDeniedError, ExchangeError, NotFoundError
from exchange.services.principals import Principal
from exchange.services.publishing import Outcome, OutcomeStatus, publish_objects
from exchange.services.query import BodiesPage, PageRequest, read_bodies
from exchange.services.roots import find_root
from exchange.services.statuses import record_status
from exchange.stix.errors import StixError
from exchange.stix.timestamps import format_taxii
from exchange.taxii.answers import bytes_response, error_resource, resource_response, set_dates, status_of, tagged
from exchange.taxii.collections import locate_collection, require_readable
from exchange.taxii.endpoint import endpoint
from exchange.taxii.envelopes import PostedObject, read_envelope, write_envelope
from exchange.taxii.filters import read_filters
from exchange.taxii.media_types import TAXII, is_taxii
from exchange.taxii.statuses import status_resource

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


def post_objects(request: HttpRequest, principal: Principal, view: CollectionView) -> HttpResponse:
    """Publish an envelope: 202 and its status if anything of it was taken, 422 with the reasons if nothing was."""
    require_publishing(principal)
    _require_writable(view)
    if not is_taxii(request.META.get("CONTENT_TYPE")):
        raise UnsupportedMediaTypeError(f"post an envelope as {TAXII}")
    root = find_root(principal, view.api_root)
    body = read_body(request, max_body_bytes=root.max_content_bytes)
    # Section 5.5 has no parameters; those of no meaning are left alone, broken ones are not.
    Parameters(request.META.get("QUERY_STRING", ""))
    posted, requested_at = read_envelope(body), now()
    found = publish_objects(principal=principal, bodies=[each.body for each in posted], collection=view, door=DOOR)
    outcomes = [_named(outcome, each, requested_at) for outcome, each in zip(found, posted, strict=True)]
    if all(outcome.status is OutcomeStatus.FAILED for outcome in outcomes):
        return _refusal(outcomes)
    status = record_status(principal=principal, outcomes=outcomes, requested_at=requested_at)
    return resource_response(status_resource(status), 202)


def _require_writable(view: CollectionView) -> None:
    if view.can_write:
        return
    if view.can_read:
        raise AccessDeniedError("you may not write to this collection", code="not-writable")
    raise NotFoundError("there is no such collection", code="collection-not-found")


def _named(outcome: Outcome, posted: PostedObject, requested_at: datetime) -> Outcome:
    """A status names every object; where publishing could not tell its id or version, the object's own claim stands."""
    version = outcome.version or posted.version or format_taxii(requested_at)
    return replace(outcome, id=outcome.id or posted.id, version=version)


def _refusal(outcomes: Sequence[Outcome]) -> HttpResponse:
    """One error resource for an envelope of which nothing was taken; what is wrong with each stands in `details`."""
    failures = [_failure(outcome, outcome.error) for outcome in outcomes if outcome.error is not None]
    first = next(outcome.error for outcome in outcomes if outcome.error is not None)
    _, title = status_of(first)
    resource = error_resource(first, 422, title)
    resource["details"] = {"failures": failures}
    return resource_response(resource, 422)


def _failure(outcome: Outcome, error: ExchangeError | StixError) -> dict[str, Any]:
    return {
        "id": outcome.id,
        "version": outcome.version,
        "error_code": error.code,
        "pointer": f"/objects/{outcome.index}{error.pointer}",
        "message": error.detail if isinstance(error, ExchangeError) else error.message,
    }


objects = endpoint(locate_collection, GET=get_objects, POST=post_objects)
