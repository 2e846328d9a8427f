"""The SQL of storage. Every statement takes arrays, so that their number does not grow with the batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from exchange.services.database import execute
from exchange.services.storing import facets
from exchange.services.storing.deciding import NewVersion, ObjectState
from exchange.services.storing.prepared import PreparedVersion

ObjectName = tuple[int, str]
"""The producer's row and the STIX id."""

# In the order of everybody who locks objects. The states are another statement: one that waited for a lock still sees,
# in other tables, what was there before it waited.
_LOCK = """
SELECT o.producer_id, o.stix_id, o.id
FROM object o
JOIN unnest(%(producers)b::int[], %(ids)b::text[]) AS n (producer, id)
     ON n.producer = o.producer_id AND n.id = o.stix_id
ORDER BY o.producer_id, o.stix_id FOR UPDATE OF o
"""
_STATES = """
SELECT o.id, o.producer_id, o.stix_id, o.home_collection_id, o.created_text, o.newest_version_id, o.newest_audience_id,
       o.state,
       coalesce((SELECT k.version_key FROM version_key k
                 WHERE k.object_id = o.id AND k.version_id = o.newest_version_id), ''),
       coalesce((SELECT min(k.version_key) FROM version_key k WHERE k.object_id = o.id
                 AND NOT EXISTS (SELECT FROM held h WHERE h.version_id = k.version_id)), '')
FROM object o WHERE o.id = ANY (%(objects)s)
"""
_DIGESTS = """
SELECT object_id, version_key, digest, false FROM version_key
WHERE object_id = ANY (%(objects)s) AND version_key = ANY (%(keys)s)
UNION ALL
SELECT object_id, version_key, digest, true FROM tombstone
WHERE object_id = ANY (%(objects)s) AND version_key = ANY (%(keys)s)
"""


def lock_objects(names: Iterable[ObjectName]) -> dict[ObjectName, int]:
    """Lock those of these objects that exist; answers their row ids."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    params = {"producers": [each[0] for each in wanted], "ids": [each[1] for each in wanted]}
    found = execute(_LOCK, params, prepare=False).fetchall()
    return {(producer_id, stix_id): object_id for producer_id, stix_id, object_id in found}


def read_states(object_ids: Iterable[int], versions: Iterable[PreparedVersion]) -> dict[ObjectName, ObjectState]:
    """States of locked objects, with the digests of what they have of these versions."""
    locked = sorted(object_ids)
    if not locked:
        return {}
    by_row = {
        row[0]: ObjectState(
            id=row[0],
            producer_id=row[1],
            stix_id=row[2],
            home_collection_id=row[3],
            created_text=row[4],
            newest_version_id=row[5],
            newest_audience_id=row[6],
            state=row[7],
            newest_key=row[8],
            first_key=row[9],
        )
        for row in execute(_STATES, {"objects": locked}, prepare=False).fetchall()
    }
    keys = sorted({version.version_key for version in versions})
    found = execute(_DIGESTS, {"objects": locked, "keys": keys}, prepare=False).fetchall()
    for object_id, key, digest, is_deleted in found:
        by_row[object_id].digests[key] = bytes(digest)
        if is_deleted:
            by_row[object_id].deleted_keys.add(key)
    return {(state.producer_id, state.stix_id): state for state in by_row.values()}


_FIRST_SEEN = """
SELECT o.stix_id, k.version_key, v.digest, v.received_at
FROM unnest(%(ids)b::text[], %(keys)b::text[]) AS wanted (stix_id, version_key)
JOIN object o ON o.producer_id = %(producer)s AND o.stix_id = wanted.stix_id
JOIN version_key k ON k.object_id = o.id AND k.version_key = wanted.version_key
JOIN version v ON v.id = k.version_id
"""


def first_seen(
    producer_id: int | None, wanted: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[bytes, datetime]]:
    """Digest and time of receipt of those (STIX id, version key) of the producer that are stored."""
    params = {"producer": producer_id, "ids": [each[0] for each in wanted], "keys": [each[1] for each in wanted]}
    found = execute(_FIRST_SEEN, params, prepare=False).fetchall()
    return {(stix_id, key): (bytes(digest), received_at) for stix_id, key, digest, received_at in found}


def take_version_ids(count: int) -> list[int]:
    """Fresh ids for `count` versions."""
    rows = execute("SELECT nextval('version_id_seq') FROM generate_series(1, %(count)s)", {"count": count}).fetchall()
    return [row[0] for row in rows]


_INSERT_OBJECTS = """
INSERT INTO object (producer_id, stix_id, type, home_collection_id, created_text, newest_version_id,
                    newest_audience_id, state, state_since, revoked_at)
SELECT producer, stix_id, type, collection, created, newest, audience, state, %(at)s,
       CASE WHEN state = 'revoked' THEN %(at)s::timestamptz END
FROM unnest(%(producers)b::int[], %(ids)b::text[], %(types)b::text[], %(collections)b::int[], %(created)b::text[],
            %(newest)b::bigint[], %(audiences)b::int[], %(states)b::text[])
     AS n (producer, stix_id, type, collection, created, newest, audience, state)
ORDER BY producer, stix_id
ON CONFLICT (producer_id, stix_id) DO NOTHING RETURNING id, producer_id, stix_id
"""


def insert_objects(states: Sequence[ObjectState], types: Mapping[ObjectName, str], at: datetime) -> bool:
    """Insert new objects and give their states the row ids; False if another transaction came first."""
    rows = execute(
        _INSERT_OBJECTS,
        {
            "producers": [state.producer_id for state in states],
            "ids": [state.stix_id for state in states],
            "types": [types[state.producer_id, state.stix_id] for state in states],
            "collections": [state.home_collection_id for state in states],
            "created": [state.created_text for state in states],
            "newest": [state.newest_version_id for state in states],
            "audiences": [state.newest_audience_id for state in states],
            "states": [state.state for state in states],
            "at": at,
        },
    ).fetchall()
    found = {(producer_id, stix_id): object_id for object_id, producer_id, stix_id in rows}
    for state in states:
        state.id = found.get((state.producer_id, state.stix_id), 0)
    return len(found) == len(states)


_UPDATE_OBJECTS = """
UPDATE object o SET newest_version_id = n.newest, newest_audience_id = n.audience, state = n.state,
       state_since = CASE WHEN o.state = n.state THEN o.state_since ELSE %(at)s END,
       revoked_at = CASE WHEN n.state = 'revoked' THEN coalesce(o.revoked_at, %(at)s) ELSE o.revoked_at END
FROM unnest(%(objects)b::bigint[], %(newest)b::bigint[], %(audiences)b::int[], %(states)b::text[])
     AS n (id, newest, audience, state)
WHERE o.id = n.id
"""
_UPDATE_ENTRIES = """
UPDATE entry e SET is_newest = (e.version_id = n.newest), newest_audience_id = n.audience,
                   is_first = e.is_first AND NOT n.has_earlier
FROM unnest(%(objects)b::bigint[], %(newest)b::bigint[], %(audiences)b::int[], %(earlier)b::bool[])
     AS n (id, newest, audience, has_earlier)
WHERE e.object_id = n.id
  AND (e.newest_audience_id <> n.audience OR e.is_newest <> (e.version_id = n.newest) OR (e.is_first AND n.has_earlier))
"""


def update_objects(states: Sequence[ObjectState], at: datetime) -> None:
    """Write what changed on objects that were there before, and move their older entries out of the way."""
    params = {
        "objects": [state.id for state in states],
        "newest": [state.newest_version_id for state in states],
        "audiences": [state.newest_audience_id for state in states],
        "states": [state.state for state in states],
        "earlier": [state.has_earlier_first for state in states],
        "at": at,
    }
    execute(_UPDATE_OBJECTS, params, prepare=False)
    execute(_UPDATE_ENTRIES, params, prepare=False)


_INSERT_VERSIONS = f"""
WITH v AS (
    INSERT INTO version (id, object_id, version_text, body, digest, label, audience_id, distribution, kid, received_at,
                         origin_peer_id)
    SELECT id, object, text, body, digest, label, audience, distribution, kid, received, nullif(origin, 0)
    FROM unnest(%(ids)b::bigint[], %(objects)b::bigint[], %(texts)b::text[], %(bodies)b::bytea[], %(digests)b::bytea[],
                %(labels)b::smallint[], %(audiences)b::int[], %(distributions)b::text[], %(kids)b::text[],
                %(received)b::timestamptz[], %(origins)b::int[])
         AS n (id, object, text, body, digest, label, audience, distribution, kid, received, origin)
), k AS (
    INSERT INTO version_key (object_id, version_key, version_id, digest)
    SELECT * FROM unnest(%(objects)b::bigint[], %(keys)b::text[], %(ids)b::bigint[], %(digests)b::bytea[])
), h AS (
    INSERT INTO held (version_id, object_id, missing_marking, held_since)
    SELECT version_id, object_id, missing, since
    FROM unnest(%(ids)b::bigint[], %(objects)b::bigint[], %(missing)b::text[], %(received)b::timestamptz[])
         AS n (version_id, object_id, missing, since) WHERE missing <> ''
), f AS ({facets.INSERT_FACETS})
INSERT INTO reference (version_id, property, target_stix_id)
SELECT * FROM unnest(%(ref_versions)b::bigint[], %(ref_properties)b::text[], %(ref_targets)b::text[])
"""  # noqa: S608 - put together from constants


def insert_versions(rows: Sequence[NewVersion]) -> None:
    """Insert versions with their keys, references, facets and, where they wait for a marking, the note of that."""
    references = [(row.id, *reference) for row in rows for reference in row.version.references]
    versions = [row.version for row in rows]
    execute(
        _INSERT_VERSIONS,
        {
            "ids": [row.id for row in rows],
            "objects": [row.state.id for row in rows],
            "texts": [version.version_text for version in versions],
            "keys": [version.version_key for version in versions],
            "bodies": [version.body for version in versions],
            "digests": [version.digest for version in versions],
            "labels": [int(version.label) for version in versions],
            "audiences": [row.audience_id for row in rows],
            "distributions": [version.distribution for version in versions],
            "kids": [version.kid for version in versions],
            "received": [version.received_at for version in versions],
            "origins": [version.origin_peer_id or 0 for version in versions],
            "missing": [version.missing_marking for version in versions],
            "homes": [version.collection_id for version in versions],
            **facets.facet_params([version.facets for version in versions]),
            "ref_versions": [reference[0] for reference in references],
            "ref_properties": [reference[1] for reference in references],
            "ref_targets": [reference[2] for reference in references],
        },
    )


def set_audiences(rows: Sequence[NewVersion]) -> None:
    """Write the audiences of versions that were held."""
    execute(
        "UPDATE version v SET audience_id = n.audience"
        " FROM unnest(%(ids)b::bigint[], %(audiences)b::int[]) AS n (id, audience) WHERE v.id = n.id",
        {"ids": [row.id for row in rows], "audiences": [row.audience_id for row in rows]},
    )
    facets.set_readers([row.id for row in rows], [row.audience_id for row in rows])


def remove_notes(rows: Sequence[NewVersion]) -> None:
    """Versions that were held wait no longer."""
    execute("DELETE FROM held WHERE version_id = ANY (%(ids)s)", {"ids": [row.id for row in rows]})
