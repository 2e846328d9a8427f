"""What lookups find, against the bytes of the newest versions. Whoever finds more or less than that is misled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from attribution.claims.kinds import KINDS
from attribution.claims.naming import Named, named_in
from exchange.services.checking.report import Report
from exchange.services.checking.stored import Batch
from exchange.services.database import execute
from exchange.stix.errors import StixError

Rows = Counter[tuple[object, ...]]

_KEPT: Final = """
SELECT r.version_id, r.net::text, r.kind::int, r.asn, r.confidence::int, r.first_seen, r.last_seen, r.seen_at,
       r.valid_until
FROM attribution_range r WHERE r.object_id = ANY (%(objects)s)
UNION ALL
SELECT n.version_id, n.kind || ' ' || n.value, NULL, NULL, n.confidence::int, NULL, NULL, n.seen_at, n.valid_until
FROM attribution_name n WHERE n.object_id = ANY (%(objects)s)
"""
_NEWEST: Final = "SELECT newest_version_id FROM object WHERE id = ANY (%(objects)s) AND newest_version_id IS NOT NULL"


def check_rows(report: Report, batch: Batch) -> None:
    """Check the rows of a batch of versions; unreadable ones are reported elsewhere."""
    params = {"objects": sorted({stored.object_id for stored in batch.versions})}
    newest = {row[0] for row in execute(_NEWEST, params, prepare=False).fetchall()}
    kept: dict[int, Rows] = {}
    for version_id, *row in execute(_KEPT, params, prepare=False).fetchall():
        kept.setdefault(version_id, Counter())[tuple(row)] += 1
    for stored in batch.versions:
        rows = kept.get(stored.id, Counter())
        if stored.id not in newest:
            if rows:
                report.add("attribution", stored.where, "lookups find it, and it is not the newest of its object")
        elif stored.id in batch.objects and rows != _expected(batch.objects[stored.id].members, stored.version_text):
            report.add("attribution", stored.where, "what lookups find of it is not what its bytes say")


def _expected(members: Mapping[str, object], version: str) -> Rows:
    try:
        return _rows_of(named_in(members, version))
    except StixError:
        return Counter()


def _rows_of(named: Named) -> Rows:
    nets = [
        (
            str(net.net),
            KINDS.index(net.kind),
            net.asn,
            net.confidence,
            net.first_seen,
            net.last_seen,
            net.seen_at,
            named.valid_until,
        )
        for net in named.nets
    ]
    values = [
        (f"{value.kind} {value.value}", None, None, value.confidence, None, None, value.seen_at, named.valid_until)
        for value in named.values
    ]
    return Counter([*nets, *values])
