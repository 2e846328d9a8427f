"""What one transaction stores: decided under lock, written as it comes, and given its places at the end.

The sequencer is one row for everybody, so whoever waits for another lock while holding it can be waited for in turn:
a deadlock. A transaction that stores in several steps therefore uses one batch, and `place` is its last statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from exchange.services.sharing import intern_audiences
from exchange.services.storing import rows
from exchange.services.storing.deciding import NewVersion, ObjectState
from exchange.services.storing.noticing import Newest, notice_newest
from exchange.services.storing.places import insert_entries
from exchange.services.storing.prepared import AudienceChange, PreparedVersion, StoreResult, StoreStatus
from exchange.services.storing.rows import ObjectName
from exchange.services.storing.waiting import note_waiting


class RaceError(Exception):
    """Another transaction inserted the same new object first; begin again."""


class Batch:
    """The versions of one `writing()` transaction, of as many producers and steps as it has.

    Locks are taken by each step for its own objects, or, after `lock`, for all of them at once: what was not there
    then is new, and if somebody else stores it meanwhile the transaction begins again.
    """

    def __init__(self) -> None:
        self._locked: dict[ObjectName, int] | None = None
        self._unplaced: list[NewVersion] = []
        self._newest_states: dict[int, ObjectState] = {}
        self._fresh: set[int] = set()

    def lock(self, names: Iterable[ObjectName]) -> Mapping[ObjectName, int]:
        """Lock whatever the transaction will change, in the order of everybody; answers the row ids of what is here."""
        self._locked = rows.lock_objects(names)
        return dict(self._locked)

    def store(self, versions: Sequence[tuple[int, PreparedVersion]]) -> tuple[list[StoreResult], list[AudienceChange]]:
        """Decide on the versions in their order, each with its producer's row, and write those that may be.

        Answers a result per version, and the objects whose readers changed.

        Raises:
            RaceError: begin the transaction again.
        """
        if not versions:
            return [], []
        audiences = intern_audiences(version.audience for _, version in versions)
        states = self._states(versions)
        note_waiting(states.values())
        before = {name: state.newest_audience_id for name, state in states.items() if state.id}
        results, new = _decide(versions, states, audiences)
        if new:
            self._write(new)
        return results, _changes(new, before)

    def release(self, held: Sequence[tuple[int, int, PreparedVersion]]) -> list[AudienceChange]:
        """Bring versions that were stored but held before their readers; answers whose readers changed.

        held: the producer's row, the version's id, the version. What was revoked stays revoked: a version of it that
        waits is held for ever, unless it is the revocation.
        """
        if not held:
            return []
        audiences = intern_audiences(version.audience for _, _, version in held)
        states = self._states([(producer_id, version) for producer_id, _, version in held])
        before = {name: state.newest_audience_id for name, state in states.items()}
        ready = [each for each in held if each[2].revoked or states[each[0], each[2].stix_id].state != "revoked"]
        note_waiting(states.values(), released={version_id for _, version_id, _ in ready})
        new = []
        for producer_id, version_id, version in ready:
            state = states[producer_id, version.stix_id]
            row = NewVersion(version, version_id, state, audiences[version.audience.digest])
            state.accept(version, version_id, row.audience_id)
            new.append(row)
        if not new:
            return []
        rows.set_audiences(new)
        rows.remove_notes(new)
        rows.update_objects(_touched(new), new[0].version.received_at)
        self._note(new)
        self._unplaced += new
        return _changes(new, before)

    def place(self) -> None:
        """Give everything its place in the sequence, in the order in which it came. Last of all."""
        if self._unplaced:
            notice_newest(self._newest())
            insert_entries([replace(row, state=self._newest_states[row.state.id]) for row in self._unplaced])
            self._unplaced = []

    def _states(self, versions: Sequence[tuple[int, PreparedVersion]]) -> dict[ObjectName, ObjectState]:
        names = {(producer_id, version.stix_id) for producer_id, version in versions}
        known = rows.lock_objects(names) if self._locked is None else self._locked
        stored = rows.read_states([known[name] for name in names if name in known], [each for _, each in versions])
        return {name: stored.get(name) or ObjectState(name[1], producer_id=name[0]) for name in names}

    def _write(self, new: Sequence[NewVersion]) -> None:
        at = new[0].version.received_at
        touched = _touched(new)
        fresh = [state for state in touched if not state.id]
        old = [state for state in touched if state.id]
        types = {_name(row.state): row.version.type for row in new}
        if fresh and not rows.insert_objects(fresh, types, at):
            raise RaceError
        self._fresh.update(state.id for state in fresh)
        if self._locked is not None:
            self._locked.update({_name(state): state.id for state in fresh})
        rows.insert_versions(new)
        if old:
            rows.update_objects(old, at)
        self._note(new)
        self._unplaced += [row for row in new if not row.version.missing_marking]

    def _newest(self) -> list[Newest]:
        newest = [row for row in self._unplaced if self._newest_states[row.state.id].newest_version_id == row.id]
        return [
            Newest(
                object_id=row.state.id,
                type=row.version.type,
                version_id=row.id,
                version_text=row.version.version_text,
                body=row.version.body,
                is_first=row.state.id in self._fresh,
            )
            for row in newest
        ]

    def _note(self, new: Sequence[NewVersion]) -> None:
        """Of an object that comes in several steps the last one knows what has become of it."""
        self._newest_states |= {row.state.id: row.state for row in new}


def _name(state: ObjectState) -> ObjectName:
    return (state.producer_id, state.stix_id)


def _touched(new: Iterable[NewVersion]) -> list[ObjectState]:
    """The states of the objects of these versions, each once, in the order of their names."""
    return [state for _, state in sorted({_name(row.state): row.state for row in new}.items())]


def _decide(
    versions: Sequence[tuple[int, PreparedVersion]],
    states: Mapping[ObjectName, ObjectState],
    audiences: Mapping[bytes, int],
) -> tuple[list[StoreResult], list[NewVersion]]:
    ids = iter(rows.take_version_ids(len(versions)))
    results, new = [], []
    for producer_id, version in versions:
        state = states[producer_id, version.stix_id]
        result = state.decide(version)
        results.append(result)
        if result.status in (StoreStatus.STORED, StoreStatus.HELD):
            row = NewVersion(version, next(ids), state, audiences[version.audience.digest])
            state.accept(version, row.id, row.audience_id)
            new.append(row)
    return results, new


def _changes(new: Sequence[NewVersion], before: Mapping[ObjectName, int | None]) -> list[AudienceChange]:
    """One change for each object that somebody could read and whose readers are others now."""
    changes = {}
    for row in new:
        name = _name(row.state)
        earlier = before.get(name)
        decides = row.version.version_key == row.state.latest_key
        if earlier is not None and decides and row.audience_id != earlier:
            changes[name] = AudienceChange(
                stix_id=row.state.stix_id,
                producer=row.version.lab_identity,
                collection_id=row.version.collection_id,
                before=earlier,
                after=row.version.audience,
                revoked=row.version.revoked,
            )
    return list(changes.values())
