"""GET /api/v1/events/: new objects as they come. How a stream goes on is following.py."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from exchange.api import operations, schemas
from exchange.api.authentication import granted_of
from exchange.api.endpoint import Endpoint, query_of
from exchange.api.following import BATCH, Following, Question, begin
from exchange.api.streams import PLACES
from exchange.http.credentials import principal_of_request
from exchange.http.parameters import STIX_TYPE, Parameters
from exchange.services.access import require_scope
from exchange.services.collections import VIEW_OF_ALL
from exchange.services.errors import InvalidRequestError
from exchange.services.query import PageRequest

EVENT_STREAM: Final = "text/event-stream"
EXAMPLE: Final = 'id: Zk3v\nevent: object\ndata: {"collection":"signatures","object":{"type":"indicator"}}\n\n'


class EventStreamRenderer(BaseRenderer):
    """Says that the address has this media type; its bytes are made by the stream."""

    media_type = EVENT_STREAM
    format = "events"

    def render(self, data: Any, *_context: Any) -> Any:
        return data


class EventsView(Endpoint):
    """The event stream."""

    keeps_nothing = True
    renderer_classes = [EventStreamRenderer, JSONRenderer]

    @extend_schema(
        operation_id="followEvents",
        summary="New objects as they come",
        description="Server-Sent Events: `id` is a cursor, `event` is `object`, `data` an entry as in a page of "
        "objects. A stream begins now, after `added_after`, or after the event that `Last-Event-ID` names. It ends by "
        "itself after 5 minutes; come back with the last `id`.",
        parameters=operations.EVENTS_PARAMETERS,
        responses={
            (200, EVENT_STREAM): schemas.text("The stream.", EXAMPLE),
            **operations.EVENTS_PROBLEMS,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Begin a stream."""
        principal = granted_of(request)
        require_scope(principal, "read")
        question = begin(_question_of(request))
        if request.method == "HEAD":
            return HttpResponse(content_type=EVENT_STREAM)
        assert principal.lab_id is not None
        response = StreamingHttpResponse(Following(question, PLACES.take(principal.lab_id)), content_type=EVENT_STREAM)
        # For reverse proxies that would keep events until a buffer is full.
        response["X-Accel-Buffering"] = "no"
        return response


def _question_of(request: Request) -> Question:
    parameters = Parameters(query_of(request))
    parameters.allow_only({"collection", "type", "added_after", "last_event_id"})
    return Question(
        authenticate=lambda: principal_of_request(request._request),
        collection=parameters.one("collection") or VIEW_OF_ALL[0],
        request=PageRequest(
            limit=BATCH,
            added_after=parameters.added_after(),
            types=parameters.listed("type", STIX_TYPE, "a type of STIX objects"),
            cursor=_last_event_id(request, parameters),
        ),
    )


def _last_event_id(request: Request, parameters: Parameters) -> str:
    """The header, which a browser sets when it comes back, before the parameter that its page began with."""
    header = request.META.get("HTTP_LAST_EVENT_ID")
    given = header if header else parameters.one("last_event_id")
    if given == "":
        raise InvalidRequestError("the parameter last_event_id is empty", code="parameter-malformed")
    return given or ""
