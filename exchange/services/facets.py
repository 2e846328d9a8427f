"""The facets of stored versions, taken from their bytes again: for the migration that added them, and for checks."""

from __future__ import annotations

from typing import Final

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

from exchange.services.publishing.reading import facets_in, inspect_payloads, references_of
from exchange.services.storing.facets import INSERT_FACETS, facet_params
from exchange.stix.checks import CheckedObject, check_object
from exchange.stix.errors import StixError
from exchange.stix.facets import Facets
from exchange.stix.reading import read_object
from exchange.stix.timestamps import ordering_key

BATCH: Final = 500
"""Versions in memory at a time."""

_STORED: Final = """
SELECT v.id, v.object_id, v.audience_id, v.version_text, v.body, o.home_collection_id
FROM version v JOIN object o ON o.id = v.object_id
WHERE v.id > %(after)s AND NOT EXISTS (SELECT FROM facet f WHERE f.version_id = v.id) ORDER BY v.id LIMIT %(limit)s
"""
_SHARED: Final = """
UPDATE facet f SET places = f.places || e.places
FROM (SELECT version_id, array_agg(facet_place(collection_id, audience_id)) AS places
      FROM entry WHERE is_shared GROUP BY version_id) e
WHERE f.version_id = e.version_id AND NOT f.places @> e.places
"""


def refill_facets(connection: BaseDatabaseWrapper) -> int:
    """Write the facets of versions that have none, as the owner of the tables; answers how many.

    Bytes that cannot be read get none; `check_exchange` names them.
    """
    raw: psycopg.Connection = connection.connection
    cursor, after, written = psycopg.Cursor(raw), 0, 0
    while rows := cursor.execute(_STORED, {"after": after, "limit": BATCH}, binary=True).fetchall():
        after = rows[-1][0]
        found = [(row, facets) for row in rows if (facets := _facets_or_none(row[4])) is not None]
        params = {
            "ids": [row[0] for row, _ in found],
            "objects": [row[1] for row, _ in found],
            "audiences": [row[2] for row, _ in found],
            "homes": [row[5] for row, _ in found],
            "keys": [ordering_key(row[3]) for row, _ in found],
            **facet_params([facets for _, facets in found]),
        }
        cursor.execute(INSERT_FACETS, params)
        written += len(found)
    cursor.execute(_SHARED)
    return written


def facets_again(checked: CheckedObject) -> Facets:
    """The facets of an object, as publishing took them. Raises: StixError: what it carries cannot be opened."""
    return facets_in(checked, references_of(checked), inspect_payloads(checked.members))


def _facets_or_none(body: bytes) -> Facets | None:
    try:
        return facets_again(check_object(read_object(bytes(body))))
    except StixError:
        return None
