"""Where a reader may meet an object by its id: in the collections that it reads, and its own wherever they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from exchange.models import place_of
from exchange.services.collections import CollectionView
from exchange.services.principals import Principal
from exchange.services.query.entries import FOR_ANYBODY, NOT_ITS_OWN, READABLE, open_params


@dataclass(frozen=True, slots=True)
class Sight:
    """sources: collections that the reader reads; open_sources: those among them where it is anybody. own: its lab.
    without_origin: the peer that it is, to which nothing returns that came from it."""

    sources: tuple[int, ...]
    open_sources: tuple[int, ...]
    own: int | None
    without_origin: int | None = None

    def conditions(self, stix_id: str, readable: list[int]) -> tuple[str, dict[str, Any]]:
        """Conditions on `e`, `v` and `o` for one object, and their parameters."""
        rights, params = self.rights(readable)
        return f"{rights} AND o.stix_id = %(id)s", {**params, "id": stix_id}

    def rights(self, readable: list[int]) -> tuple[str, dict[str, Any]]:
        """The same for whatever it reads."""
        params: dict[str, Any] = {"readable": readable, "sources": list(self.sources), "lab": self.own}
        where = "e.collection_id = ANY (%(sources)s)"
        if self.open_sources:
            where += f" AND {FOR_ANYBODY}"
            params |= open_params(self.open_sources)
        readable_here = READABLE
        if self.without_origin is not None:
            readable_here += f" AND {NOT_ITS_OWN}"
            params["origin"] = self.without_origin
        return f"{readable_here} AND NOT e.is_shared AND (({where}) OR o.producer_id = %(lab)s)", params

    def places(self, readable: list[int]) -> list[int]:
        """What it reads of its collections, as places of facets."""
        granted = sorted(set(self.sources) - set(self.open_sources))
        return places_of(granted, self.open_sources, readable)


def sight_of(principal: Principal, collections: Iterable[CollectionView]) -> Sight:
    """What the principal reads of these collections."""
    views = [view for view in collections if view.can_read]
    return Sight(
        sources=tuple(sorted({source for view in views for source in view.sources})),
        open_sources=tuple(sorted({source for view in views for source in view.open_sources})),
        own=_reads_its_own(principal),
        without_origin=principal.peer.id if principal.peer is not None else None,
    )


def places_of(granted: Iterable[int], open_sources: Iterable[int], readable: list[int]) -> list[int]:
    """What a reader may read in these collections, as places of facets.

    Else what is readable by its label, and stands in a collection without a grant, would be found, looked at and left
    out, and the time would tell how much of it there is.
    """
    where_anybody = list(open_sources)
    anybody = open_params(where_anybody)["anybody"] if where_anybody else []
    places = [place_of(source, audience) for source in granted for audience in readable]
    return places + [place_of(source, audience) for source in where_anybody for audience in anybody]


def _reads_its_own(principal: Principal) -> int | None:
    """The lab whose objects are read wherever they are: not by its clients, nor by a token bound to collections, nor by
    a peer, which reads by its grants."""
    bound = (
        principal.is_client
        or principal.peer is not None
        or "collections" in principal.bounds
        or not principal.allows("read")
    )
    return None if bound else principal.lab_id
