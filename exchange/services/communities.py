"""How operators make and change API roots and collections. Acts at the next request of everybody, in every process.

Who may use a collection is services/collections.py; what leaves one by age is services/deletion/expiring.py.
"""

from __future__ import annotations

from typing import Any, Final

from exchange.models import ApiRoot, Collection
from exchange.models.collection import DEFAULT_MAX_CONTENT_BYTES
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.collections import DEFAULT_ROOT, create_default_collections
from exchange.services.database import writing
from exchange.services.errors import ConflictError, InvalidRequestError, NotFoundError
from exchange.services.fixed_objects import share_fixed_objects
from exchange.services.late_grants import place_anew
from exchange.services.principals import Principal
from exchange.services.storing import retrying
from exchange.stix.limits import MAX_OBJECT_BYTES
from exchange.stix.markings import Tlp

RESERVED_SLUGS: Final = frozenset(
    {"admin", "api", "healthz", "metrics", "readyz", "static", "taxii2"}
    | {"appeals", "attribution", "audit", "labs", "log", "peers", "playbooks", "signatures", "transparency"}
)
"""First parts of addresses that are no API root: what the node has there, and what it keeps for its pages and log."""

BOUNDS: Final = {
    "max_content_bytes": (1_024, 256 * 1024 * 1024),
    "page_limit": (1, 10_000),
    "max_object_bytes": (1_024, MAX_OBJECT_BYTES),
    "retention_days": (0, 36_500),
}
"""Least and most of each number. A body is held in memory; a page of 10,000 is bounded in bytes as well."""


_OF_VIEWS: Final = {"title", "description", "page_limit"}


def create_root(
    *,
    actor: Principal,
    slug: str,
    title: str,
    description: str = "",
    max_content_bytes: int = DEFAULT_MAX_CONTENT_BYTES,
    with_collections: bool = False,
) -> ApiRoot:
    """Create an API root; with_collections: with the default collections, which nobody may use before a grant.

    Raises:
        ConflictError: the name is taken. InvalidRequestError: the name is no root's, or a number is out of bounds.
    """
    if slug in RESERVED_SLUGS:
        raise InvalidRequestError(f"{slug} is an address of the node itself")
    _check_bounds({"max_content_bytes": max_content_bytes})
    with writing():
        if ApiRoot.objects.filter(slug=slug).exists():
            raise ConflictError(f"there is an API root {slug} already")
        root = ApiRoot.objects.create(
            slug=slug, title=title, description=description, max_content_bytes=max_content_bytes
        )
        record_event(actor, "root-created", slug)
        if with_collections:
            create_default_collections(actor=actor, api_root=slug)
            for made in root.collections.filter(is_view=False):
                share_fixed_objects(made.pk)
    return root


def update_root(
    *,
    actor: Principal,
    slug: str,
    title: str | None = None,
    description: str | None = None,
    max_content_bytes: int | None = None,
) -> ApiRoot:
    """Change what is not None of an API root.

    Raises:
        NotFoundError: no such root. InvalidRequestError: a number is out of bounds, or nothing is to change.
    """
    changes = _given(title=title, description=description, max_content_bytes=max_content_bytes)
    with writing():
        root = ApiRoot.objects.select_for_update().filter(slug=slug).first()
        if root is None:
            raise NotFoundError(f"there is no API root {slug}", code="root-not-found")
        _write(root, changes)
        record_event(actor, "root-changed", slug, fields=sorted(changes))
    return root


def collection_named(alias: str, *, api_root: str = DEFAULT_ROOT) -> Collection:
    """A collection, for an operator.

    Raises:
        NotFoundError: the root has none of this alias.
    """
    found = Collection.objects.select_related("api_root").filter(api_root__slug=api_root, alias=alias).first()
    if found is None:
        raise NotFoundError(f"there is no collection {alias} in {api_root}", code="collection-not-found")
    return found


def update_collection(
    *,
    actor: Principal,
    collection: Collection,
    title: str | None = None,
    description: str | None = None,
    floor: Tlp | None = None,
    public: bool | None = None,
    page_limit: int | None = None,
    max_object_bytes: int | None = None,
    retention_days: int | None = None,
) -> Collection:
    """Change what is not None of a collection. Floor and size limit bind what is published from now on.

    retention_days: 0 means for ever. What becomes public gets new places in the sequence, so that followers meet it.

    Raises:
        InvalidRequestError: a number is out of bounds, or nothing is to change.
    """
    changes = _given(
        title=title,
        description=description,
        floor=None if floor is None else int(floor),
        public=public,
        page_limit=page_limit,
        max_object_bytes=max_object_bytes,
        retention_days=retention_days,
    )
    if retention_days == 0:
        changes["retention_days"] = None
    return retrying(lambda: _update(actor, collection.pk, changes))


def _update(actor: Principal, collection_id: int, changes: dict[str, Any]) -> Collection:
    with writing():
        stored = Collection.objects.select_for_update().get(pk=collection_id)
        if stored.is_view and not changes.keys() <= _OF_VIEWS:
            raise InvalidRequestError("of a view, title, description and page limit can be changed")
        opens = changes.get("public") is True and not stored.public
        _write(stored, changes)
        record_event(actor, "collection-changed", stored.alias, fields=sorted(changes))
        if opens:
            place_anew(stored, None, now())
    return stored


def _given(**values: Any) -> dict[str, Any]:
    changes = {name: value for name, value in values.items() if value is not None}
    if not changes:
        raise InvalidRequestError("nothing is to change")
    if changes.get("title") == "":
        raise InvalidRequestError("a title is not empty")
    _check_bounds(changes)
    return changes


def _check_bounds(values: dict[str, Any]) -> None:
    for name, (least, most) in BOUNDS.items():
        if name in values and not least <= values[name] <= most:
            raise InvalidRequestError(f"{name} is {least} to {most}, not {values[name]}")


def _write(row: ApiRoot | Collection, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=sorted(changes))
