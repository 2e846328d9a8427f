"""Errands of push channels: deletions that a peer is to be told, and versions that it refused and gets again.

Each is tried later every time, and parked after `MAX_TRIES` for a person to look at. A refused version that the peer
may not read any more, or that is not the newest any more, is no errand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from exchange.models import PeerChannel, PeerErrand
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import execute, writing
from exchange.services.delivery import Delivery, record_delivery
from exchange.services.errors import NotFoundError
from exchange.services.pausing import growing_pause_s
from exchange.services.principals import Principal
from exchange.services.pushing.outbox import DOOR, Outgoing, reader_of
from exchange.services.query.entries import NOT_ITS_OWN
from exchange.services.sharing import reading_as

MAX_TRIES: Final = 8
FIRST_PAUSE_S: Final = 60.0
LONGEST_PAUSE_S: Final = 6 * 3600.0
MAX_AT_ONCE: Final = 50
MAX_REASON_CHARS: Final = 500

_MAY_READ: Final = f"""
SELECT e.seq, e.audience_id, o.stix_id, v.version_text, v.body
FROM entry e JOIN version v ON v.id = e.version_id JOIN object o ON o.id = e.object_id
WHERE e.version_id = %(version)s AND e.collection_id = %(collection)s AND e.is_newest AND {NOT_ITS_OWN}
"""  # noqa: S608 - put together from constants
_IS_READABLE: Final = f"""
SELECT EXISTS (
    SELECT FROM entry e JOIN version v ON v.id = e.version_id JOIN object o ON o.id = e.object_id
    WHERE o.stix_id = %(id)s AND e.collection_id = %(collection)s AND e.is_newest AND {NOT_ITS_OWN}
)
"""  # noqa: S608 - put together from constants


@dataclass(frozen=True, slots=True)
class Errand:
    """One errand that can be done now. outgoing: what is to be posted, None for a deletion."""

    number: int
    stix_id: str
    tries: int
    outgoing: Outgoing | None


def note_refused(channel: PeerChannel, versions: Sequence[tuple[int, str, str]]) -> None:
    """Keep versions that the peer refused: (row, object id, reason), row 0 for one that is gone. Inside `writing()`."""
    moment = now()
    PeerErrand.objects.bulk_create(
        [
            PeerErrand(
                channel=channel,
                kind=PeerErrand.Kind.POST,
                stix_id=stix_id,
                version_id=version_id,
                reason=reason[:MAX_REASON_CHARS],
                tries=1,
                next_attempt_at=moment + timedelta(seconds=_pause_s(1)),
                noted_at=moment,
            )
            for version_id, stix_id, reason in versions
            if version_id
        ],
        ignore_conflicts=True,
    )


def has_deletions(channel_id: int) -> bool:
    """Whether the peer is to be told to delete something before it is sent anything."""
    return bool(_due(channel_id).filter(kind=PeerErrand.Kind.DELETE).exists())


def due_errands(channel: PeerChannel, kind: PeerErrand.Kind) -> list[Errand]:
    """Errands of this kind whose time has come, the oldest first; those that became pointless are dropped.

    Raises:
        NotFoundError, AccessDeniedError: the peer, or its grant for the collection, is not there any more.
    """
    rows = list(_due(channel.pk).filter(kind=kind).order_by("pk")[:MAX_AT_ONCE])
    if kind == PeerErrand.Kind.DELETE:
        return [Errand(row.pk, row.stix_id, row.tries, None) for row in rows]
    found = []
    for row in rows:
        outgoing = _read(channel, row.version_id)
        if outgoing is None:
            row.delete()
        else:
            found.append(Errand(row.pk, row.stix_id, row.tries, outgoing))
    return found


def settle_errand(errand: Errand, *, reason: str = "", is_final: bool = False) -> None:
    """Note what became of an errand: done without a reason, else tried again later, or parked.

    is_final: trying again is of no use. A deletion has no pause of its own: nothing is sent before it is done, or
    parked.
    """
    if not reason:
        PeerErrand.objects.filter(pk=errand.number).delete()
        return
    tries, moment = errand.tries + 1, now()
    is_parked = is_final or tries >= MAX_TRIES
    pause_s = 0.0 if errand.outgoing is None else _pause_s(tries)
    PeerErrand.objects.filter(pk=errand.number).update(
        tries=tries,
        reason=reason[:MAX_REASON_CHARS],
        next_attempt_at=None if is_parked else moment + timedelta(seconds=pause_s),
    )


def list_errands(slug: str = "") -> list[PeerErrand]:
    """All errands, or those of one peer, the oldest first."""
    errands = PeerErrand.objects.select_related("channel__peer__lab", "channel__collection").order_by("pk")
    return list(errands.filter(channel__peer__lab__slug=slug) if slug else errands)


def retry_errands(*, actor: Principal, slug: str, number: int = 0) -> int:
    """Have errands of a peer tried at once, parked ones too: one of them, or all; answers how many.

    A deletion of what the peer may read again is dropped instead.

    Raises:
        NotFoundError: there is none of this number.
    """
    with writing():
        chosen = PeerErrand.objects.select_for_update(of=("self",)).select_related("channel__peer__lab")
        chosen = chosen.filter(channel__peer__lab__slug=slug)
        rows = list((chosen.filter(pk=number) if number else chosen).order_by("pk"))
        if number and not rows:
            raise NotFoundError("there is no errand of this number", code="errand-not-found")
        for row in rows:
            record_event(actor, "errand-retried", row.channel.peer.lab.slug, kind=row.kind, object=row.stix_id)
        kept = [row.pk for row in rows]
        PeerErrand.objects.filter(pk__in=kept).update(tries=0, next_attempt_at=now())
        PeerChannel.objects.filter(errands__pk__in=kept).update(next_attempt_at=now())
    _drop_pointless(rows)
    return len(rows)


def drop_errand(*, actor: Principal, number: int) -> None:
    """Give an errand up.

    Raises:
        NotFoundError: there is none of this number.
    """
    with writing():
        row = PeerErrand.objects.select_related("channel__peer__lab").filter(pk=number).first()
        if row is None:
            raise NotFoundError("there is no errand of this number", code="errand-not-found")
        record_event(actor, "errand-dropped", row.channel.peer.lab.slug, kind=row.kind, object=row.stix_id)
        row.delete()


def _due(channel_id: int) -> Any:
    return PeerErrand.objects.filter(channel_id=channel_id, next_attempt_at__lte=now())


def _drop_pointless(rows: Sequence[PeerErrand]) -> None:
    for row in rows:
        if row.kind == PeerErrand.Kind.DELETE and _is_readable(row):
            row.delete()


def _is_readable(row: PeerErrand) -> bool:
    reader, view = reader_of(_channel(row.channel_id))
    with reading_as(reader):
        params = {"id": row.stix_id, "collection": view.id, "origin": _peer_id(reader)}
        found: bool = execute(_IS_READABLE, params, prepare=False).fetchall()[0][0]
        return found


def _channel(channel_id: int) -> PeerChannel:
    return PeerChannel.objects.select_related("peer__lab", "collection__api_root").get(pk=channel_id)


def _read(channel: PeerChannel, version_id: int) -> Outgoing | None:
    """The version as the peer may read it now, with its row in the delivery log; None if it may not."""
    reader, view = reader_of(channel)
    params = {"version": version_id, "collection": view.id, "origin": _peer_id(reader)}
    with reading_as(reader):
        row = execute(_MAY_READ, params, prepare=False).fetchone()
        if row is None:
            return None
        seq, audience_id, stix_id, version, body = row
        record_delivery(Delivery(reader, DOOR, [view.id], [seq], [audience_id], {"seqs": [seq]}))
    return Outgoing(seq, stix_id, version, bytes(body))


def _peer_id(reader: Principal) -> int:
    return reader.peer.id if reader.peer is not None else 0


def _pause_s(tries: int) -> float:
    return growing_pause_s(tries, first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S)
