"""What is here already: recognised by the digest of its payload, before any signature is verified again.

Nothing is stored and nothing changes, with one exception: what was taken back and is sent again is shown again, by the
peer that took it back, by a home of its producer, or by anybody where no home took it back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from exchange.services.database import array_text, execute
from exchange.services.peer_principals import homes_among_peers
from exchange.services.publishing.holding import bring_back
from exchange.services.publishing.item import Item
from exchange.services.receiving.producers import Producer
from exchange.services.receiving.source import Source
from exchange.services.storing import AudienceChange, Batch
from exchange.services.storing.rows import ObjectName
from exchange.services.withdrawals import WITHDRAWN
from exchange.stix.timestamps import ordering_key

_KNOWN: Final = """
SELECT n.index
FROM unnest(%(indexes)b::int[], %(producers)b::int[], %(ids)b::text[], %(keys)b::text[], %(digests)b::bytea[])
     AS n (index, producer, stix_id, version_key, digest)
JOIN object o ON o.producer_id = n.producer AND o.stix_id = n.stix_id
JOIN version_key k ON k.object_id = o.id AND k.version_key = n.version_key AND k.digest = n.digest
"""


def find_known(items: Sequence[tuple[int, Item]]) -> set[int]:
    """Indexes of the opened items, each with its producer's row, whose very payload is stored as this version of the
    producer's object. One query."""
    if not items:
        return set()
    params = {
        "indexes": [item.index for _, item in items],
        "producers": [producer_id for producer_id, _ in items],
        "ids": [item.object.id for _, item in items],
        "keys": [ordering_key(item.version_text) for _, item in items],
        "digests": [_digest_of(item) for _, item in items],
    }
    return {row[0] for row in execute(_KNOWN, params, prepare=False).fetchall()}


_LABS: Final = "SELECT identity_id, id FROM lab WHERE identity_id = ANY (%(ids)s) AND kind <> 'feed'"


def find_known_identities(items: Sequence[Item]) -> set[int]:
    """Indexes of the identities among these that are stored as they are. The caller is inside `writing()`."""
    if not items:
        return set()
    ids = sorted({item.object.id for item in items})
    labs = dict(execute(_LABS, {"ids": ids}, prepare=False).fetchall())
    return find_known([(labs[item.object.id], item) for item in items if item.object.id in labs])


# What is stricter than the peer may send by now stays where it is, as it would not be taken from it.
_TAKEN_BACK: Final = """
SELECT o.producer_id, o.stix_id, k.version_key, h.version_id
FROM held h
JOIN object o ON o.id = h.object_id
JOIN version v ON v.id = h.version_id
JOIN version_key k ON k.version_id = h.version_id
JOIN unnest(%(producers)b::int[], %(ids)b::text[]) AS n (producer, stix_id)
     ON n.producer = o.producer_id AND n.stix_id = o.stix_id
WHERE h.missing_marking = %(withdrawn)s AND v.label <= %(highest)s
  AND (o.producer_id = ANY (%(homed)s::text::int[]) OR v.origin_peer_id = %(peer)s
       OR NOT EXISTS (SELECT FROM unnest(%(home_producers)b::int[], %(homes)b::int[]) AS r (producer, peer)
                      WHERE r.producer = o.producer_id AND r.peer = v.origin_peer_id))
"""
_NEW_ORIGIN: Final = "UPDATE version SET origin_peer_id = %(peer)s WHERE id = ANY (%(versions)s)"

Comeback = Mapping[int, int]
"""Ids of versions by the index of the item that brings them back."""


def find_taken_back(source: Source, items: Sequence[tuple[Producer, Item]]) -> Comeback:
    """What was taken back and this peer may show again, among known items. Nothing of a suspended lab's.

    One query, none without items.
    """
    known = [(producer, item) for producer, item in items if producer.lab.is_active]
    names = sorted({(producer.lab_id, item.object.id) for producer, item in known})
    if not names:
        return {}
    homes = _homes([producer for producer, _ in known])
    params: dict[str, Any] = {
        "producers": [name[0] for name in names],
        "ids": [name[1] for name in names],
        "withdrawn": WITHDRAWN,
        "highest": int(source.highest_label),
        "homed": array_text(sorted(lab_id for lab_id, peer_id in homes if peer_id == source.peer_id)),
        "home_producers": [home[0] for home in homes],
        "homes": [home[1] for home in homes],
        "peer": source.peer_id,
    }
    found = {(row[0], row[1], row[2]): row[3] for row in execute(_TAKEN_BACK, params, prepare=False).fetchall()}
    return {
        item.index: found[key]
        for producer, item in known
        if (key := (producer.lab_id, item.object.id, ordering_key(item.version_text))) in found
    }


def bring_back_known(
    source: Source, items: Sequence[tuple[Producer, Item]], comeback: Comeback, batch: Batch
) -> list[AudienceChange]:
    """Show again what was found so; answers whose readers changed. The objects are locked."""
    if not comeback:
        return []
    versions = sorted(set(comeback.values()))
    execute(_NEW_ORIGIN, {"peer": source.peer_id, "versions": versions})
    changes: list[AudienceChange] = []
    for lab_id, producer in sorted({producer.lab_id: producer for producer, _ in items}.items()):
        ids = {comeback[item.index] for of, item in items if of.lab_id == lab_id and item.index in comeback}
        changes += bring_back(producer.acting, sorted(ids), batch)
    return changes


def names_of(items: Iterable[tuple[Producer, Item]], among: Collection[int]) -> set[ObjectName]:
    """The objects of the items with these indexes."""
    return {(producer.lab_id, item.object.id) for producer, item in items if item.index in among}


def _homes(producers: Iterable[Producer]) -> list[tuple[int, int]]:
    """Pairs of a producer's row and a peer that it calls home."""
    labs = {producer.identity: producer.lab_id for producer in producers}
    return [(labs[each], peer_id) for each, homes in homes_among_peers(labs).items() for peer_id in sorted(homes)]


def _digest_of(item: Item) -> bytes:
    source = item.signed or item.vouched
    return bytes.fromhex(source.payload_sha256) if source is not None else b""
