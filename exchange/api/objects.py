"""Objects: publish, list, read, versions, delete."""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from exchange.api import schemas
from exchange.api.authentication import member_of, principal_of
from exchange.api.endpoint import JSON, Endpoint, bytes_response, query_of
from exchange.api.entries import objects_bytes, page_bytes, versions_bytes
from exchange.api.problems import MEDIA_TYPE as PROBLEM_JSON
from exchange.api.publication import DOOR, digest_of, read_publication, run_once
from exchange.http.parameters import STIX_TYPE, Parameters
from exchange.services.access import require_scope
from exchange.services.collections import VIEW_OF_ALL, find_collection, visible_collections
from exchange.services.deletion import delete_object
from exchange.services.delivery import find_recipients
from exchange.services.query import PageRequest, read_object, read_page, read_versions


class ObjectsView(Endpoint):
    """The objects of a collection, and the way in for new ones."""

    @extend_schema(
        operation_id="listObjects",
        summary="A page of a collection",
        description="The newest version of every object that you may read, by ascending date_added. Follow `next` with "
        "the same filters; or ask again later with `added_after`.",
        parameters=schemas.LIST_PARAMETERS,
        responses={200: schemas.answers("EntryPage", "A page."), **schemas.READ_PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Serve a page."""
        principal, parameters = principal_of(request), Parameters(query_of(request))
        parameters.allow_only({"collection", "type", "added_after", "limit", "cursor"})
        collection = find_collection(principal, parameters.one("collection") or VIEW_OF_ALL[0])
        page = read_page(
            principal=principal,
            collection=collection,
            request=PageRequest(
                limit=parameters.limit() or collection.page_limit,
                added_after=parameters.added_after(),
                cursor=parameters.one("cursor") or "",
                types=parameters.listed("type", STIX_TYPE, "a type of STIX objects"),
            ),
            door=DOOR,
        )
        return bytes_response(page_bytes(page))

    @extend_schema(
        operation_id="publishObjects",
        summary="Publish objects",
        description="One object, a list, a bundle or an envelope. Each object is taken or refused by itself; "
        "results come in the order sent. If every object is refused, a problem's `errors` name each.",
        parameters=schemas.PUBLISH_PARAMETERS,
        request={"application/json": schemas.form("StixBody")},
        responses={
            200: schemas.answers("Results", "Nothing was new, or nothing was stored (dry run)."),
            201: schemas.answers("Results", "At least one object is new."),
            **schemas.WRITE_PROBLEMS,
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Publish, once under an Idempotency-Key."""
        principal = member_of(request)
        publication = read_publication(request._request, principal)
        key = request.META.get("HTTP_IDEMPOTENCY_KEY")
        if key is None:
            answer = publication.run()
        else:
            answer = run_once(principal, key, digest_of(request._request, publication), publication.run)
        return bytes_response(answer.body, answer.status, JSON if answer.status < 400 else PROBLEM_JSON)


class ObjectView(Endpoint):
    """One object by its STIX id."""

    @extend_schema(
        operation_id="readObject",
        summary="One object",
        description="The newest version by each producer that you may read. What you may not read is absent.",
        responses={200: schemas.answers("EntryList", "The object."), **schemas.READ_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Serve the object."""
        principal = principal_of(request)
        Parameters(query_of(request)).allow_only(())
        entries = read_object(
            principal=principal, stix_id=stix_id, door=DOOR, collections=visible_collections(principal)
        )
        return bytes_response(objects_bytes(entries))

    @extend_schema(
        operation_id="deleteObject",
        summary="Delete your own object",
        description="All its versions go; its readers are told; it cannot be published again.",
        responses={204: None, **schemas.READ_PROBLEMS},
    )
    def delete(self, request: Request, stix_id: str) -> HttpResponse:
        """Delete it."""
        Parameters(query_of(request)).allow_only(())
        delete_object(principal=member_of(request), stix_id=stix_id)
        return HttpResponse(status=204)


class VersionsView(Endpoint):
    """The versions of one object."""

    @extend_schema(
        operation_id="listVersions",
        summary="The versions of an object",
        description="Every version that you may read, by ascending date_added.",
        responses={200: schemas.answers("VersionList", "The versions."), **schemas.READ_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> HttpResponse:
        """Serve them."""
        principal = principal_of(request)
        Parameters(query_of(request)).allow_only(())
        entries = read_versions(
            principal=principal, stix_id=stix_id, door=DOOR, collections=visible_collections(principal)
        )
        return bytes_response(versions_bytes(entries))


class RecipientsView(Endpoint):
    """Who received one of your objects."""

    @extend_schema(
        operation_id="listRecipients",
        summary="Which labs received your object",
        description="Each lab that received a version of your own object, and the first day on which it did; for AMBER "
        "and stricter. Expanded from the delivery log.",
        responses={200: schemas.answers("RecipientList", "The labs."), **schemas.READ_PROBLEMS},
    )
    def get(self, request: Request, stix_id: str) -> JsonResponse:
        """Serve them."""
        Parameters(query_of(request)).allow_only(())
        principal = member_of(request)
        require_scope(principal, "read")
        found = find_recipients(principal=principal, stix_id=stix_id)
        rows = [{"lab": each.lab, "version": each.version, "day": each.day.isoformat()} for each in found]
        return JsonResponse({"recipients": rows})
