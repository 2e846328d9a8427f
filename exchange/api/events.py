"""GET /api/v1/events/: new objects as they come, as Server-Sent Events."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from exchange.api import operations
from exchange.api.authentication import member_of
from exchange.api.endpoint import Endpoint, query_of
from exchange.api.stream import BATCH, EventStream, Following, StreamSlots, first_cursor
from exchange.http.credentials import principal_of_request
from exchange.http.parameters import STIX_TYPE, Parameters, malformed
from exchange.services.access import require_scope
from exchange.services.collections import VIEW_OF_ALL
from exchange.services.errors import InvalidRequestError
from exchange.services.query import PageRequest
from exchange.services.sequence_watch import SequenceWatch

EVENT_STREAM: Final = "text/event-stream"
MAX_STREAMS_OF_LAB: Final = 2
"""In one process; others find room beside a lab that opens many."""

_slots: Final = StreamSlots(most=settings.EVENT_STREAMS, most_of_lab=MAX_STREAMS_OF_LAB)
_watch: Final = SequenceWatch()


class EventsView(Endpoint):
    """The stream of new objects."""

    http_method_names = ["get", "head"]
    keeps_nothing = True

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: ARG002 - its interface
        """Clients ask for events and not for JSON, which a problem is still answered in."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="followEvents",
        summary="New objects as they come",
        description="Server-Sent Events: `object` with an entry as in listObjects, its id a cursor of that list with "
        "the same filters. Begins now, or at `added_after`, or after `Last-Event-ID`. Ends after five minutes, and "
        "with the event `problem` when you may not read any more; come back with the last id.",
        parameters=operations.EVENTS_PARAMETERS,
        responses={(200, EVENT_STREAM): OpenApiResponse(OpenApiTypes.STR, "The events."), **operations.READ_PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Begin a stream. What is wrong is answered before it begins."""
        principal = member_of(request)
        require_scope(principal, "read")
        parameters = Parameters(query_of(request))
        parameters.allow_only({"collection", "type", "added_after", "last_event_id"})
        following = Following(
            authenticate=lambda: principal_of_request(request._request),
            collection=parameters.one("collection") or VIEW_OF_ALL[0],
            request=PageRequest(
                limit=BATCH,
                added_after=parameters.added_after(),
                types=parameters.listed("type", STIX_TYPE, "a type of STIX objects"),
            ),
        )
        cursor = first_cursor(following, _last_event_id(request, parameters))
        if request.method == "HEAD":
            return _as_stream(HttpResponse(content_type=EVENT_STREAM))
        slot = _slots.take(principal.lab_id)
        # If it took the place of another, that one learns it now.
        _watch.wake()
        stream = EventStream(following, cursor, _watch, _slots, slot)
        return _as_stream(StreamingHttpResponse(stream, content_type=EVENT_STREAM))


def _last_event_id(request: Request, parameters: Parameters) -> str:
    said = parameters.one("last_event_id")
    header = str(request.META.get("HTTP_LAST_EVENT_ID", ""))
    if said and header and said != header:
        raise malformed("last_event_id", "is not the Last-Event-ID of the header")
    found = header or said or ""
    if not (found.isascii() and found.isprintable() and len(found) <= 1_024):
        raise InvalidRequestError("the cursor is not valid; start again", code="cursor", pointer="last_event_id")
    return found


def _as_stream(response: HttpResponseBase) -> HttpResponseBase:
    """Proxies hand each event on at once."""
    response["X-Accel-Buffering"] = "no"
    return response
