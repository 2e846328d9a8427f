"""Onward sharing: ask an object's producer to let somebody more see it, decide, take back. The services decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from attribution.models.onward import MAX_REASON_CHARS
from attribution.onward import MAX_PAGE, Answered, ask_onward, list_requests, require_asker, withdraw_request
from attribution.onward.listing import ROLES, State
from exchange.api import attribution_operations, operations, schemas
from exchange.api.authentication import member_of
from exchange.api.endpoint import JSON, Endpoint, bytes_response, json_response, no_parameters, query_of
from exchange.api.onward_decision import read_decision
from exchange.api.onward_requests import shown_request
from exchange.api.orders import order_body, read_order
from exchange.api.problems import MEDIA_TYPE as PROBLEM_JSON
from exchange.api.problems import encoded
from exchange.api.repeating import answer_once
from exchange.http.parameters import Parameters, malformed
from exchange.services.idempotency import KeptAnswer
from exchange.services.principals import Principal

MAX_BODY_BYTES: Final = 16 * 1024
"""Several times what the longest reason takes."""

_Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,250}--[0-9a-f-]{36}\Z")]
_Slug = Annotated[str, msgspec.Meta(pattern=r"^[-a-zA-Z0-9_]{1,64}\Z")]
_Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_REASON_CHARS, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class OnwardOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The body that asks."""

    object: _Id
    for_whom: _Slug = msgspec.field(name="for")
    reason: _Reason
    producer: _Slug | None = None


class OnwardView(Endpoint):
    """The requests that one's lab asked and received."""

    @extend_schema(
        operation_id="listOnwardRequests",
        summary="Requests for onward sharing",
        description="Those that your lab asked, and those to it, the newest first.",
        parameters=attribution_operations.ONWARD_PARAMETERS,
        responses={200: schemas.answers("OnwardPage", "A page."), **operations.MEMBER_PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Serve a page."""
        principal, parameters = member_of(request), Parameters(query_of(request))
        parameters.allow_only({"role", "state", "limit", "cursor"})
        page = list_requests(
            principal=principal,
            role=_one_of(parameters, "role", ROLES),
            state=_one_of(parameters, "state", State.values),
            cursor=parameters.text("cursor") or "",
            limit=parameters.limit() or MAX_PAGE,
        )
        return json_response({"requests": [shown_request(each) for each in page.requests], "next": page.next or None})

    @extend_schema(
        operation_id="askOnward",
        summary="Ask that somebody more may see an object",
        description="Its producer is asked to let a named lab, or your own clients, see an object that you may read. "
        "TLP:RED is never shared onward. An object that was published at another exchange is asked for there.",
        parameters=[operations.IDEMPOTENCY_KEY],
        request={JSON: schemas.form("NewOnwardRequest")},
        responses={
            200: schemas.answers("OnwardAnswer", "Nothing to ask, or it is asked already."),
            201: schemas.answers("OnwardAnswer", "Asked."),
            **operations.WRITE_PROBLEMS,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Ask, once under an Idempotency-Key."""
        no_parameters(request)
        principal = member_of(request)
        require_asker(principal)
        body = order_body(request._request, max_body_bytes=MAX_BODY_BYTES)
        answer = answer_once(principal, request._request, body, lambda: _ask(principal, body))
        return bytes_response(answer.body, answer.status)


class OnwardRequestView(Endpoint):
    """One request."""

    @extend_schema(
        operation_id="withdrawOnwardRequest",
        summary="Take your request back",
        description="Repeating it changes nothing.",
        parameters=[attribution_operations.ONWARD_ID],
        responses={204: None, **operations.DELETE_PROBLEMS},
    )
    def delete(self, request: Request, public_id: str) -> HttpResponse:
        """Take it back."""
        no_parameters(request)
        withdraw_request(principal=member_of(request), public_id=public_id)
        return HttpResponse(status=204)


class OnwardDecisionView(Endpoint):
    """The producer's decision."""

    @extend_schema(
        operation_id="decideOnwardRequest",
        summary="Grant or refuse a request",
        description="Of a grant the answer has the objects that grant it: drafts to sign and publish, or with "
        "`sign=true` signed by the node and published. The request is granted when the version is there; until then it "
        "may be decided anew. A grant for clients of an AMBER+STRICT object makes it AMBER: the clients of all its "
        "recipients see it then.",
        parameters=attribution_operations.DECISION_PARAMETERS,
        request={JSON: schemas.form("OnwardDecision")},
        responses={
            200: schemas.answers("OnwardDecided", "Refused, or drafts that grant it."),
            201: schemas.answers("OnwardDecided", "Granted: signed and published."),
            **operations.WRITE_PROBLEMS,
        },
    )
    def post(self, request: Request, public_id: str) -> HttpResponse:
        """Decide, once under an Idempotency-Key."""
        principal = member_of(request)
        body = order_body(request._request, max_body_bytes=MAX_BODY_BYTES)
        decision = read_decision(request._request, principal, public_id, body)
        answer = answer_once(principal, request._request, decision.body, decision.run)
        return bytes_response(answer.body, answer.status, JSON if answer.status < 400 else PROBLEM_JSON)


def _ask(principal: Principal, body: bytes) -> KeptAnswer:
    order = read_order(body, OnwardOrder, code="onward-order")
    asked = ask_onward(
        principal=principal,
        stix_id=order.object,
        producer=order.producer or "",
        for_whom=order.for_whom,
        reason=order.reason,
    )
    shown = None if asked.request is None else shown_request(asked.request)
    status = 201 if asked.outcome is Answered.ASKED else 200
    return KeptAnswer(status, encoded({"outcome": str(asked.outcome), "request": shown}))


def _one_of(parameters: Parameters, name: str, known: Sequence[str]) -> str:
    text = parameters.text(name)
    if text is not None and text not in known:
        raise malformed(name, f"is one of {', '.join(known)}")
    return text or ""
