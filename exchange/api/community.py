"""Who and what is here: collections, labs and their keys, and oneself."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from exchange.api import operations, schemas
from exchange.api.authentication import member_of, principal_of
from exchange.api.endpoint import Endpoint, json_response, no_parameters
from exchange.models import Lab
from exchange.services.collections import visible_everywhere
from exchange.services.errors import NotFoundError
from exchange.services.keys import keys_of
from exchange.services.labs import list_labs
from exchange.services.tokens import list_tokens
from exchange.stix.timestamps import format_taxii


class CollectionsView(Endpoint):
    """The collections in sight."""

    @extend_schema(
        operation_id="listCollections",
        summary="Collections",
        description="Those that you may know of, and what you may do with them.",
        responses={200: schemas.answers("Collections", "The collections."), **operations.PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Serve them."""
        no_parameters(request)
        views = visible_everywhere(principal_of(request))
        listed = [
            {
                "id": str(view.public_id),
                "root": view.api_root,
                "alias": view.alias,
                "title": view.title,
                "scope": view.scope,
                "floor": view.floor.label,
                "can_read": view.can_read,
                "can_write": view.can_write,
            }
            for view in views
        ]
        return json_response({"collections": listed})


class LabsView(Endpoint):
    """The members of the node, and the node itself."""

    @extend_schema(
        operation_id="listLabs",
        summary="Labs and nodes",
        description="Everybody who signs here. `home` is the node that a lab lives on.",
        responses={200: schemas.answers("Labs", "Labs and nodes."), **operations.PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Serve them."""
        no_parameters(request)
        member_of(request)
        labs = list_labs()
        home = next((lab.slug for lab in labs if lab.is_self), None)
        return json_response({"labs": [_lab(lab, home) for lab in labs]})


class KeysView(Endpoint):
    """The keys of one lab or node."""

    @extend_schema(
        operation_id="listKeys",
        summary="Keys of a lab or node",
        description="Every key that it ever introduced, as a JWK with its state. Trust none of them without a root "
        "thumbprint that you compared over another channel.",
        parameters=[operations.SLUG],
        responses={200: schemas.answers("Keys", "The keys."), **operations.NAMED_PROBLEMS},
    )
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Serve them."""
        no_parameters(request)
        member_of(request)
        lab = next((each for each in list_labs() if each.slug == slug), None)
        if lab is None:
            raise NotFoundError(f"there is no lab {slug}", code="lab-not-found")
        return json_response({"identity": lab.identity_id, "keys": [key.to_jwk() for key in keys_of(lab)]})


class WhoamiView(Endpoint):
    """Whom the token speaks for."""

    @extend_schema(
        operation_id="whoami",
        summary="Whom your token speaks for",
        responses={200: schemas.answers("Whoami", "You."), **operations.PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """Serve it."""
        no_parameters(request)
        principal = member_of(request)
        own = next(token for token in list_tokens(principal=principal) if token.prefix == principal.token_prefix)
        return json_response(
            {
                "lab": principal.lab_slug,
                "identity": principal.lab_identity or None,
                "scopes": sorted(principal.scopes),
                "client": principal.is_client,
                "expires": format_taxii(own.expires_at),
            }
        )


def _lab(lab: Lab, home: str | None) -> dict[str, str | None]:
    return {
        "slug": lab.slug,
        "name": lab.name,
        "kind": str(lab.kind),
        "identity": lab.identity_id if lab.kind != Lab.Kind.FEED else None,
        "status": str(lab.status),
        "home": home if lab.kind == Lab.Kind.LAB else None,
    }
