"""Keeps an envelope while it arrives, and takes it in when it is whole: then it has a status, and a worker is asked.

Each batch commits by itself, so no transaction waits for a client. What was kept of an envelope that broke off counts
for nothing and is removed, at once or, if the process died, by housekeeping.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import Error, transaction
from psycopg.types.json import Jsonb

from exchange.models import PublishingStatus, StagedEnvelope
from exchange.services.clock import now
from exchange.services.collections import CollectionView
from exchange.services.database import execute, writing
from exchange.services.errors import AccessDeniedError, NotReadyError
from exchange.services.posted import PostedObject
from exchange.services.principals import Principal
from exchange.services.queue import FINISH_ENVELOPE, send_task
from exchange.services.staging.claims import OFFERED_AGAIN_AFTER_S
from exchange.services.staging.room import lock_room, require_room
from exchange.services.statuses import StatusReport, report_of

BATCH_OBJECTS: Final = 500
"""Published in one transaction: long enough to cost little each, short enough to watch, and to hold little memory."""

BATCH_BYTES: Final = 4 * 1024 * 1024

ABANDONED_AFTER: Final = timedelta(minutes=30)
"""An envelope of which nothing came for so long never will be whole: its process died. The slowest body that the door
takes (http/bodies.py) brings a batch every eight minutes."""

IDENTITY, MARKING, OTHER = range(3)
_RANK_OF_TYPE: Final = {"identity": IDENTITY, "marking-definition": MARKING}

_log: Final = logging.getLogger(__name__)


def stage_envelope(
    *,
    principal: Principal,
    collection: CollectionView,
    objects: Iterable[PostedObject],
    requested_at: datetime,
    batch_objects: int = BATCH_OBJECTS,
) -> StatusReport:
    """Keep the objects, which may be arriving still, and answer the status that will say what became of them.

    batch_objects: how many are published, and counted in the status, at once.

    Raises:
        AccessDeniedError: who asks is no token of a lab. TooLargeError: as `require_room`.
        NotReadyError: as `require_room`, or housekeeping took the envelope for abandoned.
        Whatever the iteration raises; then, too, nothing was taken in.
    """
    if principal.lab_id is None or principal.token_id is None:
        raise AccessDeniedError("only a lab's token publishes envelopes")
    envelope = StagedEnvelope(
        status_id=uuid.uuid4(),
        lab_id=principal.lab_id,
        token_id=principal.token_id,
        collection_id=collection.id,
        staged_at=requested_at,
    )
    staging = _Staging(envelope, batch_objects)
    try:
        for posted in objects:
            staging.add(posted)
        return staging.take_in()
    except BaseException:
        staging.discard()
        raise


def purge_abandoned(moment: datetime | None = None) -> int:
    """Remove what was kept of envelopes that never became whole; answers of how many."""
    with writing():
        abandoned = StagedEnvelope.objects.filter(is_whole=False, staged_at__lt=(moment or now()) - ABANDONED_AFTER)
        return abandoned.delete()[1].get("exchange.StagedEnvelope", 0)


@dataclass(slots=True)
class _Batch:
    """Objects of one rank that were not written yet, each with its place in the envelope."""

    places: list[int] = field(default_factory=list)
    objects: list[PostedObject] = field(default_factory=list)


class _Staging:
    """The keeping of one envelope."""

    def __init__(self, envelope: StagedEnvelope, batch_objects: int) -> None:
        self._envelope = envelope
        self._batch_objects = batch_objects
        self._batches = {rank: _Batch() for rank in (IDENTITY, MARKING, OTHER)}
        self._count = 0
        self._unwritten_octets = 0

    def add(self, posted: PostedObject) -> None:
        batch = self._batches[_RANK_OF_TYPE.get(posted.id.partition("--")[0], OTHER)]
        batch.places.append(self._count)
        batch.objects.append(posted)
        self._count += 1
        self._unwritten_octets += len(posted.body)
        if self._count % self._batch_objects == 0 or self._unwritten_octets >= BATCH_BYTES:
            self._write()

    def take_in(self) -> StatusReport:
        """The envelope is whole: from here on it has a status, and workers may find it."""
        self._write()
        status = PublishingStatus(
            id=self._envelope.status_id,
            lab_id=self._envelope.lab_id,
            requested_at=self._envelope.staged_at,
            total_count=self._count,
        )
        values = {"status": status.id, "due": OFFERED_AGAIN_AFTER_S}
        with writing():
            status.save(force_insert=True)
            execute(_INSERT_PARTS, values)
            execute(_MAKE_WHOLE, values)
            report = report_of(status)
            if report.pending_count != self._count:
                raise NotReadyError("the envelope took too long to arrive; send it again", code="staging-abandoned")
            transaction.on_commit(lambda: send_task(FINISH_ENVELOPE, str(status.id)))
        return report

    def discard(self) -> None:
        """Remove what was written. A database that is away keeps it until `purge_abandoned`."""
        try:
            with writing():
                StagedEnvelope.objects.filter(pk=self._envelope.status_id, is_whole=False).delete()
        except Error as error:
            _log.warning(
                "parts of envelope %s stay for housekeeping: %s", self._envelope.status_id, type(error).__name__
            )

    def _write(self) -> None:
        self._envelope.octets += self._unwritten_octets
        self._unwritten_octets = 0
        with writing():
            lock_room(self._envelope.lab_id)
            require_room(self._envelope.lab_id, self._envelope.status_id, self._envelope.octets)
            execute(
                _UPSERT_ENVELOPE,
                {
                    "status": self._envelope.status_id,
                    "lab": self._envelope.lab_id,
                    "token": self._envelope.token_id,
                    "collection": self._envelope.collection_id,
                    "at": now(),
                    "octets": self._envelope.octets,
                },
            )
            for rank, batch in self._batches.items():
                self._insert(rank, batch)
        self._batches = {rank: _Batch() for rank in self._batches}

    def _insert(self, rank: int, batch: _Batch) -> None:
        # An identity holds the sequencer from when it is stored, so it gets a transaction of its own.
        size = 1 if rank == IDENTITY else self._batch_objects
        for start in range(0, len(batch.objects), size):
            places, objects = batch.places[start : start + size], batch.objects[start : start + size]
            values = {
                "envelope": self._envelope.status_id,
                "rank": rank,
                "pendings": Jsonb(self._pendings(places, objects)),
                "bodies": [posted.body for posted in objects],
            }
            execute(_INSERT_BATCH, values)

    def _pendings(self, places: Sequence[int], objects: Sequence[PostedObject]) -> list[tuple[int, dict[str, str]]]:
        return [
            (place, {"id": posted.id, "version": posted.version_at(self._envelope.staged_at)})
            for place, posted in zip(places, objects, strict=True)
        ]


_UPSERT_ENVELOPE = """
INSERT INTO staged_envelope (status_id, lab_id, token_id, collection_id, staged_at, octets, is_whole, tries)
VALUES (%(status)s, %(lab)s, %(token)s, %(collection)s, %(at)s, %(octets)s, false, 0)
ON CONFLICT (status_id) DO UPDATE SET octets = excluded.octets, staged_at = excluded.staged_at
"""
_INSERT_BATCH = """
INSERT INTO staged_batch (envelope_id, rank, pendings, bodies)
VALUES (%(envelope)s, %(rank)s, %(pendings)s, %(bodies)b::bytea[])
"""
_INSERT_PARTS = """
INSERT INTO status_part (id, status_id, successes, failures, pendings)
SELECT id, envelope_id, '[]', '[]', pendings FROM staged_batch WHERE envelope_id = %(status)s
"""
_MAKE_WHOLE = """
UPDATE staged_envelope SET is_whole = true, due_at = clock_timestamp() + %(due)s::int * interval '1 second'
WHERE status_id = %(status)s
"""
