"""Drafts: objects that their producer has still to sign, through every step of publishing that needs no signature.

Nothing is stored. Whether a version is in conflict with one that is stored shows when the signed object is published.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from exchange.services.access import require_publishing
from exchange.services.collections import CollectionView, visible_collections
from exchange.services.database import writing
from exchange.services.errors import AccessDeniedError
from exchange.services.principals import Principal
from exchange.services.publishing.advising import advise
from exchange.services.publishing.item import Item, each
from exchange.services.publishing.marking import KnownMarking, mark_items, recipients_in
from exchange.services.publishing.outcome import Outcome, OutcomeStatus
from exchange.services.publishing.owning import check_ownership
from exchange.services.publishing.reading import read_item
from exchange.services.publishing.referring import check_references


def check_drafts(
    *, principal: Principal, bodies: Sequence[bytes], collection: CollectionView | None = None
) -> list[Outcome]:
    """Check unsigned objects for the lab of `principal`; one outcome each, `valid` or `failed`, in their order.

    bodies, collection: as `publish_objects`.

    Raises:
        NotAuthenticatedError, AccessDeniedError: the principal may not publish at all.
    """
    require_publishing(principal)
    if principal.lab_id is None:
        raise AccessDeniedError("only labs publish")
    views = [collection] if collection is not None else visible_collections(principal)
    homes = {view.alias: view for view in views}
    readable = views[0].granted_homes if views else ()
    items = [Item(index, body) for index, body in enumerate(bodies)]
    read = each(items, lambda item: read_item(item, principal, collection, homes))
    advise([item for item in read if item.collection is not None])
    with writing():
        owned = check_ownership(principal, read, readable)
        check_references(principal, mark_items(principal, owned, readable, _markings_among(owned)), readable)
        transaction.set_rollback(True)
    return [
        Outcome(
            index=item.index,
            id=item.claimed_id,
            version=item.claimed_version,
            status=OutcomeStatus.FAILED if item.error is not None else OutcomeStatus.VALID,
            error=item.error,
            warnings=item.warnings,
            body=item.body,
        )
        for item in items
    ]


def _markings_among(items: Sequence[Item]) -> dict[str, KnownMarking]:
    """The marking-definitions among these: an object that names one is for whom it names, as it will be once signed."""
    return {
        item.object.id: KnownMarking(is_own=True, recipients=recipients_in(item.body))
        for item in items
        if item.object.type == "marking-definition"
    }
