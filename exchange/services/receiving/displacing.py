"""An id that a lab here has and two operators say is another's: what that lab has under it goes.

Nothing in STIX says whose an id is: whoever reads it can write it. So who was here first keeps it, until operators have
asked elsewhere, at the producers and their homes, and decide (services/quarantine.py). The object that goes is removed
as if its lab had deleted it: its readers are told, and it does not come back. Of a distribution marking goes also what
its lab marked with it, which nobody could check any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from exchange.models import StixObject
from exchange.services.audit import record_event
from exchange.services.database import execute
from exchange.services.deletion import remove_taken_back
from exchange.services.errors import ConflictError
from exchange.services.principals import Principal
from exchange.services.storing import AudienceChange
from exchange.services.storing.rows import ObjectName
from exchange.services.withdrawals import NOBODY

# Feeds keep nobody from an id, and what this node says itself is nobody else's.
_DISPLACED: Final = """
WITH other AS (
    SELECT o.id, o.producer_id, o.stix_id
    FROM object o
    JOIN lab l ON l.id = o.producer_id AND l.kind <> 'feed' AND NOT l.is_self
    JOIN unnest(%(producers)b::int[], %(ids)b::text[]) AS n (producer, id)
         ON n.id = o.stix_id AND n.producer <> o.producer_id
    WHERE o.state NOT IN ('deleted', 'expired')
)
SELECT id, producer_id, stix_id FROM other
UNION
SELECT m.id, m.producer_id, m.stix_id
FROM other
JOIN object m ON m.producer_id = other.producer_id AND m.state NOT IN ('deleted', 'expired')
JOIN version v ON v.object_id = m.id AND v.distribution = other.stix_id
"""


@dataclass(frozen=True, slots=True)
class Displaced:
    """Objects that go, by their rows, with their names."""

    names: dict[int, ObjectName]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(stix_id for _, stix_id in self.names.values())

    def found(self) -> list[StixObject]:
        """The objects as they are, once they are locked.

        Raises:
            ConflictError: one of them is its lab's own identity.
        """
        objects = StixObject.objects.select_related("producer").filter(pk__in=list(self.names)).order_by("pk")
        for each in objects:
            if each.stix_id == each.producer.identity_id:
                raise ConflictError("every signature of a lab here rests on this identity", code="in-use")
        return list(objects)


def find_displaced(names: Iterable[ObjectName]) -> Displaced:
    """What other labs have under the ids of these objects. One query."""
    wanted = sorted(set(names))
    params = {"producers": [each[0] for each in wanted], "ids": [each[1] for each in wanted]}
    return Displaced({row[0]: (row[1], row[2]) for row in execute(_DISPLACED, params, prepare=False).fetchall()})


def changes_of(objects: Sequence[StixObject]) -> list[AudienceChange]:
    """Who loses sight of these objects."""
    return [
        AudienceChange(
            each.stix_id,
            each.producer.identity_id or "",
            each.home_collection_id,
            each.newest_audience_id,
            NOBODY,
            revoked=False,
            word="deleted",
        )
        for each in objects
        if each.newest_audience_id is not None
    ]


def displace(objects: Sequence[StixObject], actor: Principal, moment: datetime) -> None:
    """Remove them, after their readers were told. Takes numbers of the sequence: the last thing a transaction does."""
    for each in objects:
        record_event(actor, "object-displaced", each.stix_id, lab=each.producer.slug)
        remove_taken_back(found=each, producer=each.producer.identity_id or "", moment=moment)
