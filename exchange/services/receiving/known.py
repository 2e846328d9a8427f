"""What is here already: recognised by the digest of its payload, before any signature is verified again.

Nothing is stored and nothing changes, with one exception: what was taken back and is sent again is shown again, by the
peer that took it back, by a home of its producer, or by anybody where no home took it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from exchange.services.database import array_text, execute
from exchange.services.peer_principals import homes_among_peers
from exchange.services.publishing.holding import bring_back
from exchange.services.publishing.item import Item
from exchange.services.receiving.producers import Producer
from exchange.services.receiving.source import Source
from exchange.services.storing import StoreResult, StoreStatus, rows
from exchange.services.withdrawals import WITHDRAWN, withdraw_from
from exchange.stix.timestamps import ordering_key


def find_known(producer: Producer, items: Sequence[Item]) -> set[int]:
    """Indexes of the opened items whose very payload is stored as this version of the producer's object. One query."""
    wanted = [(item.object.id, ordering_key(item.version_text)) for item in items]
    stored = rows.first_seen(producer.lab_id, wanted) if wanted else {}
    return {
        item.index
        for item, key in zip(items, wanted, strict=True)
        if key in stored and stored[key][0].hex() == _digest_of(item)
    }


_TAKEN_BACK: Final = """
SELECT o.stix_id, k.version_key, h.version_id
FROM held h
JOIN object o ON o.id = h.object_id
JOIN version v ON v.id = h.version_id
JOIN version_key k ON k.version_id = h.version_id
WHERE h.missing_marking = %(withdrawn)s AND o.producer_id = %(lab)s AND o.stix_id = ANY (%(ids)s)
  AND (%(is_home)s OR v.origin_peer_id = %(peer)s OR v.origin_peer_id <> ALL (%(homes)s::text::int[]))
"""
_NEW_ORIGIN: Final = "UPDATE version SET origin_peer_id = %(peer)s WHERE id = ANY (%(versions)s)"


def bring_back_known(
    source: Source,
    producer: Producer,
    items: Sequence[Item],
    results: Mapping[int, StoreResult],
    moment: datetime,
) -> set[int]:
    """Show again what was taken back and this peer sends now; answers the indexes of these items."""
    known = [item for item in items if _is_known(item, results)]
    if not known:
        return set()
    homes = homes_among_peers(producer.identity)
    params = {
        "is_home": source.peer_id in homes,
        "homes": array_text(sorted(homes)),
        "withdrawn": WITHDRAWN,
        "peer": source.peer_id,
        "lab": producer.lab_id,
        "ids": sorted({item.object.id for item in known}),
    }
    found = {(row[0], row[1]): row[2] for row in execute(_TAKEN_BACK, params, prepare=False).fetchall()}
    again = {
        item.index: found[key] for item in known if (key := (item.object.id, ordering_key(item.version_text))) in found
    }
    if again:
        versions = sorted(set(again.values()))
        execute(_NEW_ORIGIN, {"peer": source.peer_id, "versions": versions})
        withdraw_from(bring_back(producer.acting, versions), moment)
    return set(again)


def _is_known(item: Item, results: Mapping[int, StoreResult]) -> bool:
    result = results.get(item.index)
    return item.error is None and result is not None and result.status is StoreStatus.EXISTS


def _digest_of(item: Item) -> str:
    source = item.signed or item.vouched
    return source.payload_sha256 if source is not None else ""
