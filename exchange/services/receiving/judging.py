"""What becomes of a turn of a page: the steps of publishing, for many producers at once.

An object that fails ends its own way and no other's. Whoever calls is inside `writing()`, under `retrying`, holds the
peer, and places the batch as the last thing of the transaction. Nothing is quarantined here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from exchange.models import StixObject
from exchange.services.errors import ConflictError, ExchangeError
from exchange.services.keys import KnownKey, find_keys
from exchange.services.publishing.item import Item, each
from exchange.services.publishing.proving import is_lab_identity, key_of, prove_item
from exchange.services.publishing.reading import settle_item
from exchange.services.receiving import known, storing, unsigned
from exchange.services.receiving.displacing import Displaced, changes_of, find_displaced
from exchange.services.receiving.identities import take_identity
from exchange.services.receiving.overtaking import OVERTAKEN
from exchange.services.receiving.page import Page, Step, Turn, contained, is_signed
from exchange.services.receiving.policy import check_producer
from exchange.services.receiving.producers import load_producers, lock_labs
from exchange.services.receiving.receipt import Fate, Judged
from exchange.services.receiving.source import Source
from exchange.services.receiving.storing import Owned
from exchange.services.receiving.withdrawing import TAKEN_BACK, follow_notes
from exchange.services.storing import Batch, StoreResult, StoreStatus
from exchange.services.withdrawals import withdraw_from
from exchange.stix.errors import StixError
from exchange.stix.fixed import is_fixed

_FATES: Final = {
    StoreStatus.STORED: Fate.STORED,
    StoreStatus.EXISTS: Fate.KNOWN,
    StoreStatus.HELD: Fate.HELD,
}

FORGOTTEN: Final = frozenset({"deleted", "expired", TAKEN_BACK, OVERTAKEN})
"""Refusals of what was removed or is over: its bytes are kept nowhere."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a turn came to. batch: what has no place in the sequence yet. taken_back: by the notes that were followed.

    names: tells what the peer has sent, as pairs of the producer's identity, "" if nobody knows it, and the id.
    displaced: what goes when the batch has its places.
    """

    judged: list[Judged]
    batch: Batch = field(default_factory=Batch)
    taken_back: Mapping[tuple[str, str], int] = field(default_factory=dict)
    names: Callable[[], Collection[tuple[str, str]]] = frozenset
    displaced: Sequence[StixObject] = ()


def judge_turn(source: Source, page: Page, turn: Turn, moment: datetime, *, is_override: bool = False) -> Verdict:
    """Verify and store what a turn has; one answer for each of its items, in their order.

    is_override: what other labs have under the ids of its objects goes (displacing.py).

    Raises:
        NotReadyError: the node cannot sign the notes that follow. ConflictError: an override of what cannot go.
    """
    if turn.step is Step.IDENTITY:
        return _judge_identity(source, turn.items, moment)
    if turn.step is Step.NOTES:
        return _judge_notes(source, page, turn.items, moment)
    return _judge_rest(source, page, turn.items, moment, is_override=is_override)


def _judge_identity(source: Source, items: Sequence[Item], moment: datetime) -> Verdict:
    results: dict[int, StoreResult] = {}
    for item in items:
        take_identity(source, item, moment, results)
    return Verdict([_judged(item, None, results.get(item.index)) for item in items])


def _judge_notes(source: Source, page: Page, items: Sequence[Item], moment: datetime) -> Verdict:
    kids = [item.signed.kid for item in items if item.signed is not None]
    lock_labs(kids)
    taken_back = follow_notes(source, items, find_keys(kids), moment)
    for item in items:
        if item.error is not None and page.comes_after(item):
            item.error = ConflictError("the peer sends the object again on the same page", code=OVERTAKEN)
    return Verdict([_judged(item, Fate.WITHDRAWAL, None) for item in items], taken_back=taken_back)


def _judge_rest(source: Source, page: Page, items: Sequence[Item], moment: datetime, *, is_override: bool) -> Verdict:
    """Everything is locked before the first object is stored, and nothing is numbered."""
    batch, readable = Batch(), [item for item in items if item.error is None]
    here = [item for item in readable if is_fixed(item.object.id) or (is_signed(item) and is_lab_identity(item))]
    fates = {item.index: Fate.KNOWN for item in here}
    left = [item for item in readable if item.index not in fates]
    kids = [item.signed.kid for item in left if item.signed is not None]
    lock_labs(kids)
    keys = find_keys(kids)
    owned = _owned([item for item in left if item.signed is not None], keys)
    owned += unsigned.vouch_items(source, [item for item in left if item.signed is None], moment)
    names = partial(_names, items, owned)
    owned = _standing(page, owned)
    before = known.find_known([(producer.lab_id, item) for producer, item in owned])
    before |= unsigned.stored_before(source, [item for producer, item in owned if producer.is_feed])
    results = {index: StoreResult(StoreStatus.EXISTS) for index in before}
    new = _proven([each for each in owned if each[1].index not in before], keys, moment)
    repeated = [each for each in owned if each[1].index in before]
    comeback = known.find_taken_back(source, repeated)
    others = (
        find_displaced((producer.lab_id, item.object.id) for producer, item in new) if is_override else Displaced({})
    )
    returning = known.names_of(repeated, comeback) | set(others.names.values())
    homes = storing.lock_all(source, new, returning, batch)
    displaced = others.found()
    withdraw_from(changes_of(displaced), moment, batch=batch)
    stored, changes = storing.store_items(source, _settled(source, new, homes), moment, batch, displaced=others.ids)
    results |= stored
    if comeback:
        # What was found before the lock may have come back meanwhile.
        comeback = known.find_taken_back(source, repeated)
        changes += known.bring_back_known(source, repeated, comeback, batch)
        results |= {index: StoreResult(StoreStatus.STORED) for index in comeback}
    withdraw_from(changes, moment, batch=batch)
    _leave_unread(page, items)
    judged = [_judged(item, fates.get(item.index), results.get(item.index)) for item in items]
    return Verdict(judged, batch, names=names, displaced=displaced)


def _owned(items: Sequence[Item], keys: Mapping[str, KnownKey]) -> list[Owned]:
    """The items whose key is known, with their producers."""
    labs: dict[int, int] = {}

    def find(item: Item) -> None:
        labs[item.index] = key_of(item, keys).lab_id

    found = each(items, find)
    producers = load_producers(labs.values())
    return [(producers[labs[item.index]], item) for item in found]


def _names(items: Sequence[Item], owned: Sequence[Owned]) -> frozenset[tuple[str, str]]:
    producers = {item.index: producer.identity for producer, item in owned}
    said = [(producers.get(item.index, _creator(item)), item.claimed_id) for item in items]
    return frozenset((producer, stix_id) for producer, stix_id in said if stix_id)


def _standing(page: Page, owned: Sequence[Owned]) -> list[Owned]:
    """Without what stands on the page before the note that takes it back."""
    passed = []
    for producer, item in owned:
        if page.is_taken_back(producer.identity, item):
            item.error = _taken_back()
        elif item.error is None:
            passed.append((producer, item))
    return passed


def _leave_unread(page: Page, items: Sequence[Item]) -> None:
    """What cannot be taken, and was taken back further on, need not wait."""
    for item in items:
        if item.error is not None and page.is_taken_back(_creator(item), item):
            item.error = _taken_back()


def _taken_back() -> ConflictError:
    return ConflictError("the peer took it back on the same page", code=TAKEN_BACK)


def _creator(item: Item) -> str:
    said = item.claimed.get("created_by_ref")
    return said if isinstance(said, str) else ""


def _proven(owned: Sequence[Owned], keys: Mapping[str, KnownKey], moment: datetime) -> list[Owned]:
    producers = {item.index: producer for producer, item in owned}

    def prove(item: Item) -> None:
        producer = producers[item.index]
        if not producer.is_feed or item.vouched is None:
            check_producer(producer)
            prove_item(item, key_of(item, keys), moment)

    return [(producers[item.index], item) for item in each([item for _, item in owned], prove)]


def _settled(source: Source, owned: Sequence[Owned], homes: storing.Homes) -> list[Owned]:
    passed: list[Owned] = []
    for producer, item in owned:
        home = homes.get((producer.lab_id, item.object.id), source.collection)
        step = partial(contained, partial(settle_item, collection=home))
        passed += [(producer, settled) for settled in each([item], step)]
    return passed


def _judged(item: Item, fate: Fate | None, result: StoreResult | None) -> Judged:
    error: ExchangeError | StixError | None = item.error or (result.error if result is not None else None)
    if error is not None:
        return Judged(item, Fate.REFUSED if error.code in FORGOTTEN else Fate.QUARANTINED, error)
    if fate is None:
        if result is None:
            raise AssertionError("an object went through receiving without an end")
        fate = _FATES[result.status]
    return Judged(item, fate)
