"""Gives stored versions their places in the sequence: what a transaction does last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from exchange.services.database import execute
from exchange.services.heralding import HERALD
from exchange.services.log import make_leaf
from exchange.services.sequencer import TAKE_NUMBERS
from exchange.services.storing.deciding import NewVersion

# Takes the numbers, and writes what carries them, in one statement: the sequencer's lock is held for one round trip.
_INSERT_ENTRIES: Final = f"""
WITH s AS (
    {TAKE_NUMBERS}
), n AS (
    SELECT * FROM unnest(%(producers)b::int[], %(collections)b::int[], %(versions)b::bigint[], %(objects)b::bigint[],
                         %(types)b::text[], %(audiences)b::int[], %(newest_audiences)b::int[], %(newest)b::bool[],
                         %(first)b::bool[], %(late)b::bool[], %(operations)b::text[], %(salts)b::bytea[],
                         %(records)b::bytea[], %(leaves)b::bytea[])
         WITH ORDINALITY AS n (producer, collection, version, object, type, audience, newest_audience, newest, first,
                               late, operation, salt, record, leaf, ord)
), l AS (
    INSERT INTO leaf (seq, operation, lab_id, version_id, salt, record, data)
    SELECT s.seq + n.ord, n.operation, n.producer, n.version, n.salt, n.record, n.leaf FROM s, n
)
INSERT INTO entry (seq, collection_id, date_added, version_id, object_id, type, audience_id, newest_audience_id,
                   is_newest, is_first, is_late, is_shared)
SELECT s.seq + n.ord, n.collection, s.date + s.offsets[n.ord::int] * interval '1 microsecond',
       n.version, n.object, n.type, n.audience, n.newest_audience, n.newest, n.first, n.late, false
FROM s, n
"""  # noqa: S608 - put together from two constants


def insert_entries(rows: Sequence[NewVersion]) -> None:
    """Give versions their places in the sequence, and their leaves. The last statement of a transaction.

    The state of an object is one and the same in all of its rows, and final.
    """
    HERALD.announce()
    leaves = [
        make_leaf(
            row.version.operation,
            type_=row.version.type,
            id_=row.version.stix_id,
            version=row.version.version_text,
            payload_sha256=row.version.digest.hex(),
            lab=row.version.lab_identity,
            time=row.version.received_at,
        )
        for row in rows
    ]
    execute(
        _INSERT_ENTRIES,
        {
            "count": len(rows),
            "producers": [row.state.producer_id for row in rows],
            "collections": [row.version.collection_id for row in rows],
            "versions": [row.id for row in rows],
            "objects": [row.state.id for row in rows],
            "types": [row.version.type for row in rows],
            "audiences": [row.audience_id for row in rows],
            "newest_audiences": [row.state.newest_audience_id for row in rows],
            "newest": [row.state.newest_version_id == row.id for row in rows],
            "first": [row.state.first_key == row.version.version_key for row in rows],
            "late": _late(rows),
            "operations": [row.version.operation for row in rows],
            "salts": [leaf.salt for leaf in leaves],
            "records": [leaf.record for leaf in leaves],
            "leaves": [leaf.data for leaf in leaves],
        },
    )


def _late(rows: Sequence[NewVersion]) -> list[bool]:
    """Whether each row comes after the newest version of its object, which is another."""
    newest_to_come: set[int] = set()
    late = []
    for row in reversed(rows):
        if row.state.newest_version_id == row.id:
            newest_to_come.add(row.state.id)
        late.append(row.state.id not in newest_to_come)
    return late[::-1]
