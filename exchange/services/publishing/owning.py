"""Another lab's id: what a publisher can read of somebody else's, it does not publish as its own.

Observables are left out: their ids follow from their content, and every lab has a copy of its own. An object that the
publisher may not read counts as absent, so that no answer tells of it. What a feed sent unsigned stands in nobody's
way: anybody can write an id.
"""

from __future__ import annotations

from collections.abc import Sequence

from exchange.services.database import execute
from exchange.services.errors import ConflictError
from exchange.services.principals import Principal
from exchange.services.publishing.item import Item, each
from exchange.services.sharing import readable_audiences

# A lab goes on with an object of its own, whatever became visible to it since.
_FOREIGN = """
SELECT o.stix_id FROM object o JOIN lab l ON l.id = o.producer_id AND l.kind <> 'feed'
WHERE o.stix_id = ANY (%(ids)s) AND o.producer_id <> %(lab)s
  AND o.newest_audience_id = ANY (%(readable)s) AND o.home_collection_id = ANY (%(homes)s)
  AND NOT EXISTS (SELECT FROM object own WHERE own.producer_id = %(lab)s AND own.stix_id = o.stix_id)
"""


def check_ownership(principal: Principal, items: Sequence[Item], homes: Sequence[int]) -> list[Item]:
    """Refuse items under an id at which the publisher reads another lab's object. One query for all.

    homes: collections that the principal reads as a member. The caller is inside `writing()`.
    """
    ids = sorted({item.object.id for item in items if not item.object.is_sco})
    if not ids:
        return list(items)
    params = {
        "ids": ids,
        "lab": principal.lab_id,
        "readable": readable_audiences(principal),
        "homes": list(homes),
    }
    foreign = {row[0] for row in execute(_FOREIGN, params, prepare=False).fetchall()}
    return each(items, lambda item: _check(item, foreign))


def _check(item: Item, foreign: set[str]) -> None:
    if item.object.id in foreign and not item.object.is_sco:
        raise ConflictError("the id belongs to an object of another lab", code="foreign-id", pointer="/id")
