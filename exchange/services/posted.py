"""An object as it was posted in an envelope, and what its status calls it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from exchange.services.publishing import Outcome
from exchange.stix.timestamps import format_taxii


@dataclass(frozen=True, slots=True)
class PostedObject:
    """The bytes of one object; id and version as the object claims them ("" where it does not)."""

    body: bytes
    id: str
    version: str

    def version_at(self, requested_at: datetime) -> str:
        """The version for its status: what it claims, else the time of the request."""
        return self.version or format_taxii(requested_at)


def named(outcome: Outcome, claimed_id: str, claimed_version: str) -> Outcome:
    """A status names every object; where publishing could not tell its id or version, the object's own claim stands."""
    return replace(outcome, id=outcome.id or claimed_id, version=outcome.version or claimed_version)
