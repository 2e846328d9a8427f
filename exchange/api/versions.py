"""The versions of an object, and what changed between two of them."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from exchange.api import operations, schemas
from exchange.api.authentication import principal_of
from exchange.api.endpoint import Endpoint, bytes_response, query_of
from exchange.api.entries import difference_bytes, versions_bytes
from exchange.api.filters import read_producer
from exchange.api.publication import DOOR
from exchange.http.parameters import Parameters
from exchange.services.collections import visible_everywhere
from exchange.services.query import VersionsRequest, compare_versions, read_versions
from exchange.services.query.history import MAX_VERSIONS


class VersionsView(Endpoint):
    """The versions of one object."""

    @extend_schema(
        operation_id="listVersions",
        summary="The versions of an object",
        description="Every version that you may read, by ascending date_added.",
        parameters=operations.VERSIONS_PARAMETERS,
        responses={200: schemas.answers("VersionPage", "A page of versions."), **operations.READ_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Serve a page of them."""
        principal, parameters = principal_of(request), Parameters(query_of(request))
        parameters.allow_only({"producer", "limit", "cursor"})
        collections = visible_everywhere(principal)
        asked = VersionsRequest(
            stix_id=stix_id,
            producer=read_producer(parameters),
            limit=parameters.limit() or MAX_VERSIONS,
            cursor=parameters.text("cursor") or "",
        )
        page = read_versions(principal=principal, request=asked, door=DOOR, collections=collections)
        reach = [[view.sources, view.open_sources] for view in collections]
        made = versions_bytes(page, reach)
        return bytes_response(made.body, tagged=made.tagged)


class DifferenceView(Endpoint):
    """What changed between two versions of an object."""

    @extend_schema(
        operation_id="compareVersions",
        summary="What changed between two versions",
        description="The changes that make the version `to` out of the version `from`, as operations of RFC 6902 with "
        "the value before beside the value after. Left out, `to` is the latest version that you may read, and `from` "
        "the one before it. A member that changed in more than 500 places is told as replaced.",
        parameters=operations.DIFFERENCE_PARAMETERS,
        responses={200: schemas.answers("Difference", "The changes."), **operations.READ_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Serve the changes."""
        principal, parameters = principal_of(request), Parameters(query_of(request))
        parameters.allow_only({"producer", "from", "to"})
        found = compare_versions(
            principal=principal,
            stix_id=stix_id,
            old=parameters.instant("from"),
            new=parameters.instant("to"),
            producer=read_producer(parameters),
            door=DOOR,
            collections=visible_everywhere(principal),
        )
        return bytes_response(difference_bytes(found, stix_id))
