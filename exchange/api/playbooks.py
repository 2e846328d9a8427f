"""Playbooks: publish one, read its exact bytes, see it drawn. None of them is ever run here."""

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
from exchange.api.playbook_publication import read_playbook_publication
from exchange.api.problems import MEDIA_TYPE as PROBLEM_JSON
from exchange.api.repeating import answer_once
from exchange.services.errors import NotFoundError
from signatures.cacao import check_safety, inspect_playbook
from signatures.cacao.carrying import playbook_in
from signatures.cacao.drawing import draw_playbook

SVG: Final = "image/svg+xml"


class SvgRenderer(BaseRenderer):
    """Says that the address has this media type; its bytes are made by the view."""

    media_type = SVG
    format = "svg"

    def render(self, data: Any, *_context: Any) -> Any:
        return data


class PlaybooksView(Endpoint):
    """The way in for playbooks."""

    @extend_schema(
        operation_id="publishPlaybook",
        summary="Publish a playbook",
        description="A CACAO 2.0 playbook, whose bytes are kept as they come. The answer is the finished "
        "course-of-action that carries it, and a relationship for each object that it mitigates: drafts to sign and "
        "publish, or with `sign=true` signed by the node and published. Every playbook is validated, its own "
        "signatures are recomputed, and it has to be safe to hand on; pointers of a refusal lead into the playbook, "
        "or, where `errors` names objects, into these.",
        parameters=operations.PLAYBOOK_PARAMETERS,
        request={JSON: schemas.form("Playbook")},
        responses={
            200: schemas.answers("PlaybookAnswer", "Drafts, or nothing was new, or nothing was stored (dry run)."),
            201: schemas.answers("PlaybookAnswer", "Signed and published."),
            **operations.WRITE_PROBLEMS,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Check and finish, once under an Idempotency-Key."""
        principal = member_of(request)
        publication = read_playbook_publication(request._request, principal)
        answer = answer_once(principal, request._request, publication.body, publication.run)
        return bytes_response(answer.body, answer.status, JSON if answer.status < 400 else PROBLEM_JSON)


class PlaybookView(Endpoint):
    """The playbook in a course-of-action."""

    @extend_schema(
        operation_id="readPlaybook",
        summary="A playbook, to the byte",
        description="What the newest version of the course-of-action carries, exactly as its producer sent it.",
        parameters=operations.ONE_CARRIER_PARAMETERS,
        responses={200: schemas.answers("Playbook", "The playbook."), **operations.READ_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Serve it."""
        return bytes_response(_playbook_of(request, stix_id))


class ChartView(Endpoint):
    """The playbook in a course-of-action, drawn."""

    renderer_classes = [SvgRenderer, JSONRenderer]

    @extend_schema(
        operation_id="drawPlaybook",
        summary="A playbook as a flow chart",
        description="Drawn by the node as SVG, in light and dark. It has no scripts and loads nothing.",
        parameters=operations.ONE_CARRIER_PARAMETERS,
        responses={
            (200, SVG): schemas.text("The chart.", '<svg role="img">...</svg>'),
            **operations.READ_PROBLEMS,
        },
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Serve it."""
        inspection = inspect_playbook(_playbook_of(request, stix_id))
        chart = draw_playbook(inspection.members, check_safety(inspection.members))
        response = bytes_response(chart.encode(), media_type=SVG)
        # Opened by itself an SVG is a page: it may have its own style and nothing else.
        response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        return response


def _playbook_of(request: Request, stix_id: str) -> bytes:
    """The bytes of the playbook that the reader may read under this id.

    Raises:
        NotFoundError: no such object for this reader, or it carries no playbook. InvalidRequestError: as `members_of`.
    """
    playbook = playbook_in(members_of(request, stix_id))
    if playbook is None:
        raise NotFoundError("there is no playbook under this id", code="playbook-not-found")
    return playbook
