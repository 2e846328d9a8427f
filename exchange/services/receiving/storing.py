"""Stores what labs signed, or a feed vouches for, after everything else was checked.

The steps are those of publishing. Other than there, an id or a marking that belongs to somebody else counts wherever it
is: nobody but operators learns what was refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from exchange.models import Collection as CollectionRow
from exchange.services.collections import CollectionView, home_view
from exchange.services.database import execute
from exchange.services.errors import ConflictError
from exchange.services.publishing.holding import release_held, waiting_for
from exchange.services.publishing.item import Item, each
from exchange.services.publishing.marking import KnownMarking, lock_markings, mark_item, recipients_in
from exchange.services.publishing.referring import check_references
from exchange.services.receiving.policy import check_label
from exchange.services.receiving.producers import Producer
from exchange.services.receiving.source import Source
from exchange.services.storing import AudienceChange, Batch, StoreResult
from exchange.services.storing.rows import ObjectName
from exchange.stix.markings import Tlp, label_of, marking_refs_of

Homes = Mapping[ObjectName, CollectionView]

Owned = tuple[Producer, Item]
"""An item with whose it is."""

_HOMES: Final = "SELECT producer_id, stix_id, home_collection_id FROM object WHERE id = ANY (%(objects)s)"


def lock_all(source: Source, items: Sequence[Owned], returning: Iterable[ObjectName], batch: Batch) -> Homes:
    """Lock what will be written; answers the homes of objects that are here already, by producer and id.

    items: what is new. returning: what was taken back and comes again. Markings come first, and with them what waits
    for them. An object has one home: a version that comes by another way goes where the object is.
    """
    marked = {
        producer.lab_id: producer
        for producer, item in items
        if is_marking(item) or marking_refs_of(item.object.members)
    }
    for _, producer in sorted(marked.items()):
        lock_markings(producer.acting)
    names = {(producer.lab_id, item.object.id) for producer, item in items} | set(returning)
    markings: dict[int, set[str]] = {}
    for lab_id, stix_id in names:
        if stix_id.startswith("marking-definition--"):
            markings.setdefault(lab_id, set()).add(stix_id)
    for lab_id, ids in markings.items():
        names |= {(lab_id, stix_id) for stix_id in waiting_for(lab_id, sorted(ids))}
    locked = batch.lock(names)
    if not locked:
        return {}
    found = execute(_HOMES, {"objects": sorted(locked.values())}, prepare=False).fetchall()
    elsewhere = {row[2] for row in found} - {source.collection.id}
    views = {source.collection.id: source.collection}
    views |= {
        row.pk: home_view(row) for row in CollectionRow.objects.select_related("api_root").filter(pk__in=elsewhere)
    }
    return {(producer_id, stix_id): views[home] for producer_id, stix_id, home in found}


def is_marking(item: Item) -> bool:
    return item.object.type == "marking-definition"


def store_items(
    source: Source, items: Sequence[Owned], moment: datetime, batch: Batch, *, displaced: Collection[str] = ()
) -> tuple[dict[int, StoreResult], list[AudienceChange]]:
    """Mark, check and store proven items in their homes, in their order; markings first.

    displaced: ids that belong to nobody else any more. Answers results by the items' index, and whose readers changed.
    The caller is inside `writing()`, after `lock_all`.
    """
    markings = [each for each in items if is_marking(each[1])]
    results, changes = _store(source, _check_ids(markings, displaced), moment, batch)
    for producer, of_one in by_producer(markings):
        stored = [item.object.id for item in of_one if item.index in results]
        changes += release_held(producer.acting, stored, batch)
    others = [each for each in items if not is_marking(each[1])]
    more, changed = _store(source, _check_ids(others, displaced), moment, batch)
    return results | more, changes + changed


def by_producer(items: Iterable[Owned]) -> list[tuple[Producer, list[Item]]]:
    """The items of each producer, in the order of the producers' rows."""
    groups: dict[int, tuple[Producer, list[Item]]] = {}
    for producer, item in items:
        groups.setdefault(producer.lab_id, (producer, []))[1].append(item)
    return [group for _, group in sorted(groups.items(), key=lambda each: each[0])]


def _store(
    source: Source, items: Sequence[Owned], moment: datetime, batch: Batch
) -> tuple[dict[int, StoreResult], list[AudienceChange]]:
    ready: list[Owned] = []
    for producer, of_one in by_producer(items):
        marked = each(_mark(producer, of_one), partial(check_label, source))
        # A feed has told the ids of its objects itself, and what it left unmarked has a label that it does not know.
        if not producer.is_feed:
            marked = check_references(producer.reading, marked, producer.granted)
        ready += [(producer, item) for item in marked]
    ready.sort(key=lambda owned: owned[1].index)
    stored, changes = batch.store(
        [
            (producer.lab_id, item.prepared(lab_identity=producer.identity, received_at=moment))
            for producer, item in ready
        ]
    )
    return {item.index: result for (_, item), result in zip(ready, stored, strict=True)}, changes


# What a feed sent unsigned keeps no lab from its own id.
_OWNERS: Final = """
SELECT o.stix_id, o.producer_id FROM object o JOIN lab l ON l.id = o.producer_id AND l.kind <> 'feed'
WHERE o.stix_id = ANY (%(ids)s) AND o.state NOT IN ('deleted', 'expired')
"""


def _check_ids(items: Sequence[Owned], displaced: Collection[str]) -> list[Owned]:
    """Refuse items under an id of another lab's object; a lab goes on with an object of its own. Not observables."""
    ids = sorted({item.object.id for _, item in items if not item.object.is_sco} - set(displaced))
    if not ids:
        return list(items)
    owners: dict[str, set[int]] = {}
    for stix_id, lab_id in execute(_OWNERS, {"ids": ids}, prepare=False).fetchall():
        owners.setdefault(stix_id, set()).add(lab_id)
    for producer, item in items:
        # Of several labs on one page the first has it.
        if not producer.is_feed:
            owners.setdefault(item.object.id, {producer.lab_id})
    passed = []
    for producer, item in items:
        known = owners.get(item.object.id, set()) if not item.object.is_sco else set()
        if known and producer.lab_id not in known:
            item.error = ConflictError("the id belongs to an object of another lab", code="foreign-id", pointer="/id")
        else:
            passed.append((producer, item))
    return passed


_MARKINGS: Final = """
SELECT o.stix_id, o.producer_id = %(lab)s, v.body
FROM object o
JOIN version v ON v.id = o.newest_version_id
JOIN lab l ON l.id = o.producer_id
WHERE o.type = 'marking-definition' AND o.stix_id = ANY (%(ids)s) AND (o.producer_id = %(lab)s OR l.kind <> 'feed')
ORDER BY 2
"""


def _mark(producer: Producer, items: Sequence[Item]) -> list[Item]:
    refs = sorted({ref for item in items for ref in marking_refs_of(item.object.members)})
    known: dict[str, KnownMarking] = {}
    if refs:
        rows = execute(_MARKINGS, {"lab": producer.lab_id, "ids": refs}, prepare=False).fetchall()
        known = {stix_id: KnownMarking(is_own, recipients_in(bytes(body))) for stix_id, is_own, body in rows}
    return each(items, lambda item: mark_item(item, producer.acting, _known_to(item, known)))


def _known_to(item: Item, known: Mapping[str, KnownMarking]) -> Mapping[str, KnownMarking]:
    """A feed has no distributions, so what it marks loosely waits for no marking: that can only be a statement.

    What is strict waits: the marking may be a lab's, from whose object the signature was taken off.
    """
    label = label_of(item.object.members)
    if item.vouched is None or label is None or label >= Tlp.AMBER:
        return known
    statements = {ref: KnownMarking(is_own=True, recipients=None) for ref in marking_refs_of(item.object.members)}
    return {**statements, **known}
