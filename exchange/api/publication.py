"""A publication by REST: what the request wants, and doing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest

from exchange.api.outcomes import answer_of
from exchange.http.bodies import media_type_of, read_body, shape_fault
from exchange.http.errors import UnsupportedMediaTypeError
from exchange.http.parameters import Parameters
from exchange.services.access import require_publishing, require_scope
from exchange.services.collections import DEFAULT_ROOT, CollectionView, find_named
from exchange.services.errors import AccessDeniedError
from exchange.services.idempotency import KeptAnswer
from exchange.services.principals import Principal
from exchange.services.publishing import publish_objects
from exchange.services.roots import find_root
from exchange.stix.errors import MalformedJsonError, ObjectInvalidError
from exchange.stix.reading import split_body

DOOR: Final = "rest"
MEDIA_TYPES: Final = ("application/json", "application/stix+json", "application/taxii+json")


@dataclass(frozen=True, slots=True)
class Publication:
    """One request to publish. `collection` is None where each object goes by its type."""

    principal: Principal
    body: bytes
    collection: CollectionView | None
    dry_run: bool
    sign: bool

    def run(self) -> KeptAnswer:
        """Publish and answer.

        Raises:
            StixError: the body is no object, list, bundle or envelope. ExchangeError: as `publish_objects`.
        """
        try:
            bodies = split_body(self.body)
        except MalformedJsonError as error:
            raise shape_fault(error) from None
        if not bodies:
            raise ObjectInvalidError("no-objects", "At least one object is expected.")
        outcomes = publish_objects(
            principal=self.principal,
            bodies=bodies,
            collection=self.collection,
            door=DOOR,
            dry_run=self.dry_run,
            sign=self.sign,
        )
        return answer_of(outcomes)


def read_publication(request: HttpRequest, principal: Principal) -> Publication:
    """What the request wants.

    Raises:
        ExchangeError: the principal may not, or the request is malformed, too large or of another media type.
    """
    require_publishing(principal)
    parameters = Parameters(request.META.get("QUERY_STRING", ""))
    parameters.allow_only({"dry_run", "sign", "collection"})
    sign, dry_run = parameters.flag("sign"), parameters.flag("dry_run")
    if sign:
        require_scope(principal, "sign")
    alias = parameters.text("collection")
    collection = _writable(find_named(principal, alias)) if alias is not None else None
    media_type = media_type_of(request)
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMediaTypeError(f"objects are sent as one of {', '.join(MEDIA_TYPES)}")
    root = find_root(principal, DEFAULT_ROOT if collection is None else collection.api_root)
    body = read_body(request, max_body_bytes=root.max_content_bytes)
    return Publication(principal, body, collection, dry_run=dry_run, sign=sign)


def _writable(view: CollectionView) -> CollectionView:
    if not view.can_write:
        raise AccessDeniedError(f"you may not write to {view.alias}", code="not-writable")
    return view
