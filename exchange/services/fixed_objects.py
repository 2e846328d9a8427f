"""TLP markings and extension definitions: the same bytes on every node, unsigned, in every collection."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django.db import connection

from exchange.models import Collection, Lab
from exchange.services.sequencer import TAKE_NUMBERS
from exchange.services.sharing import audience_for
from exchange.services.storing import PreparedVersion, store_versions
from exchange.services.storing.facets import add_places
from exchange.stix.facets import facets_of
from exchange.stix.fixed import FIXED_IDS, fixed_object
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object
from exchange.stix.timestamps import ordering_key


def store_fixed_objects(node: Lab, home: Collection, moment: datetime) -> None:
    """Store every fixed object, with the node as its keeper; what is there stays. Inside `writing()`."""
    store_versions(node.id, [_prepared(fixed_id, node, home, moment) for fixed_id in sorted(FIXED_IDS)])


def _prepared(fixed_id: str, node: Lab, home: Collection, moment: datetime) -> PreparedVersion:
    body = fixed_object(fixed_id)
    members = read_object(body).members
    version = str(members.get("modified", members["created"]))
    return PreparedVersion(
        stix_id=fixed_id,
        type=str(members["type"]),
        collection_id=home.id,
        version_text=version,
        version_key=ordering_key(version),
        body=body,
        digest=hashlib.sha256(body).digest(),
        label=Tlp.CLEAR,
        audience=audience_for(Tlp.CLEAR, "", None),
        distribution="",
        kid="",
        created_text=str(members["created"]),
        revoked=False,
        references=(),
        lab_identity=node.identity_id or "",
        received_at=moment,
        facets=facets_of(members),
    )


_MISSING = """
SELECT count(*) FROM entry f
WHERE NOT f.is_shared AND f.object_id IN (SELECT id FROM object WHERE stix_id = ANY (%(fixed)s))
  AND f.collection_id <> %(collection)s
  AND NOT EXISTS (SELECT FROM entry s WHERE s.object_id = f.object_id AND s.collection_id = %(collection)s)
"""
_SHARE = f"""
WITH s AS (
    {TAKE_NUMBERS}
), f AS (
    SELECT f.*, row_number() OVER (ORDER BY f.seq) AS ord FROM entry f
    WHERE NOT f.is_shared AND f.object_id IN (SELECT id FROM object WHERE stix_id = ANY (%(fixed)s))
      AND f.collection_id <> %(collection)s
      AND NOT EXISTS (SELECT FROM entry e WHERE e.object_id = f.object_id AND e.collection_id = %(collection)s)
)
INSERT INTO entry (seq, collection_id, date_added, version_id, object_id, type, audience_id, newest_audience_id,
                   is_newest, is_first, is_shared)
SELECT s.seq + f.ord, %(collection)s, s.date + s.offsets[f.ord::int] * interval '1 microsecond',
       f.version_id, f.object_id, f.type, f.audience_id, f.newest_audience_id, f.is_newest, f.is_first, true
FROM s, f
"""  # noqa: S608 - put together from constants


def share_fixed_objects(collection_id: int) -> None:
    """Let the fixed objects stand in a collection too; what stands there already is left. Inside `writing()`."""
    params: dict[str, Any] = {"collection": collection_id, "fixed": sorted(FIXED_IDS)}
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, params)
        count = cursor.fetchone()[0]
        if count:
            cursor.execute(_SHARE, {**params, "count": count})
            add_places(collection_id)
