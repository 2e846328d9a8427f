"""Takes the rows of named networks and names from stored bytes again: for the migration that adds the tables."""

from __future__ import annotations

from typing import Final

import orjson
import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from attribution.claims.naming import TYPES, named_in
from attribution.claims.rows import INSERT_ROWS, insert_params
from exchange.stix.errors import StixError

BATCH: Final = 100
"""Versions in memory at a time: some have ten thousand networks."""

_STORED: Final = """
SELECT o.id, v.id, v.version_text, v.body FROM object o JOIN version v ON v.id = o.newest_version_id
WHERE o.id > %(after)s AND o.type = ANY (%(types)s)
  AND NOT EXISTS (SELECT FROM attribution_range r WHERE r.object_id = o.id)
  AND NOT EXISTS (SELECT FROM attribution_name n WHERE n.object_id = o.id)
ORDER BY o.id LIMIT %(limit)s
"""


def refill_rows(connection: BaseDatabaseWrapper) -> int:
    """Write the rows of newest versions that have none, as the owner of the tables; answers how many versions.

    Bytes that cannot be read get none; `check_exchange` names them.
    """
    raw: psycopg.Connection = connection.connection
    cursor, after, written = psycopg.Cursor(raw), 0, 0
    params = {"types": sorted(TYPES), "limit": BATCH}
    while rows := cursor.execute(_STORED, {**params, "after": after}, binary=True).fetchall():
        after = rows[-1][0]
        found = []
        for object_id, version_id, version_text, body in rows:
            try:
                found.append((version_id, object_id, named_in(orjson.loads(body), version_text)))
            except (ValueError, StixError):
                continue
        cursor.execute(INSERT_ROWS, insert_params(found))
        written += len(found)
    return written
