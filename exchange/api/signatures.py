"""Signatures: publish one, read the exact text of its pattern. Nothing is matched here."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from exchange.api import operations, schemas
from exchange.api.authentication import member_of
from exchange.api.carriers import members_of
from exchange.api.endpoint import JSON, Endpoint, bytes_response
from exchange.api.problems import MEDIA_TYPE as PROBLEM_JSON
from exchange.api.repeating import answer_once
from exchange.api.signature_publication import TEXT, YAML, read_signature_publication
from exchange.services.errors import NotFoundError

_RULE: Final = {"type": "string", "examples": ["title: Template family over many accounts\n"]}


class YamlRenderer(BaseRenderer):
    """Says that the address has this media type; its bytes are made by the view."""

    media_type = YAML
    format = "yaml"

    def render(self, data: Any, *_context: Any) -> Any:
        return data


class TextRenderer(YamlRenderer):
    """The same for patterns of other languages than Sigma."""

    media_type = TEXT
    format = "txt"


class SignaturesView(Endpoint):
    """The way in for signatures."""

    @extend_schema(
        operation_id="publishSignature",
        summary="Publish a signature",
        description="A Sigma rule with all that it refers to, or a STIX pattern; its text is kept as it comes. The "
        "answer is the finished indicator that carries it, and a relationship for each thing that it indicates: drafts "
        "to sign and publish, or with `sign=true` signed by the node and published. A rule that is sent again under "
        "the same `id` is the next version of its indicator, or the same if nothing is new. Errors name line and "
        "column; a field outside the vocabulary is a warning with the nearest known name.",
        parameters=operations.SIGNATURE_PARAMETERS,
        request={YAML: _RULE, TEXT: {"type": "string", "examples": ["[ipv4-addr:value = '203.0.113.7']"]}},
        responses={
            200: schemas.answers("SignatureAnswer", "Drafts, or nothing was new, or nothing was stored (dry run)."),
            201: schemas.answers("SignatureAnswer", "Signed and published."),
            **operations.WRITE_PROBLEMS,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Check and finish, once under an Idempotency-Key."""
        principal = member_of(request)
        publication = read_signature_publication(request._request, principal)
        answer = answer_once(principal, request._request, publication.body, publication.run)
        return bytes_response(answer.body, answer.status, JSON if answer.status < 400 else PROBLEM_JSON)


class SignatureView(Endpoint):
    """The pattern in an indicator."""

    renderer_classes = [YamlRenderer, TextRenderer, JSONRenderer]

    @extend_schema(
        operation_id="readSignature",
        summary="The pattern of a signature, to the byte",
        description="What the newest version of the indicator carries, exactly as its producer wrote it: Sigma as "
        f"`{YAML}`, every other language as `{TEXT}`.",
        parameters=operations.ONE_CARRIER_PARAMETERS,
        responses={
            (200, YAML): schemas.text("The rule.", "title: Template family over many accounts\n"),
            (200, TEXT): schemas.text("The pattern.", "[ipv4-addr:value = '203.0.113.7']"),
            **operations.READ_PROBLEMS,
        },
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Serve it."""
        members = members_of(request, stix_id)
        if members.get("type") != "indicator":
            raise NotFoundError("there is no signature under this id", code="signature-not-found")
        media_type = YAML if members["pattern_type"] == "sigma" else TEXT
        return bytes_response(members["pattern"].encode(), media_type=f"{media_type}; charset=utf-8")
