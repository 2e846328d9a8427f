"""What a peer took back and its producer publishes here: from then on it is this node's, and shown as such."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from exchange.services.database import execute
from exchange.services.errors import ConflictError
from exchange.services.principals import Principal
from exchange.services.publishing.item import Item
from exchange.services.storing import AudienceChange, Batch, StoreResult, StoreStatus
from exchange.services.withdrawals import WITHDRAWN
from exchange.stix.timestamps import ordering_key

_TAKEN_BACK: Final = """
SELECT o.stix_id, k.version_key, h.version_id, o.home_collection_id
FROM held h
JOIN object o ON o.id = h.object_id
JOIN version_key k ON k.version_id = h.version_id
WHERE h.missing_marking = %(withdrawn)s AND o.producer_id = %(lab)s AND o.stix_id = ANY (%(ids)s)
"""
_PUBLISHED_HERE: Final = "UPDATE version SET origin_peer_id = NULL WHERE id = ANY (%(versions)s)"
_WAIT: Final = """
UPDATE held h SET missing_marking = n.marking
FROM unnest(%(versions)s::bigint[], %(markings)s::text[]) AS n (version, marking) WHERE h.version_id = n.version
"""


def show_again(
    principal: Principal, items: Sequence[Item], results: dict[int, StoreResult], moment: datetime, batch: Batch
) -> list[AudienceChange]:
    """Give stored versions that a peer took back their readers again, as if they came now; answers whose readers
    changed, and corrects `results`.

    items: of the principal's lab, checked, marked, and stored before. The caller is inside `writing()`. One query
    where nothing was stored before; none where everything is new.
    """
    known = [item for item in items if results[item.index].status is StoreStatus.EXISTS]
    if not known or principal.lab_id is None:
        return []
    params: dict[str, Any] = {
        "withdrawn": WITHDRAWN,
        "lab": principal.lab_id,
        "ids": sorted({item.object.id for item in known}),
    }
    rows = {(row[0], row[1]): (row[2], row[3]) for row in execute(_TAKEN_BACK, params, prepare=False).fetchall()}
    back: dict[int, Item] = {}
    for item in known:
        found = rows.get((item.object.id, ordering_key(item.version_text)))
        if found is None:
            continue
        version_id, home = found
        if item.collection is None or item.collection.id != home:
            error = ConflictError("the object lives in another collection", code="other-collection", pointer="/id")
            results[item.index] = StoreResult(StoreStatus.FAILED, error)
            continue
        back[version_id] = item
        results[item.index] = StoreResult(StoreStatus.HELD if item.missing_marking else StoreStatus.STORED)
    return _bring_back(principal, principal.lab_id, back, moment, batch)


def _bring_back(
    principal: Principal, lab_id: int, back: dict[int, Item], moment: datetime, batch: Batch
) -> list[AudienceChange]:
    if not back:
        return []
    execute(_PUBLISHED_HERE, {"versions": list(back)})
    waiting = {version_id: item.missing_marking for version_id, item in back.items() if item.missing_marking}
    if waiting:
        execute(_WAIT, {"versions": list(waiting), "markings": list(waiting.values())})
    return batch.release(
        [
            (lab_id, version_id, item.prepared(lab_identity=principal.lab_identity, received_at=moment))
            for version_id, item in sorted(back.items())
            if version_id not in waiting
        ]
    )
