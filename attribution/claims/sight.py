"""Who sees which claims: the sharing rule as conditions on the views of claims.

The views repeat the rule of row-level security; this adds the grants on home collections (services/sharing.py and
services/collections.py decide, nothing is decided here).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exchange.services.access import require_scope
from exchange.services.collections import visible_everywhere
from exchange.services.principals import Principal
from exchange.services.query.entries import FOR_ANYBODY, READABLE, open_params
from exchange.services.query.sight import Sight, sight_of


@dataclass(frozen=True, slots=True)
class ClaimSight:
    """A member's view of claims, before its audiences are known. reader: identity of its lab."""

    sight: Sight
    reader: str

    @property
    def sources(self) -> tuple[int, ...]:
        """Collections that it reads, for the delivery log."""
        return self.sight.sources

    @property
    def key(self) -> tuple[object, ...]:
        """What tells one view from another, beside the audiences."""
        return (self.reader, self.sight.sources, self.sight.open_sources, self.sight.own)

    def conditions(self, readable: list[int]) -> tuple[str, dict[str, Any]]:
        """Conditions on a view that is called `e`, and their parameters."""
        params: dict[str, Any] = {
            "readable": readable,
            "sources": list(self.sight.sources),
            "own": self.sight.own,
        }
        where = "e.collection_id = ANY (%(sources)s)"
        if self.sight.open_sources:
            where += f" AND {FOR_ANYBODY}"
            params |= open_params(self.sight.open_sources)
        return f"{READABLE} AND (({where}) OR e.producer_id = %(own)s)", params


def claim_sight(principal: Principal) -> ClaimSight:
    """The view of a member. Raises: AccessDeniedError: a token without `read`."""
    require_scope(principal, "read")
    return ClaimSight(sight_of(principal, visible_everywhere(principal)), principal.lab_identity)
