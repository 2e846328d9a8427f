"""Withdrawals: a peer's node says that its readers lost sight of an object, and so do ours (docs/sharing.md, rule 3).

A note counts only from the node that signed it, through its own channel: from a node that the producer calls home for
whatever was not published here, from a relay for what came from it alone. Only a home deletes: who was the first to
relay an object must not end it for those who get it from elsewhere.

The note itself is not kept: our readers get notes of this node. It is followed whenever it comes, and what the peer
sends after it is shown again, so that the order of the peer's sequence decides and a page that is repeated ends as it
did before. A note that waits in quarantine is overtaken by its object (overtaking.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from exchange.models import Lab, StixObject
from exchange.services.audit import record_event
from exchange.services.database import execute
from exchange.services.deletion import check_deletable, remove_taken_back
from exchange.services.errors import AccessDeniedError, PolicyError
from exchange.services.keys import KnownKey
from exchange.services.peer_principals import homes_among_peers
from exchange.services.principals import NODE
from exchange.services.publishing.item import Item, each
from exchange.services.publishing.marking import lock_markings
from exchange.services.publishing.proving import key_of, prove_item
from exchange.services.receiving.overtaking import forget_waiting
from exchange.services.receiving.page import note_of
from exchange.services.receiving.producers import acting_for
from exchange.services.receiving.source import Source
from exchange.services.receiving.taking_out import take_out
from exchange.services.storing import AudienceChange, Batch
from exchange.services.withdrawals import NOBODY, withdraw_from
from exchange.stix.extensions import Withdrawal
from exchange.stix.fixed import WITHDRAWAL_EXTENSION

TAKEN_BACK: Final = "taken-back"
_AT: Final = f"/extensions/{WITHDRAWAL_EXTENSION}"
_GONE: Final = (StixObject.State.DELETED, StixObject.State.EXPIRED)

Name = tuple[str, str]
"""The producer's identity and the object's id."""


@dataclass(slots=True)
class _Target:
    """An object that notes are about, locked. versions, origins: of what is stored of it, whether it waits or not.

    word: what the first note that is followed says happened, "" before. is_deleted: a home says that it was deleted.
    """

    found: StixObject
    producer: str
    versions: list[int]
    origins: set[int | None]
    word: str = ""
    is_deleted: bool = False


def follow_notes(
    source: Source, items: Sequence[Item], keys: Mapping[str, KnownKey], moment: datetime
) -> Mapping[Name, int]:
    """Follow notes; answers the place on the page of the last one about each object. The caller is inside `writing()`.

    A note that is not followed has its error. Nothing happens where its object is not here.

    Raises:
        NotReadyError: the node cannot sign the notes that follow.
    """
    proven = each(items, partial(_prove, source=source, keys=keys, moment=moment))
    said = {item.index: note for item in proven if (note := note_of(item)) is not None and note.state != "restored"}
    names = {(note.producer, note.object) for note in said.values()}
    forget_waiting(source, names)
    batch = Batch()
    targets = _lock_targets(names, batch)
    homes = homes_among_peers(target.producer for target in targets.values())

    def follow(item: Item) -> None:
        note = said[item.index]
        target = targets.get((note.producer, note.object))
        if target is not None:
            _follow(target, note, source, is_home=source.peer_id in homes[note.producer])

    followed = each([item for item in proven if item.index in said], follow)
    _act(source, [target for target in targets.values() if target.word], moment, batch)
    return {(said[item.index].producer, said[item.index].object): item.index for item in followed}


def _prove(item: Item, source: Source, keys: Mapping[str, KnownKey], moment: datetime) -> None:
    key = key_of(item, keys)
    if not source.is_exchange or key.lab_id != source.lab_id:
        raise AccessDeniedError(
            "only the node that sends it says that something was withdrawn", code="withdrawal-foreign", pointer=_AT
        )
    prove_item(item, key, moment)


_VERSIONS: Final = """
SELECT x.object_id, v.id, v.origin_peer_id
FROM (SELECT object_id, version_id FROM version_key WHERE object_id = ANY (%(objects)s)
      UNION SELECT object_id, version_id FROM held WHERE object_id = ANY (%(objects)s)) x
JOIN version v ON v.id = x.version_id ORDER BY v.id
"""


def _lock_targets(names: set[Name], batch: Batch) -> dict[Name, _Target]:
    """The objects of these names that are here, locked in the order of everybody."""
    labs = {lab.identity_id or "": lab for lab in Lab.objects.filter(identity_id__in={name[0] for name in names})}
    here = [(labs[producer], stix_id) for producer, stix_id in names if producer in labs]
    marking_labs = {lab.pk: lab for lab, stix_id in here if stix_id.startswith("marking-definition--")}
    for _, lab in sorted(marking_labs.items()):
        lock_markings(acting_for(lab))
    locked = batch.lock((lab.pk, stix_id) for lab, stix_id in here)
    producers = {lab.pk: identity for identity, lab in labs.items()}
    targets = {
        found.pk: _Target(found, producers[found.producer_id], [], set())
        for found in StixObject.objects.filter(pk__in=list(locked.values())).exclude(state__in=_GONE)
    }
    for object_id, version_id, origin in execute(_VERSIONS, {"objects": sorted(targets)}, prepare=False).fetchall():
        targets[object_id].versions.append(version_id)
        targets[object_id].origins.add(origin)
    return {(target.producer, target.found.stix_id): target for target in targets.values()}


def _follow(target: _Target, note: Withdrawal, source: Source, *, is_home: bool) -> None:
    """Judge one note about an object that is here.

    Raises:
        PolicyError: it came from elsewhere. ConflictError: other things rest on it.
    """
    if None in target.origins or (target.origins != {source.peer_id} and not is_home):
        raise PolicyError("the object did not come from this peer alone", code="withdrawal-origin", pointer=_AT)
    check_deletable(target.found, note.producer)
    target.word = target.word or note.state
    target.is_deleted |= note.state == "deleted" and is_home


def _act(source: Source, targets: Sequence[_Target], moment: datetime, batch: Batch) -> None:
    """Tell the readers, take out, place the notes; and delete last, for that takes numbers one by one."""
    if not targets:
        return
    withdraw_from([_change(each) for each in targets if each.found.newest_audience_id], moment, batch=batch)
    staying = [target for target in targets if not target.is_deleted]
    take_out(
        source, [target.found.pk for target in staying], [id_ for each in staying for id_ in each.versions], moment
    )
    for target in targets:
        state = "deleted" if target.is_deleted else target.word
        record_event(NODE, "object-taken-back", target.found.stix_id, peer=source.name, state=state)
    batch.place()
    for target in targets:
        if target.is_deleted:
            remove_taken_back(found=target.found, producer=target.producer, moment=moment)


def _change(target: _Target) -> AudienceChange:
    found = target.found
    before = found.newest_audience_id or 0
    return AudienceChange(
        found.stix_id, target.producer, found.home_collection_id, before, NOBODY, revoked=False, word=target.word
    )
