"""Selectors: the epochs of the issuer, evaluation of blinded values, and how many there were.

No value arrives here, and none of what arrives is kept or logged.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
import orjson
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from attribution.issuing.budgets import count_days
from attribution.issuing.epochs import state_epochs
from attribution.issuing.issuing import MAX_BLINDED, evaluate_blinded
from exchange.api import operations, orders, schemas
from exchange.api.authentication import member_of
from exchange.api.endpoint import JSON, Endpoint, bytes_response, json_response, no_parameters
from exchange.api.problems import encoded
from exchange.services.clock import now
from exchange.services.errors import InvalidRequestError

MAX_BODY_BYTES: Final = 256 * 1024
"""Three times what the largest order takes."""

COUNTED_DAYS: Final = 90

_ELEMENT: Final = re.compile("[0-9a-f]{64}")
_EpochName = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])\Z")]


class EvaluationOrder(msgspec.Struct, forbid_unknown_fields=True):
    """The body that asks for evaluations. blinded: elements in lower-case hexadecimal."""

    epoch: _EpochName
    blinded: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_BLINDED)]


class EpochsView(Endpoint):
    """The issuer's epochs."""

    keeps_nothing = True

    @extend_schema(
        operation_id="listSelectorEpochs",
        summary="Epochs of the issuer of selectors",
        description="Public keys, the newest first. `statement` is a note with the same in its `content`, signed by "
        "the node anew for each answer: verify it against the node's pinned root, and use no key that is not in it.",
        responses={200: schemas.answers("SelectorEpochs", "The epochs."), **operations.MEMBER_PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Serve them."""
        no_parameters(request)
        member_of(request)
        epochs, statement = state_epochs()
        return json_response({"epochs": [each.to_json() for each in epochs], "statement": orjson.Fragment(statement)})


class EvaluationsView(Endpoint):
    """The issuer at work."""

    keeps_nothing = True

    @extend_schema(
        operation_id="evaluateBlinded",
        summary="Evaluate blinded values",
        description="RFC 9497, mode VOPRF, ristretto255-SHA512: the answer has the elements in the order of the "
        f"request, 1 to {MAX_BLINDED}, and one proof for all of them. Each counts against the daily budget of your "
        "lab; a request is counted as a whole or not at all. Clients of labs and peers are refused.",
        request={JSON: schemas.form("Blinded")},
        responses={
            200: schemas.answers("Evaluated", "Evaluated, with the proof."),
            **operations.WRITE_PROBLEMS,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Evaluate."""
        no_parameters(request)
        principal = member_of(request)
        order = read_order(orders.order_body(request._request, max_body_bytes=MAX_BODY_BYTES))
        found = evaluate_blinded(principal=principal, epoch=order.epoch, blinded=_elements(order))
        answer = {
            "epoch": found.epoch,
            "public_key": found.public_key.hex(),
            "evaluated": [element.hex() for element in found.evaluated],
            "proof": found.proof.hex(),
            "left": found.left,
        }
        return bytes_response(encoded(answer))


class EvaluationCountsView(Endpoint):
    """How much the issuer evaluates."""

    @extend_schema(
        operation_id="countEvaluations",
        summary="Evaluations by day",
        description=f"Of the last {COUNTED_DAYS} finished days (UTC), for everybody; null where fewer than three labs "
        "asked.",
        responses={200: schemas.answers("EvaluationCounts", "The counts."), **operations.PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Serve them."""
        no_parameters(request)
        counted = count_days(now().date(), COUNTED_DAYS)
        return json_response({"days": [{"day": str(day), "evaluations": count} for day, count in counted]})


def read_order(body: bytes) -> EvaluationOrder:
    """The body of a request for evaluations, strictly.

    Raises:
        StixError: not I-JSON, or not an object. InvalidRequestError: a member is missing, unknown or of another type.
    """
    return orders.read_order(body, EvaluationOrder, code="selector-order")


def _elements(order: EvaluationOrder) -> list[bytes]:
    """The bytes of the elements; whether they are elements is the issuer's question."""
    for index, text in enumerate(order.blinded):
        if _ELEMENT.fullmatch(text) is None:
            raise InvalidRequestError(
                f"blinded value {index} is not 64 lower-case hexadecimal digits",
                code="blinded-element",
                pointer=f"/blinded/{index}",
            )
    return [bytes.fromhex(text) for text in order.blinded]
