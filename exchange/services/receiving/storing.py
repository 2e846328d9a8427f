"""Stores what one producer signed, or a feed vouches for, after everything else was checked.

The steps are those of publishing. Other than there, an id or a marking that belongs to somebody else counts wherever it
is: nobody but operators learns what was refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from exchange.models import Collection
from exchange.services.collections import CollectionView, home_view
from exchange.services.database import execute
from exchange.services.errors import ConflictError
from exchange.services.publishing.holding import release_held
from exchange.services.publishing.item import Item, each
from exchange.services.publishing.marking import KnownMarking, lock_markings, mark_item, recipients_in
from exchange.services.publishing.referring import check_references
from exchange.services.receiving.policy import check_label
from exchange.services.receiving.producers import Producer
from exchange.services.receiving.source import Source
from exchange.services.storing import AudienceChange, StoreResult, store_versions
from exchange.services.withdrawals import withdraw_from
from exchange.stix.markings import Tlp, label_of, marking_refs_of

Homes = Mapping[tuple[int, str], CollectionView]

# In the order of everybody who locks objects of several producers.
_LOCK: Final = """
SELECT o.producer_id, o.stix_id, o.home_collection_id
FROM object o
JOIN unnest(%(labs)b::int[], %(ids)b::text[]) AS n (lab, id) ON n.lab = o.producer_id AND n.id = o.stix_id
ORDER BY o.producer_id, o.stix_id FOR UPDATE OF o
"""


def lock_all(source: Source, groups: Sequence[tuple[Producer, Sequence[Item]]]) -> Homes:
    """Lock what will be written; answers the homes of objects that are here already, by producer and id.

    An object has one home: a version that comes by another way goes where the object is.
    """
    for producer, items in groups:
        if any(item.object.type == "marking-definition" or marking_refs_of(item.object.members) for item in items):
            lock_markings(producer.acting)
    wanted = sorted({(producer.lab_id, item.object.id) for producer, items in groups for item in items})
    if not wanted:
        return {}
    params = {"labs": [each[0] for each in wanted], "ids": [each[1] for each in wanted]}
    found = execute(_LOCK, params, prepare=False).fetchall()
    elsewhere = {row[2] for row in found} - {source.collection.id}
    views = {source.collection.id: source.collection}
    views |= {row.pk: home_view(row) for row in Collection.objects.select_related("api_root").filter(pk__in=elsewhere)}
    return {(producer_id, stix_id): views[home] for producer_id, stix_id, home in found}


def store_items(source: Source, producer: Producer, items: Sequence[Item], moment: datetime) -> dict[int, StoreResult]:
    """Mark, check and store proven items in their homes; markings first. Answers results by the items' index.

    The caller is inside `writing()`, after `lock_all`.
    """
    markings = [item for item in items if item.object.type == "marking-definition"]
    others = [item for item in items if item.object.type != "marking-definition"]
    results, changes = _store(source, producer, markings, moment)
    changes += release_held(producer.acting, [item.object.id for item in markings if item.index in results])
    more, changed = _store(source, producer, others, moment)
    withdraw_from(changes + changed, moment)
    return results | more


def _store(
    source: Source, producer: Producer, items: Sequence[Item], moment: datetime
) -> tuple[dict[int, StoreResult], list[AudienceChange]]:
    owned = _check_ids(producer, items)
    marked = each(_mark(producer, owned), lambda item: check_label(source, item))
    # A feed has told the ids of its objects itself, and what it left unmarked has a label that it does not know.
    ready = marked if producer.is_feed else check_references(producer.reading, marked, producer.granted)
    versions = [item.prepared(lab_identity=producer.identity, received_at=moment) for item in ready]
    stored, changes = store_versions(producer.lab_id, versions)
    return {item.index: result for item, result in zip(ready, stored, strict=True)}, changes


# What a feed sent unsigned keeps no lab from its own id.
_OWNERS: Final = """
SELECT o.stix_id, o.producer_id FROM object o JOIN lab l ON l.id = o.producer_id AND l.kind <> 'feed'
WHERE o.stix_id = ANY (%(ids)s) AND o.state NOT IN ('deleted', 'expired')
"""


def _check_ids(producer: Producer, items: Sequence[Item]) -> list[Item]:
    """Refuse items under an id of another lab's object; a lab goes on with an object of its own. Not observables."""
    ids = sorted({item.object.id for item in items if not item.object.is_sco})
    if not ids:
        return list(items)
    owners: dict[str, set[int]] = {}
    for stix_id, lab_id in execute(_OWNERS, {"ids": ids}, prepare=False).fetchall():
        owners.setdefault(stix_id, set()).add(lab_id)

    def check(item: Item) -> None:
        known = owners.get(item.object.id, set()) if not item.object.is_sco else set()
        if known and producer.lab_id not in known:
            raise ConflictError("the id belongs to an object of another lab", code="foreign-id", pointer="/id")

    return each(items, check)


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
