"""Withdrawals: a peer's node says that its readers lost sight of an object, and so do ours (docs/sharing.md, rule 3).

A note counts only from the node that signed it, through its own channel: from a node that the producer calls home for
whatever was not published here, from a relay for what came from it alone. Only a home deletes: who was the first to
relay an object must not end it for those who get it from elsewhere.

The note itself is not kept: our readers get notes of this node. It is followed whenever it comes, and what the peer
sends after it is shown again, so that the order of the peer's sequence decides and a page that is repeated ends as it
did before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from exchange.models import QuarantinedObject, StixObject
from exchange.services.audit import record_event
from exchange.services.database import execute
from exchange.services.deletion import check_deletable, delete_taken_back
from exchange.services.errors import AccessDeniedError, ConflictError, PolicyError
from exchange.services.keys import KnownKey
from exchange.services.peer_principals import homes_among_peers
from exchange.services.principals import NODE
from exchange.services.publishing.item import Item, each
from exchange.services.publishing.proving import key_of, prove_item
from exchange.services.receiving.producers import Producer
from exchange.services.receiving.source import Source
from exchange.services.sharing import intern_audiences
from exchange.services.storing import AudienceChange
from exchange.services.storing.facets import set_readers
from exchange.services.withdrawals import NOBODY, WITHDRAWN, withdraw_from
from exchange.stix.extensions import Withdrawal, check_extensions
from exchange.stix.fixed import WITHDRAWAL_EXTENSION

TAKEN_BACK: Final = "taken-back"
_AT: Final = f"/extensions/{WITHDRAWAL_EXTENSION}"

Places = Mapping[tuple[str, str], int]
"""By the producer's identity and the object's id: the place on the page of the last note that takes it back."""


def take_notes(source: Source, items: Sequence[Item], keys: Mapping[str, KnownKey], moment: datetime) -> Places:
    """Follow the notes on a page. The caller is inside `writing()`; a note that is not followed has its error."""
    places: dict[tuple[str, str], int] = {}
    for item in each(items, partial(_prove, source=source, keys=keys, moment=moment)):
        note = check_extensions(item.object.members)[WITHDRAWAL_EXTENSION]
        if isinstance(note, Withdrawal) and note.state != "restored":
            try:
                _follow(source, note, moment)
            except (ConflictError, PolicyError) as error:
                item.error = error
            else:
                places[note.producer, note.object] = item.index
    return places


def leave_out(producer: Producer, items: Sequence[Item], places: Places) -> None:
    """What stands on a page before the note that takes it back is not taken."""

    def check(item: Item) -> None:
        if item.index < places.get((producer.identity, item.object.id), -1):
            raise ConflictError("the peer took it back on the same page", code=TAKEN_BACK)

    each(items, check)


def _prove(item: Item, source: Source, keys: Mapping[str, KnownKey], moment: datetime) -> None:
    key = key_of(item, keys)
    if not source.is_exchange or key.lab_id != source.lab_id:
        raise AccessDeniedError(
            "only the node that sends it says that something was withdrawn", code="withdrawal-foreign", pointer=_AT
        )
    prove_item(item, key, moment)


def _follow(source: Source, note: Withdrawal, moment: datetime) -> None:
    """Take one object out of sight; nothing happens where it is not here.

    Raises:
        PolicyError: it came from elsewhere. ConflictError: other things rest on it.
    """
    QuarantinedObject.objects.filter(
        peer_id=source.peer_id, stix_id=note.object, creator=note.producer, state=QuarantinedObject.State.WAITING
    ).update(state=QuarantinedObject.State.DROPPED, body=b"", decided_at=moment, decided_by=str(NODE))
    found = (
        StixObject.objects.select_for_update()
        .filter(producer__identity_id=note.producer, stix_id=note.object)
        .exclude(state__in=[StixObject.State.DELETED, StixObject.State.EXPIRED])
        .first()
    )
    if found is None:
        return
    versions = execute(_VERSIONS, {"object": found.pk}).fetchall()
    origins, is_home = {origin for _, origin in versions}, source.peer_id in homes_among_peers(note.producer)
    if None in origins or (origins != {source.peer_id} and not is_home):
        raise PolicyError("the object did not come from this peer alone", code="withdrawal-origin", pointer=_AT)
    if note.state == "deleted" and is_home:
        delete_taken_back(found=found, producer=note.producer, moment=moment)
    else:
        check_deletable(found, note.producer)
        _take_out(source, found, note, [version_id for version_id, _ in versions], moment)
    record_event(NODE, "object-taken-back", found.stix_id, peer=source.name, state=note.state)


_VERSIONS: Final = """
SELECT v.id, v.origin_peer_id FROM version v
WHERE v.id IN (SELECT version_id FROM version_key WHERE object_id = %(object)s
               UNION SELECT version_id FROM held WHERE object_id = %(object)s)
ORDER BY v.id
"""
# What a compromised key signed stays where it is: that the peer sends it again does not make it sound.
_TAKE_OUT: Final = (
    "DELETE FROM entry WHERE version_id = ANY (%(versions)s)",
    "DELETE FROM held h USING version_key k WHERE h.version_id = ANY (%(versions)s) AND k.version_id = h.version_id",
    """INSERT INTO held (version_id, object_id, missing_marking, held_since)
       SELECT k.version_id, k.object_id, %(withdrawn)s, %(at)s FROM version_key k
       WHERE k.version_id = ANY (%(versions)s)""",
    # Who took it back may send it again: a relay must not undo the word of a home.
    "UPDATE version SET audience_id = %(nobody)s, origin_peer_id = %(peer)s WHERE id = ANY (%(versions)s)",
    "UPDATE object SET newest_version_id = NULL, newest_audience_id = NULL WHERE id = %(object)s",
)


def _take_out(source: Source, found: StixObject, note: Withdrawal, versions: list[int], moment: datetime) -> None:
    """The versions stay, in nobody's view, so that the same bytes are known when the peer sends them again."""
    if found.newest_audience_id is not None:
        change = AudienceChange(
            found.stix_id, note.producer, found.home_collection_id, found.newest_audience_id, NOBODY, revoked=False
        )
        withdraw_from([change], moment, state=note.state)
    nobody = intern_audiences([NOBODY])[NOBODY.digest]
    params: dict[str, Any] = {
        "object": found.pk,
        "versions": versions,
        "peer": source.peer_id,
        "withdrawn": WITHDRAWN,
        "nobody": nobody,
        "at": moment,
    }
    for statement in _TAKE_OUT:
        execute(statement, params)
    set_readers(versions, [nobody] * len(versions))
