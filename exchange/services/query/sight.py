"""Where a reader may meet an object by its id: in the collections that it reads, and its own wherever they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from exchange.services.collections import CollectionView
from exchange.services.principals import Principal
from exchange.services.query.entries import FOR_ANYBODY, READABLE, open_params


@dataclass(frozen=True, slots=True)
class Sight:
    """sources: collections that the reader reads; open_sources: those among them where it is anybody. own: its lab."""

    sources: tuple[int, ...]
    open_sources: tuple[int, ...]
    own: int | None

    def conditions(self, stix_id: str, readable: list[int]) -> tuple[str, dict[str, Any]]:
        """Conditions on `e` and `o`, and their parameters."""
        params: dict[str, Any] = {"readable": readable, "id": stix_id, "sources": list(self.sources), "lab": self.own}
        where = "e.collection_id = ANY (%(sources)s)"
        if self.open_sources:
            where += f" AND {FOR_ANYBODY}"
            params |= open_params(self.open_sources)
        return (
            f"{READABLE} AND NOT e.is_shared AND o.stix_id = %(id)s AND (({where}) OR o.producer_id = %(lab)s)",
            params,
        )


def sight_of(principal: Principal, collections: Iterable[CollectionView]) -> Sight:
    """What the principal reads of these collections."""
    views = [view for view in collections if view.can_read]
    return Sight(
        sources=tuple(sorted({source for view in views for source in view.sources})),
        open_sources=tuple(sorted({source for view in views for source in view.open_sources})),
        own=_reads_its_own(principal),
    )


def _reads_its_own(principal: Principal) -> int | None:
    """The lab whose objects are read wherever they are: not by its clients, nor by a token bound to collections."""
    bound = principal.is_client or "collections" in principal.bounds or not principal.allows("read")
    return None if bound else principal.lab_id
