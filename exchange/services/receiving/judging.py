"""The way of a page through receiving, step by step: the steps of publishing, for many producers at once.

Identities first, because the rest is verified with the keys that they introduce; then notes of withdrawal; then what
labs signed, producer by producer; last what nobody signed. An object that fails ends its own way and no other's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from exchange.services.errors import ExchangeError
from exchange.services.keys import KnownKey, find_keys
from exchange.services.publishing.item import Item, each
from exchange.services.publishing.proving import is_lab_identity, key_of, open_item, prove_item
from exchange.services.publishing.reading import parse_item, settle_item
from exchange.services.receiving import known, storing, unsigned, withdrawing
from exchange.services.receiving.identities import take_identity
from exchange.services.receiving.policy import check_producer
from exchange.services.receiving.producers import Producer, feed_producer, load_producers
from exchange.services.receiving.receipt import Fate, Judged
from exchange.services.receiving.source import Source
from exchange.services.storing import StoreResult, StoreStatus
from exchange.stix.errors import StixError
from exchange.stix.extensions import check_extensions
from exchange.stix.fixed import SIGNATURE_EXTENSION, WITHDRAWAL_EXTENSION, is_fixed

_FATES = {
    StoreStatus.STORED: Fate.STORED,
    StoreStatus.EXISTS: Fate.KNOWN,
    StoreStatus.HELD: Fate.HELD,
}

FORGOTTEN = frozenset({"deleted", "expired", withdrawing.TAKEN_BACK})
"""Refusals of what was removed: keeping its bytes in quarantine would undo the removal."""

Group = tuple[Producer, list[Item]]


def judge_bodies(source: Source, bodies: Sequence[bytes], moment: datetime) -> list[Judged]:
    """Verify and store what a peer sent; one answer for each of the bodies, in their order.

    The caller is inside `writing()`, under `retrying`. Nothing is quarantined here.

    Raises:
        NotReadyError: the node cannot sign the notes that follow.
    """
    items = [Item(index, body, origin_peer_id=source.peer_id) for index, body in enumerate(bodies)]
    results: dict[int, StoreResult] = {}
    fates: dict[int, Fate] = {}
    parsed = each(items, _parse)
    fates |= {item.index: Fate.KNOWN for item in parsed if is_fixed(item.object.id)}
    others = [item for item in parsed if not is_fixed(item.object.id)]
    signed = each([item for item in others if _is_signed(item)], open_item)
    for item in signed:
        if is_lab_identity(item):
            take_identity(source, item, moment, results)
    rest = [item for item in signed if not is_lab_identity(item)]
    keys = find_keys(item.signed.kid for item in rest if item.signed is not None)
    notes = [item for item in rest if _is_note(item)]
    taken_back = withdrawing.take_notes(source, notes, keys, moment)
    fates |= {item.index: Fate.WITHDRAWAL for item in notes if item.error is None}
    groups = _grouped([item for item in rest if not _is_note(item)], keys)
    for producer, of_one in groups:
        withdrawing.leave_out(producer, of_one, taken_back)
    _store_groups(source, groups, keys, moment, results)
    unsigned_items = [item for item in others if not _is_signed(item)]
    if unsigned_items:
        feed = feed_producer(source)
        vouched = unsigned.vouch_items(source, unsigned_items, moment)
        fates |= {item.index: Fate.KNOWN for item in unsigned.stored_before(source, vouched)}
        left = [item for item in vouched if item.index not in fates]
        _store_groups(source, [(feed, left)], {}, moment, results)
    return [_judged(item, fates.get(item.index), results.get(item.index)) for item in items]


def _parse(item: Item) -> None:
    """Raises: StixError: it is no STIX, or an extension of ours on it has the wrong form."""
    parse_item(item)
    check_extensions(item.object.members)


def _is_signed(item: Item) -> bool:
    return SIGNATURE_EXTENSION in item.object.members.get("extensions", {})


def _is_note(item: Item) -> bool:
    return WITHDRAWAL_EXTENSION in item.object.members.get("extensions", {})


def _grouped(items: Sequence[Item], keys: Mapping[str, KnownKey]) -> list[Group]:
    """The items by producer, in the order in which everybody locks: by the producer's row."""
    by_lab: dict[int, list[Item]] = {}

    def sort_in(item: Item) -> None:
        by_lab.setdefault(key_of(item, keys).lab_id, []).append(item)

    each(items, sort_in)
    producers = load_producers(by_lab)
    return [(producers[lab_id], by_lab[lab_id]) for lab_id in sorted(by_lab)]


def _store_groups(
    source: Source,
    groups: Sequence[Group],
    keys: Mapping[str, KnownKey],
    moment: datetime,
    results: dict[int, StoreResult],
) -> None:
    """Everything is locked before the first object is stored: what storing takes last, others wait for."""
    proven: list[Group] = []
    for producer, items in groups:
        before = known.find_known(producer, [item for item in items if item.error is None])
        results.update({index: StoreResult(StoreStatus.EXISTS) for index in before})
        new = [item for item in items if item.index not in before and item.error is None]
        if not producer.is_feed:
            new = each(new, partial(_prove, producer=producer, keys=keys, moment=moment))
        proven.append((producer, new))
    homes = storing.lock_all(source, proven)
    for producer, items in proven:
        settled = each(items, partial(_settle, producer=producer, homes=homes, source=source))
        results.update(storing.store_items(source, producer, settled, moment))
    for producer, items in groups:
        brought = known.bring_back_known(source, producer, items, results, moment)
        results.update({index: StoreResult(StoreStatus.STORED) for index in brought})


def _prove(item: Item, producer: Producer, keys: Mapping[str, KnownKey], moment: datetime) -> None:
    check_producer(producer)
    prove_item(item, key_of(item, keys), moment)


def _settle(item: Item, producer: Producer, homes: storing.Homes, source: Source) -> None:
    settle_item(item, homes.get((producer.lab_id, item.object.id), source.collection))


def _judged(item: Item, fate: Fate | None, result: StoreResult | None) -> Judged:
    error: ExchangeError | StixError | None = item.error or (result.error if result is not None else None)
    if error is not None:
        return Judged(item, Fate.REFUSED if error.code in FORGOTTEN else Fate.QUARANTINED, error)
    if fate is None:
        if result is None:
            raise AssertionError("an object went through receiving without an end")
        fate = _FATES[result.status]
    return Judged(item, fate)
