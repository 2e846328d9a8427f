"""Stores prepared versions of one producer: decide under lock, write, then take numbers.

Per version all or nothing; the transaction is the caller's, so that a whole request commits at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from django.db import OperationalError
from psycopg import errors as pg_errors

from exchange.services.errors import NotReadyError
from exchange.services.sharing import intern_audiences
from exchange.services.storing import rows
from exchange.services.storing.deciding import NewVersion, ObjectState
from exchange.services.storing.prepared import AudienceChange, PreparedVersion, StoreResult, StoreStatus
from exchange.services.storing.waiting import note_waiting

MAX_TRIES = 5
"""Tries of a transaction that lost a race for the same new object, or met a deadlock. Each loser sees the winner's
rows at its next try, so more than two are needed only under heavy contention for one object."""

T = TypeVar("T")


class RaceError(Exception):
    """Another transaction inserted the same new object first; begin again."""


def retrying(transaction: Callable[[], T]) -> T:
    """Run a whole transaction, again if it lost a race.

    Raises:
        NotReadyError: it lost `MAX_TRIES` times.
    """
    for _ in range(MAX_TRIES):
        try:
            return transaction()
        except RaceError:
            continue
        except OperationalError as error:
            if not isinstance(error.__cause__, pg_errors.DeadlockDetected):
                raise
    raise NotReadyError("the objects are being written by many at once; try again", code="contention")


def store_versions(
    producer_id: int, versions: Sequence[PreparedVersion]
) -> tuple[list[StoreResult], list[AudienceChange]]:
    """Store the versions, in their order, inside the caller's `writing()` transaction.

    Answers a result per version, and the objects whose readers changed.

    Raises:
        RaceError: begin the transaction again (`retrying` does).
    """
    if not versions:
        return [], []
    audiences = intern_audiences(version.audience for version in versions)
    states = rows.lock_objects(producer_id, versions)
    note_waiting(states.values())
    before = {state.stix_id: state.newest_audience_id for state in states.values() if state.id}
    results, new = _decide(versions, states, audiences)
    if new:
        _write(producer_id, new)
    return results, _changes(new, before)


def release_versions(producer_id: int, held: Sequence[tuple[int, PreparedVersion]]) -> list[AudienceChange]:
    """Bring versions that were stored but held (by id) before their readers; answers whose readers changed.

    What was revoked stays revoked: a version of it that waits is held for ever, unless it is the revocation. The caller
    is inside `writing()`.
    """
    if not held:
        return []
    versions = [version for _, version in held]
    audiences = intern_audiences(version.audience for version in versions)
    states = rows.lock_objects(producer_id, versions)
    before = {state.stix_id: state.newest_audience_id for state in states.values()}
    ready = [
        (version_id, version)
        for version_id, version in held
        if version.revoked or states[version.stix_id].state != "revoked"
    ]
    note_waiting(states.values(), released={version_id for version_id, _ in ready})
    new = []
    for version_id, version in ready:
        state = states[version.stix_id]
        row = NewVersion(version, version_id, state, audiences[version.audience.digest])
        state.accept(version, version_id, row.audience_id)
        new.append(row)
    if not new:
        return []
    rows.set_audiences(new)
    rows.remove_notes(new)
    touched = {row.state.stix_id: row.state for row in new}
    rows.update_objects([state for _, state in sorted(touched.items())], versions[0].received_at)
    rows.insert_entries(producer_id, new)
    return _changes(new, before)


def _decide(
    versions: Sequence[PreparedVersion], states: dict[str, ObjectState], audiences: Mapping[bytes, int]
) -> tuple[list[StoreResult], list[NewVersion]]:
    ids = iter(rows.take_version_ids(len(versions)))
    results, new = [], []
    for version in versions:
        state = states[version.stix_id]
        result = state.decide(version)
        results.append(result)
        if result.status in (StoreStatus.STORED, StoreStatus.HELD):
            row = NewVersion(version, next(ids), state, audiences[version.audience.digest])
            state.accept(version, row.id, row.audience_id)
            new.append(row)
    return results, new


def _write(producer_id: int, new: Sequence[NewVersion]) -> None:
    at = new[0].version.received_at
    touched = {row.state.stix_id: row.state for row in new}
    fresh = [state for _, state in sorted(touched.items()) if not state.id]
    old = [state for _, state in sorted(touched.items()) if state.id]
    if fresh and not rows.insert_objects(
        producer_id, fresh, {row.version.stix_id: row.version.type for row in new}, at
    ):
        raise RaceError
    rows.insert_versions(new)
    if old:
        rows.update_objects(old, at)
    shown = [row for row in new if not row.version.missing_marking]
    if shown:
        rows.insert_entries(producer_id, shown)


def _changes(new: Sequence[NewVersion], before: dict[str, int | None]) -> list[AudienceChange]:
    """One change for each object that somebody could read and whose readers are others now."""
    changes = {}
    for row in new:
        earlier = before.get(row.state.stix_id)
        decides = row.version.version_key == row.state.latest_key
        if earlier is not None and decides and row.audience_id != earlier:
            changes[row.state.stix_id] = AudienceChange(
                stix_id=row.state.stix_id,
                producer=row.version.lab_identity,
                collection_id=row.version.collection_id,
                before=earlier,
                after=row.version.audience,
                revoked=row.version.revoked,
            )
    return list(changes.values())
