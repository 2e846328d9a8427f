"""Single objects and their versions, wherever they are."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.services.collections import CollectionView
from exchange.services.database import execute
from exchange.services.delivery import Delivery, record_delivery
from exchange.services.errors import NotFoundError
from exchange.services.principals import Principal
from exchange.services.query.entries import (
    COLUMNS,
    FOR_ANYBODY,
    FROM,
    READABLE,
    PageEntry,
    entry_of,
    open_params,
    with_open,
)
from exchange.services.sharing import reading_as
from exchange.stix.markings import Tlp


def read_object(
    *, principal: Principal, stix_id: str, door: str, collections: Sequence[CollectionView]
) -> list[PageEntry]:
    """The newest version of an object by each producer that the principal may read.

    `collections` are those the principal reads; its own objects it reads wherever they are.

    Raises:
        NotFoundError: absent, or not for this reader: the two look the same.
    """
    entries = _read_of_object(principal, stix_id, door, collections, all_versions=False)
    if not entries:
        raise NotFoundError("there is no such object", code="object-not-found")
    return entries


def read_versions(
    *, principal: Principal, stix_id: str, door: str, collections: Sequence[CollectionView]
) -> list[PageEntry]:
    """Every version that the principal may read, by ascending `date_added`.

    Raises:
        NotFoundError: as `read_object`.
    """
    entries = _read_of_object(principal, stix_id, door, collections, all_versions=True)
    if not entries:
        raise NotFoundError("there is no such object", code="object-not-found")
    return entries


def _read_of_object(
    principal: Principal, stix_id: str, door: str, collections: Sequence[CollectionView], *, all_versions: bool
) -> list[PageEntry]:
    if "\0" in stix_id:
        return []
    views = [view for view in collections if view.can_read]
    sources = sorted({source for view in views for source in view.sources})
    open_sources = sorted({source for view in views for source in view.open_sources})
    with reading_as(principal) as readable:
        params = {"readable": readable, "id": stix_id, "sources": sources, "lab": _reads_its_own(principal)}
        where = "e.collection_id = ANY (%(sources)s)"
        if open_sources:
            where += f" AND {FOR_ANYBODY}"
            params |= open_params(open_sources)
        which = "true" if all_versions else "e.is_newest"
        query = (
            f"SELECT {COLUMNS} {FROM} WHERE {which} AND {READABLE} AND NOT e.is_shared AND o.stix_id = %(id)s"
            f" AND (({where}) OR o.producer_id = %(lab)s) ORDER BY e.seq"
        )
        entries = [entry_of(row) for row in execute(query, params, prepare=False).fetchall()]
        record_delivery(
            Delivery(
                principal=principal,
                door=door,
                collection_ids=sources,
                seqs=[entry.seq for entry in entries],
                audience_ids=readable,
                filters=with_open({"id": stix_id, "all_versions": all_versions}, open_sources),
                label=max((entry.label for entry in entries), default=Tlp.CLEAR),
            )
        )
    return entries


def _reads_its_own(principal: Principal) -> int | None:
    """The lab whose objects are read wherever they are: not by its clients, nor by a token bound to collections."""
    bound = principal.is_client or "collections" in principal.bounds or not principal.allows("read")
    return None if bound else principal.lab_id
