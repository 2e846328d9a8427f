"""Single objects, wherever they are. Their versions: history.py."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.services.collections import CollectionView
from exchange.services.database import execute
from exchange.services.delivery import Delivery, record_delivery
from exchange.services.errors import InvalidRequestError, NotFoundError
from exchange.services.principals import Principal
from exchange.services.query.entries import COLUMNS, FROM, PageEntry, entry_of, strictest, with_reach
from exchange.services.query.sight import sight_of
from exchange.services.sharing import reading_as


def read_object(
    *, principal: Principal, stix_id: str, door: str, collections: Sequence[CollectionView]
) -> list[PageEntry]:
    """The newest version of an object by each producer that the principal may read.

    `collections` are those the principal reads; its own objects it reads wherever they are.

    Raises:
        NotFoundError: absent, or not for this reader: the two look the same.
    """
    entries = _read(principal, stix_id, door, collections) if "\0" not in stix_id else []
    if not entries:
        raise no_such_object()
    return entries


def no_such_object() -> NotFoundError:
    """The one answer for what is absent and for what is not for this reader."""
    return NotFoundError("there is no such object", code="object-not-found")


def several_producers() -> InvalidRequestError:
    """The refusal where an id alone does not say whose object is meant."""
    return InvalidRequestError("several labs have an object of this id; name the producer", code="producer-missing")


def _read(principal: Principal, stix_id: str, door: str, collections: Sequence[CollectionView]) -> list[PageEntry]:
    sight = sight_of(principal, collections)
    with reading_as(principal) as readable:
        conditions, params = sight.conditions(stix_id, readable)
        query = f"SELECT {COLUMNS} {FROM} WHERE e.is_newest AND {conditions} ORDER BY e.seq"
        entries = [entry_of(row) for row in execute(query, params, prepare=False).fetchall()]
        record_delivery(
            Delivery(
                principal=principal,
                door=door,
                collection_ids=sight.sources,
                seqs=[entry.seq for entry in entries],
                audience_ids=readable,
                filters=with_reach({"id": stix_id, "all_versions": False}, sight),
                label=strictest(entries),
            )
        )
    return entries
