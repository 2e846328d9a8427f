"""Keeps the rows of named networks and names beside the newest versions, in the transaction that stores these.

Storage calls `keep_rows` by its dotted path in the settings; it knows nothing of this room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from attribution.claims.kinds import NUMBER_OF
from attribution.claims.naming import TYPES, Named, named_in
from exchange.services.database import execute
from exchange.services.storing.noticing import Newest

INSERT_ROWS: Final = """
WITH r AS (
    INSERT INTO attribution_range (version_id, object_id, net, kind, asn, confidence, first_seen, last_seen, seen_at,
                                   valid_until)
    SELECT version, object, net::cidr, kind, nullif(asn, -1), nullif(confidence, -1::smallint), first_seen, last_seen,
           seen_at, valid_until
    FROM unnest(%(net_versions)b::bigint[], %(net_objects)b::bigint[], %(nets)b::text[], %(kinds)b::smallint[],
                %(asns)b::bigint[], %(net_confidences)b::smallint[], %(first_seen)b::timestamptz[],
                %(last_seen)b::timestamptz[], %(net_seen)b::timestamptz[], %(net_until)b::timestamptz[])
         AS n (version, object, net, kind, asn, confidence, first_seen, last_seen, seen_at, valid_until)
)
INSERT INTO attribution_name (version_id, object_id, kind, value, confidence, seen_at, valid_until)
SELECT version, object, kind, value, nullif(confidence, -1::smallint), seen_at, valid_until
FROM unnest(%(versions)b::bigint[], %(objects)b::bigint[], %(name_kinds)b::text[], %(values)b::text[],
            %(confidences)b::smallint[], %(seen)b::timestamptz[], %(until)b::timestamptz[])
     AS n (version, object, kind, value, confidence, seen_at, valid_until)
"""

_REMOVE: Final = """
WITH r AS (DELETE FROM attribution_range WHERE object_id = ANY (%(objects)s))
DELETE FROM attribution_name WHERE object_id = ANY (%(objects)s)
"""

Row = tuple[int, int, Named]
"""Version, object, and what the version names."""


def keep_rows(changed: Sequence[Newest]) -> None:
    """Put the rows of these objects' newest versions in the place of what was there. Inside `writing()`."""
    of_interest = [each for each in changed if each.type in TYPES]
    earlier = [each.object_id for each in of_interest if not each.is_first]
    if earlier:
        execute(_REMOVE, {"objects": earlier}, prepare=False)
    found = [
        (each.version_id, each.object_id, named_in(orjson.loads(each.body), each.version_text))
        for each in of_interest
        if each.version_id is not None
    ]
    params = insert_params(found)
    if params["nets"] or params["values"]:
        execute(INSERT_ROWS, params, prepare=False)


def insert_params(rows: Iterable[Row]) -> dict[str, Any]:
    """Parameters of INSERT_ROWS."""
    kept = list(rows)
    nets = [(version, object_, net, named.valid_until) for version, object_, named in kept for net in named.nets]
    values = [
        (version, object_, value, named.valid_until) for version, object_, named in kept for value in named.values
    ]
    return {
        "net_versions": [each[0] for each in nets],
        "net_objects": [each[1] for each in nets],
        "nets": [str(each[2].net) for each in nets],
        "kinds": [NUMBER_OF[each[2].kind] for each in nets],
        "asns": [_or_none(each[2].asn) for each in nets],
        "net_confidences": [_or_none(each[2].confidence) for each in nets],
        "first_seen": [each[2].first_seen for each in nets],
        "last_seen": [each[2].last_seen for each in nets],
        "net_seen": [each[2].seen_at for each in nets],
        "net_until": [each[3] for each in nets],
        "versions": [each[0] for each in values],
        "objects": [each[1] for each in values],
        "name_kinds": [each[2].kind for each in values],
        "values": [each[2].value for each in values],
        "confidences": [_or_none(each[2].confidence) for each in values],
        "seen": [each[2].seen_at for each in values],
        "until": [each[3] for each in values],
    }


def _or_none(number: int | None) -> int:
    """The driver takes the type of a list from its numbers; -1 stands for none, which no such number is."""
    return -1 if number is None else number
