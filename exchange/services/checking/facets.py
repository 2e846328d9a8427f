"""What versions are found by, against their bytes and their readers. Whoever finds more or less than that is misled."""

from __future__ import annotations

from typing import Final

from exchange.services.checking.report import Report
from exchange.services.checking.stored import Batch, StoredVersion
from exchange.services.database import execute
from exchange.services.facets import facets_again
from exchange.services.storing.facets import WORDS
from exchange.stix.errors import StixError
from exchange.stix.facets import Facets
from exchange.stix.timestamps import ordering_key

_KEPT: Final = f"""
SELECT f.version_id, f.object_id, f.audience_id, f.tags, f.modified, f.valid_from, f.valid_until,
       f.words = {WORDS.format(text="n.text")},
       f.places @> h.places AND f.places <@ h.places AND cardinality(f.places) = cardinality(h.places)
FROM unnest(%(ids)b::bigint[], %(texts)b::text[]) AS n (id, text) JOIN facet f ON f.version_id = n.id
JOIN version v ON v.id = n.id
JOIN object o ON o.id = v.object_id
CROSS JOIN LATERAL (
    SELECT facet_place(o.home_collection_id, v.audience_id) || array(
        SELECT facet_place(e.collection_id, v.audience_id)
        FROM entry e WHERE e.object_id = o.id AND e.version_id = v.id AND e.is_shared
    ) AS places
) h
"""  # noqa: S608 - put together from constants


def check_facets(report: Report, batch: Batch) -> None:
    """Check the facets of a batch of versions; unreadable ones are reported elsewhere."""
    expected = {}
    for stored in batch.versions:
        if stored.id in batch.objects:
            try:
                expected[stored.id] = (stored, facets_again(batch.objects[stored.id]))
            except StixError as error:
                report.add("facet", stored.where, str(error))
    params = {"ids": list(expected), "texts": [facets.text for _, facets in expected.values()]}
    kept = {row[0]: row[1:] for row in execute(_KEPT, params, prepare=False).fetchall()}
    for stored, facets in expected.values():
        if stored.id not in kept:
            report.add("facet", stored.where, "it cannot be found: its facets are missing")
        elif kept[stored.id] != _row_of(stored, facets):
            report.add("facet", stored.where, "what it is found by is not what its bytes, readers and collections say")


def _row_of(stored: StoredVersion, facets: Facets) -> tuple[object, ...]:
    key = ordering_key(stored.version_text)
    tags = list(facets.tags)
    return (stored.object_id, stored.audience_id, tags, key, facets.valid_from, facets.valid_until, True, True)
