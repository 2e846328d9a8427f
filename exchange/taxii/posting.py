"""POST {api-root}/collections/{id}/objects/ (TAXII 2.1 section 5.5).

A small envelope is published before the answer. A large one is kept as it arrives and published by a worker: the memory
of the web process does not grow with the body, and no thread is kept for as long as publishing takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from exchange.http.bodies import body_chunks, read_beginning
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.http.parameters import Parameters
from exchange.services.access import require_publishing
from exchange.services.clock import now
from exchange.services.collections import CollectionView
from exchange.services.errors import AccessDeniedError, ExchangeError, NotFoundError
from exchange.services.posted import PostedObject, named
from exchange.services.posting import take_posted
from exchange.services.principals import Principal
from exchange.services.publishing import Outcome, OutcomeStatus
from exchange.services.roots import find_root
from exchange.services.staging import stage_envelope
from exchange.services.statuses import record_status
from exchange.stix.errors import StixError
from exchange.taxii.answers import error_resource, resource_response, status_of
from exchange.taxii.envelopes import read_envelope, stream_envelope
from exchange.taxii.media_types import TAXII, is_taxii
from exchange.taxii.statuses import status_resource

DOOR: Final = "taxii"

MAX_BYTES_AT_ONCE: Final = 4 * 1024 * 1024
MAX_OBJECTS_AT_ONCE: Final = 1_000
"""What is published before the answer, in about a second: clients that publish in batches know the outcome at once."""


def post_objects(request: HttpRequest, principal: Principal, view: CollectionView) -> HttpResponse:
    """Publish an envelope, or keep it to be published."""
    require_publishing(principal)
    _require_writable(view)
    if not is_taxii(request.META.get("CONTENT_TYPE")):
        raise UnsupportedMediaTypeError(f"post an envelope as {TAXII}")
    root = find_root(principal, view.api_root)
    chunks = body_chunks(request, max_body_bytes=root.max_content_bytes)
    # Section 5.5 has no parameters; those of no meaning are left alone, broken ones are not.
    Parameters(request.META.get("QUERY_STRING", ""))
    beginning, is_whole = read_beginning(chunks, MAX_BYTES_AT_ONCE)
    if not is_whole:
        return _stage(principal, view, stream_envelope(chain([beginning], chunks)))
    posted = read_envelope(beginning)
    if len(posted) > MAX_OBJECTS_AT_ONCE:
        return _stage(principal, view, iter(posted))
    return _publish(principal, view, posted)


def _stage(principal: Principal, view: CollectionView, posted: Iterator[PostedObject]) -> HttpResponse:
    """Keep a large envelope for a worker: 202 and a pending status."""
    status = stage_envelope(principal=principal, collection=view, objects=posted, requested_at=now())
    return resource_response(status_resource(status), 202)


def _publish(principal: Principal, view: CollectionView, posted: Sequence[PostedObject]) -> HttpResponse:
    """Publish a small envelope: 202 and its status if anything of it was taken, 422 with the reasons if nothing was."""
    requested_at = now()
    found = take_posted(principal=principal, bodies=[each.body for each in posted], collection=view, door=DOOR)
    outcomes = [
        named(outcome, each.id, each.version_at(requested_at)) for outcome, each in zip(found, posted, strict=True)
    ]
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
