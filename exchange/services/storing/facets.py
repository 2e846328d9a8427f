"""The SQL that keeps the facets of versions beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from exchange.services.database import execute
from exchange.stix.facets import Facets

WORDS: Final = "to_tsvector('english', {text})"
"""How words are indexed; a question is read by the same dictionary (services/query/filters.py)."""

# Tags come as lines of one text: PostgreSQL has no arrays of arrays that differ in length. No tag holds a line break.
INSERT_FACETS: Final = f"""
INSERT INTO facet (version_id, object_id, audience_id, places, tags, words, modified, valid_from, valid_until)
SELECT n.id, n.object, n.audience, ARRAY[facet_place(n.home, n.audience)], string_to_array(n.tags, E'\\n'),
       {WORDS.format(text="n.text")}, n.key, n.valid_from, n.valid_until
FROM unnest(%(ids)b::bigint[], %(objects)b::bigint[], %(audiences)b::int[], %(homes)b::int[], %(facet_tags)b::text[],
            %(facet_texts)b::text[], %(keys)b::text[], %(valid_from)b::text[], %(valid_until)b::text[])
     AS n (id, object, audience, home, tags, text, key, valid_from, valid_until)
"""  # noqa: S608 - put together from constants


def facet_params(facets: Sequence[Facets]) -> dict[str, Any]:
    """Parameters of INSERT_FACETS beside those that the versions have anyway."""
    return {
        "facet_tags": ["\n".join(each.tags) for each in facets],
        "facet_texts": [each.text for each in facets],
        "valid_from": [each.valid_from for each in facets],
        "valid_until": [each.valid_until for each in facets],
    }


def add_places(collection_id: int) -> None:
    """Fixed objects that stand in one more collection are found there too."""
    execute(
        "UPDATE facet f SET places = f.places || facet_place(e.collection_id, f.audience_id) FROM entry e"
        " WHERE e.collection_id = %(collection)s AND e.is_shared AND f.version_id = e.version_id"
        " AND NOT f.places @> ARRAY[facet_place(e.collection_id, f.audience_id)]",
        {"collection": collection_id},
        prepare=False,
    )


_SET_AUDIENCE: Final = """
UPDATE facet f SET audience_id = n.audience, places = array(SELECT p >> 32 << 32 | n.audience FROM unnest(f.places) p)
FROM unnest(%(ids)s::bigint[], %(audiences)s::int[]) AS n (id, audience) WHERE f.version_id = n.id
"""
"""The collections stay; the audience in each place becomes another."""


def set_readers(version_ids: Sequence[int], audience_ids: Sequence[int]) -> None:
    """Write the audiences of versions whose readers changed."""
    execute(_SET_AUDIENCE, {"ids": list(version_ids), "audiences": list(audience_ids)}, prepare=False)
