"""What is asked of a collection, and the conditions that it means in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from exchange.services.collections import CollectionView
from exchange.services.query.entries import FOR_ANYBODY, NOT_ITS_OWN, READABLE, open_params
from exchange.services.query.versions import LAST, Branch, version_branches, version_keys
from exchange.stix.timestamps import format_taxii

MAX_PAGE_BYTES: Final = 16 * 1024 * 1024
"""Bodies on one page, beyond the first: a thousand large objects must exhaust neither the node nor its readers."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What is asked of a collection. `cursor` continues an earlier page of the same question.

    added_after: strictly later than this. types, ids: any of these, empty for all. versions: which versions of an
    object, any of `first`, `last` and version keys; `all_versions` takes every one. until: the last number of the
    sequence that a service looks at, whatever came since. max_bytes: of bodies, beyond the first.
    """

    limit: int
    added_after: datetime | None = None
    cursor: str = ""
    types: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    all_versions: bool = False
    versions: tuple[str, ...] = (LAST,)
    until: int | None = None
    max_bytes: int = MAX_PAGE_BYTES

    def question(self, collection: CollectionView) -> dict[str, object]:
        """The part that a cursor is bound to; the bounds may change between pages."""
        return {
            "collection": collection.id,
            "added_after": format_taxii(self.added_after) if self.added_after else "",
            "types": sorted(self.types),
            "ids": sorted(self.ids),
            "all_versions": self.all_versions,
            "versions": sorted(self.versions),
        }


def page_conditions(collection: CollectionView, request: PageRequest) -> tuple[str, dict[str, Any]]:
    """What entries of a page meet, beside their place. Conditions stand only where asked for: plans stay simple.

    They are on `e` and, for peers, on `v`. `added_after` is a place, and so is the caller's to add, as the parameter
    `readable` is.
    """
    conditions = [READABLE]
    params: dict[str, Any] = {}
    if collection.is_view:
        conditions += ["e.collection_id = ANY (%(sources)s)", "NOT e.is_shared"]
        params["sources"] = list(collection.sources)
    else:
        conditions.append("e.collection_id = %(source)s")
        params["source"] = collection.id
    if collection.open_sources:
        conditions.append(FOR_ANYBODY)
        params |= open_params(collection.open_sources)
    if collection.without_origin is not None:
        conditions.append(NOT_ITS_OWN)
        params["origin"] = collection.without_origin
    if request.until is not None:
        conditions.append("e.seq <= %(until)s")
        params["until"] = request.until
    if request.types:
        conditions.append("e.type = ANY (%(types)s)")
        params["types"] = list(request.types)
    if request.ids:
        conditions.append("e.object_id IN (SELECT named.id FROM object named WHERE named.stix_id = ANY (%(ids)s))")
        params["ids"] = list(request.ids)
    if version_keys(request.versions):
        params["version_keys"] = version_keys(request.versions)
    return " AND ".join(conditions), params


def page_branches(collection: CollectionView, request: PageRequest) -> list[Branch]:
    """What entries meet besides, any of these; their parameters are those of `page_conditions`, and `since`."""
    if request.all_versions:
        return [Branch("true")]
    return version_branches(
        request.versions,
        has_added_after=request.added_after is not None,
        has_open_sources=bool(collection.open_sources),
    )
