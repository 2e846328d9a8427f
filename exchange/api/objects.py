"""Objects: publish, list and search, read, delete. Their versions: versions.py."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from exchange.api import operations, schemas
from exchange.api.authentication import member_of, principal_of
from exchange.api.endpoint import JSON, Endpoint, bytes_response, json_response, no_parameters, query_of
from exchange.api.entries import objects_bytes, page_bytes
from exchange.api.filters import NAMES, read_search
from exchange.api.problems import MEDIA_TYPE as PROBLEM_JSON
from exchange.api.publication import DOOR, read_publication
from exchange.api.repeating import answer_once
from exchange.http.parameters import Parameters
from exchange.services.access import require_scope
from exchange.services.collections import VIEW_OF_ALL, find_named, visible_everywhere
from exchange.services.deletion import delete_object
from exchange.services.delivery import find_recipients
from exchange.services.query import Filters, read_object, read_page, search_page


class ObjectsView(Endpoint):
    """The objects of a collection, and the way in for new ones."""

    @extend_schema(
        operation_id="listObjects",
        summary="A page of a collection, or of what a search finds",
        description="The newest version of every object that you may read and that meets the filters, by date_added. "
        "Follow `next` with the same filters; or ask again later with `added_after`. Of a filter with several values, "
        "separated by commas, one is enough; several filters are to be met together.",
        parameters=operations.LIST_PARAMETERS,
        responses={200: schemas.answers("EntryPage", "A page."), **operations.READ_PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Serve a page; without filters and in the order of the sequence, by the way that followers take."""
        principal, parameters = principal_of(request), Parameters(query_of(request))
        parameters.allow_only(NAMES)
        collection = find_named(principal, parameters.text("collection") or VIEW_OF_ALL[0])
        search = read_search(parameters, collection)
        if search.filters == Filters() and not search.newest_first:
            page = read_page(principal=principal, collection=collection, request=search.page, door=DOOR)
        else:
            page = search_page(principal=principal, collection=collection, search=search, door=DOOR)
        made = page_bytes(page, [collection.sources, collection.open_sources])
        return bytes_response(made.body, tagged=made.tagged)

    @extend_schema(
        operation_id="publishObjects",
        summary="Publish objects",
        description="One object, a list, a bundle or an envelope. Each object is taken or refused by itself; "
        "results come in the order sent. If every object is refused, a problem's `errors` name each.",
        parameters=operations.PUBLISH_PARAMETERS,
        request=dict.fromkeys(operations.PUBLICATION_TYPES, schemas.form("StixBody")),
        responses={
            200: schemas.answers("Results", "Nothing was new, or nothing was stored (dry run)."),
            201: schemas.answers("Results", "At least one object is new."),
            **operations.WRITE_PROBLEMS,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Publish, once under an Idempotency-Key."""
        principal = member_of(request)
        publication = read_publication(request._request, principal)
        answer = answer_once(principal, request._request, publication.body, publication.run)
        return bytes_response(answer.body, answer.status, JSON if answer.status < 400 else PROBLEM_JSON)


class ObjectView(Endpoint):
    """One object by its STIX id."""

    @extend_schema(
        operation_id="readObject",
        summary="One object",
        description="The newest version by each producer that you may read. What you may not read is absent.",
        parameters=[operations.STIX_ID],
        responses={200: schemas.answers("EntryList", "The object."), **operations.READ_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Serve the object."""
        no_parameters(request)
        principal = principal_of(request)
        entries = read_object(
            principal=principal, stix_id=stix_id, door=DOOR, collections=visible_everywhere(principal)
        )
        return bytes_response(objects_bytes(entries))

    @extend_schema(
        operation_id="deleteObject",
        summary="Delete your own object",
        description="All its versions go; its readers are told; it cannot be published again. Plain feeds that pulled "
        "it keep it: then the answer is 200 and names them.",
        parameters=[operations.STIX_ID],
        responses={
            200: schemas.answers("Deletion", "It is deleted here, and feeds that pulled it keep it."),
            204: None,
            **operations.DELETE_PROBLEMS,
        },
    )
    def delete(self, request: Request, stix_id: str) -> HttpResponse:
        """Delete it."""
        no_parameters(request)
        kept_by = delete_object(principal=member_of(request), stix_id=stix_id)
        return json_response({"kept_by": kept_by}) if kept_by else HttpResponse(status=204)


class RecipientsView(Endpoint):
    """Who received one of your objects."""

    @extend_schema(
        operation_id="listRecipients",
        summary="Which labs and peers received your object",
        description="Each lab or peer that received a version of your own object, and the first day on which it did; "
        "for AMBER and stricter. Expanded from the delivery log.",
        parameters=[operations.STIX_ID],
        responses={200: schemas.answers("RecipientList", "The labs."), **operations.MEMBER_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Serve them."""
        no_parameters(request)
        principal = member_of(request)
        require_scope(principal, "read")
        found = find_recipients(principal=principal, stix_id=stix_id)
        rows = [{"lab": each.lab, "version": each.version, "day": each.day.isoformat()} for each in found]
        return json_response({"recipients": rows})
