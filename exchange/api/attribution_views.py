"""Who says what of one attributed thing, and one actor under the names that labs give it."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from attribution.standing.crosswalk import list_names
from attribution.standing.views import describe_object
from exchange.api import operations, schemas
from exchange.api.authentication import member_of
from exchange.api.endpoint import Endpoint, json_response, no_parameters
from exchange.api.publication import DOOR


class StandingView(Endpoint):
    """One thing and what is said of it."""

    @extend_schema(
        operation_id="describeAttributed",
        summary="Who says what of one attributed thing",
        description="Each lab's claim about a threat actor, campaign, infrastructure, indicator, tool or observable, "
        "how often labs saw it, their opinions and relationships, and whether anybody disagrees; from what you may "
        "read, and from nothing that is revoked or suspended. Confidence is never averaged.",
        parameters=[operations.STIX_ID],
        responses={200: schemas.answers("ObjectStanding", "What you may see."), **operations.MEMBER_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Describe it."""
        principal = member_of(request)
        no_parameters(request)
        return json_response(describe_object(principal=principal, stix_id=stix_id, door=DOOR))


class NamesView(Endpoint):
    """One actor and its names."""

    @extend_schema(
        operation_id="listActorNames",
        summary="Labs' names for one threat actor or campaign",
        description="What `duplicate-of` relationships connect it with, who says so and who disputes it. A link to "
        "what you may not see is not crossed and not told. At most 4 links away and 100 names.",
        parameters=[operations.STIX_ID],
        responses={200: schemas.answers("ActorNames", "What you may see."), **operations.MEMBER_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """List them."""
        principal = member_of(request)
        no_parameters(request)
        return json_response(list_names(principal=principal, stix_id=stix_id, door=DOOR))
