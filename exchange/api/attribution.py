"""Lookups of addresses, autonomous systems and domains, one by one and in streams, and lists for other software.

Nothing that is asked is kept, and what is absent and what the reader may not see are the same bytes.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from attribution.lookups.bulk import Lookup
from attribution.lookups.export import Export
from attribution.lookups.formats import FORMATS
from attribution.lookups.lines import MAX_BYTES, MAX_LINES, split_lines
from attribution.lookups.lookup import look_up
from attribution.lookups.questions import NAMES, Question, read_question
from exchange.api import attribution_operations, operations, schemas
from exchange.api.authentication import member_of
from exchange.api.endpoint import Endpoint, json_response, query_of
from exchange.api.publication import DOOR
from exchange.http.bodies import media_type_of, read_body
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.http.parameters import Parameters, malformed
from exchange.services.access import require_scope
from exchange.services.errors import InvalidRequestError, TooLargeError
from exchange.stix.errors import ObjectInvalidError, shown

NDJSON: Final = "application/x-ndjson"
TEXT: Final = "text/plain"
LINE_TYPES: Final = (NDJSON, "application/jsonl", "application/json")
_ASKED: Final = '{"ip":"203.0.113.7"}\n{"asn":"AS64500"}\n{"domain":"proxies.example"}\n'
_ANSWERED: Final = '{"query":{"ip":"203.0.113.7"},"matches":[]}\n'
_LISTED: Final = "# TLP:GREEN - commonwatch, networks in sight of aurora at 2026-11-24T12:00:00.000Z\n"


class LinesRenderer(BaseRenderer):
    """Says that the address has this media type; its bytes are made by the view."""

    media_type = NDJSON
    format = "lines"

    def render(self, data: Any, *_context: Any) -> Any:
        return data


class TextRenderer(LinesRenderer):
    """As above, for lists that other software includes."""

    media_type = TEXT
    format = "text"


class LookupView(Endpoint):
    """One question."""

    @extend_schema(
        operation_id="lookUp",
        summary="Who says what about an address, autonomous system or domain",
        description="Exactly one of `ip`, `asn` and `domain`. Claims that have decayed away or ended are left out "
        "unless `include=stale`.",
        parameters=attribution_operations.LOOKUP_PARAMETERS,
        responses={200: schemas.answers("LookupAnswer", "What you may see."), **operations.MEMBER_PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer it."""
        principal, parameters = member_of(request), Parameters(query_of(request))
        parameters.allow_only({*NAMES, "include"})
        question, include_stale = _question_of(parameters), _includes_stale(parameters)
        answers = look_up(principal=principal, questions=[question], door=DOOR, include_stale=include_stale)
        return json_response(answers[0])


class LookupsView(Endpoint):
    """Many questions."""

    renderer_classes = [LinesRenderer, JSONRenderer]

    @extend_schema(
        operation_id="lookUpLines",
        summary="The same for up to 100,000 lines",
        description="JSON lines in and out, in the same order. A line that is no question is answered by a line with "
        "`error`, and does not concern the others.",
        parameters=attribution_operations.LOOKUPS_PARAMETERS,
        request={NDJSON: {"type": "string", "examples": [_ASKED]}},
        responses={
            (200, NDJSON): schemas.text("An answer for each line.", _ANSWERED),
            **operations.WRITE_PROBLEMS,
        },
    )
    def post(self, request: Request) -> HttpResponseBase:
        """Answer them."""
        principal, parameters = member_of(request), Parameters(query_of(request))
        require_scope(principal, "read")
        parameters.allow_only({"include"})
        include_stale = _includes_stale(parameters)
        media_type = media_type_of(request._request)
        if media_type not in LINE_TYPES:
            raise UnsupportedMediaTypeError(f"lines are sent as one of {', '.join(LINE_TYPES)}")
        lines = split_lines(read_body(request._request, max_body_bytes=MAX_BYTES))
        if len(lines) > MAX_LINES:
            raise TooLargeError(f"a stream has at most {MAX_LINES} lines", code="too-many-lines")
        lookup = Lookup(principal=principal, lines=lines, door=DOOR, include_stale=include_stale)
        return StreamingHttpResponse(iter(lookup), content_type=NDJSON)


class ExportView(Endpoint):
    """Everything in sight."""

    keeps_nothing = True
    renderer_classes = [LinesRenderer, TextRenderer, JSONRenderer]

    @extend_schema(
        operation_id="exportClaims",
        summary="All networks in sight as a list",
        description="With expiry and state inside, and the strictest label in the head. Disputed networks stand apart.",
        parameters=attribution_operations.EXPORT_PARAMETERS,
        responses={
            (200, NDJSON): schemas.text("For `jsonl`, and with domains.", _ANSWERED),
            (200, TEXT): schemas.text("For `nginx` and `nft`.", _LISTED),
            (200, "application/json"): {"type": "object"},
            **operations.MEMBER_PROBLEMS,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Begin the list."""
        principal, parameters = member_of(request), Parameters(query_of(request))
        require_scope(principal, "read")
        parameters.allow_only({"format", "include"})
        form = parameters.text("format") or "jsonl"
        if form not in FORMATS:
            raise malformed("format", f"is one of {', '.join(FORMATS)}")
        include_stale = _includes_stale(parameters)
        media_type = {"jsonl": NDJSON, "envoy": "application/json"}.get(form, TEXT)
        if request.method == "HEAD":
            return HttpResponse(content_type=media_type)
        export = Export(principal=principal, form=form, door=DOOR, include_stale=include_stale)
        return StreamingHttpResponse(iter(export), content_type=media_type)


def _question_of(parameters: Parameters) -> Question:
    given = [(name, text) for name in NAMES if (text := parameters.text(name)) is not None]
    if len(given) != 1:
        raise InvalidRequestError(f"exactly one of {', '.join(NAMES)} is asked for", code="one-question")
    name, text = given[0]
    try:
        return read_question(name, text)
    except ObjectInvalidError as error:
        raise malformed(name, f"is refused: {error.message}") from None


def _includes_stale(parameters: Parameters) -> bool:
    text = parameters.text("include")
    if text not in (None, "stale"):
        raise malformed("include", f"is stale, and not {shown(text)}")
    return text is not None
