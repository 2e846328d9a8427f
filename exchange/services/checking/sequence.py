"""The sequence and the flags that readers follow, checked in SQL."""

from __future__ import annotations

from typing import Final

from django.db import connection

from exchange.services.checking.report import Report
from exchange.stix.fixed import FIXED_IDS

CHECKS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "order",
        "date_added does not rise with the sequence",
        "SELECT 'entry ' || seq"
        " FROM (SELECT seq, date_added, lag(date_added) OVER (ORDER BY seq) AS before FROM entry) e"
        " WHERE date_added <= before",
    ),
    (
        "order",
        "two entries have one number",
        "SELECT 'entry ' || seq FROM entry GROUP BY seq HAVING count(*) > 1",
    ),
    (
        "sequencer",
        "the sequencer is behind the entry",
        "SELECT 'entry ' || e.seq FROM entry e, sequencer s"
        " WHERE e.seq > s.last_seq OR e.date_added > s.last_date_added",
    ),
    (
        "sequencer",
        "the sequencer is behind the leaf",
        "SELECT 'leaf ' || f.seq FROM leaf f, sequencer s WHERE f.seq > s.last_seq",
    ),
    (
        "audience",
        "its readers are not those of its version",
        "SELECT 'entry ' || e.seq FROM entry e JOIN version v ON v.id = e.version_id"
        " WHERE e.audience_id <> v.audience_id",
    ),
    (
        "audience",
        "its newest readers are not those of its object",
        "SELECT 'entry ' || e.seq FROM entry e JOIN object o ON o.id = e.object_id"
        " WHERE e.newest_audience_id IS DISTINCT FROM o.newest_audience_id",
    ),
    (
        "audience",
        "its readers are not those of its latest version, shown or waiting",
        "SELECT 'object ' || o.id FROM object o WHERE o.newest_audience_id IS DISTINCT FROM"
        " (SELECT v.audience_id FROM version_key k JOIN version v ON v.id = k.version_id"
        " WHERE k.object_id = o.id AND o.newest_version_id IS NOT NULL ORDER BY k.version_key DESC LIMIT 1)",
    ),
    (
        "newest",
        "is_newest does not mark the object's newest version",
        "SELECT 'entry ' || e.seq FROM entry e JOIN object o ON o.id = e.object_id"
        " WHERE e.is_newest IS DISTINCT FROM (e.version_id = o.newest_version_id)",
    ),
    (
        "first",
        "is_first does not mark the object's first version",
        "SELECT 'entry ' || e.seq FROM entry e JOIN version_key k ON k.version_id = e.version_id"
        " WHERE NOT e.is_shared AND e.is_first = EXISTS (SELECT FROM version_key b JOIN entry f"
        " ON f.version_id = b.version_id AND NOT f.is_shared"
        " WHERE b.object_id = e.object_id AND b.version_key < k.version_key)",
    ),
    (
        "object-missing",
        "the entry has no object",
        "SELECT 'entry ' || e.seq FROM entry e WHERE NOT EXISTS (SELECT FROM object o WHERE o.id = e.object_id)",
    ),
    (
        "facet",
        "the facets are of no version",
        "SELECT 'facet ' || f.version_id FROM facet f"
        " WHERE NOT EXISTS (SELECT FROM version v WHERE v.id = f.version_id)",
    ),
    (
        "held",
        "a version that waits for its marking is shown",
        "SELECT 'version ' || h.version_id FROM held h JOIN object o ON o.id = h.object_id"
        " WHERE o.newest_version_id = h.version_id OR EXISTS (SELECT FROM entry e WHERE e.version_id = h.version_id)",
    ),
    (
        "leaf-missing",
        "the number was given to an operation that has no leaf",
        "SELECT 'number ' || n FROM sequencer s, generate_series(1, s.last_seq) n"
        " WHERE NOT EXISTS (SELECT FROM leaf f WHERE f.seq = n)"
        " AND NOT EXISTS (SELECT FROM entry e WHERE e.seq = n AND e.is_shared)",
    ),
    (
        "newest",
        "its newest version is not the latest that readers may have",
        "SELECT 'object ' || o.id FROM object o JOIN version_key n ON n.version_id = o.newest_version_id"
        " WHERE EXISTS (SELECT FROM version_key k WHERE k.object_id = o.id AND k.version_key > n.version_key"
        " AND NOT EXISTS (SELECT FROM held h WHERE h.version_id = k.version_id))",
    ),
    (
        "entry-missing",
        "the version stands nowhere in the sequence and waits for nothing",
        "SELECT 'version ' || v.id FROM version v"
        " WHERE NOT EXISTS (SELECT FROM entry e WHERE e.version_id = v.id AND NOT e.is_shared)"
        " AND NOT EXISTS (SELECT FROM held h WHERE h.version_id = v.id)",
    ),
    (
        "version-missing",
        "the entry has no version",
        "SELECT 'entry ' || e.seq FROM entry e WHERE NOT EXISTS (SELECT FROM version v WHERE v.id = e.version_id)",
    ),
    (
        "version-missing",
        "the key has no version",
        "SELECT 'version_key ' || k.version_id FROM version_key k"
        " WHERE NOT EXISTS (SELECT FROM version v WHERE v.id = k.version_id)",
    ),
    (
        "home",
        "the entry stands outside the object's home collection",
        "SELECT 'entry ' || e.seq FROM entry e JOIN object o ON o.id = e.object_id"
        " WHERE NOT e.is_shared AND e.collection_id <> o.home_collection_id",
    ),
    (
        "home",
        "the object lives in a view, which holds nothing",
        "SELECT 'object ' || o.id FROM object o JOIN collection c ON c.id = o.home_collection_id WHERE c.is_view",
    ),
    (
        "home",
        "its producer has never had a grant on the object's home collection",
        "SELECT 'object ' || o.id FROM object o JOIN lab l ON l.id = o.producer_id AND l.kind = 'lab'"
        " WHERE o.stix_id IS DISTINCT FROM l.identity_id AND NOT EXISTS (SELECT FROM collection_grant g"
        " WHERE g.collection_id = o.home_collection_id AND g.lab_id = o.producer_id)"
        # What peers relay needs no grant of its producer; of what was deleted nothing says any more where it came from.
        " AND EXISTS (SELECT FROM version_key k WHERE k.object_id = o.id)"
        " AND NOT EXISTS (SELECT FROM version_key k JOIN version v ON v.id = k.version_id"
        " WHERE k.object_id = o.id AND v.origin_peer_id IS NOT NULL)",
    ),
    (
        "origin",
        "the peer that it came from is none",
        "SELECT 'version ' || v.id FROM version v WHERE v.origin_peer_id IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM peer p WHERE p.id = v.origin_peer_id)",
    ),
    (
        "origin",
        "a feed vouches for what came from another peer",
        "SELECT 'version ' || v.id FROM version v JOIN object o ON o.id = v.object_id"
        " JOIN lab l ON l.id = o.producer_id AND l.kind = 'feed'"
        " WHERE NOT EXISTS (SELECT FROM peer p WHERE p.id = v.origin_peer_id AND p.lab_id = l.id)",
    ),
    (
        "peer",
        "the peer is no exchange and no feed, or takes unsigned objects of an exchange",
        "SELECT 'peer ' || p.id FROM peer p JOIN lab l ON l.id = p.lab_id"
        " WHERE l.kind = 'lab' OR l.is_self OR (p.accepts_unsigned AND l.kind <> 'feed')",
    ),
    (
        "peer",
        "its labels are stricter than what peers may exchange",
        "SELECT 'peer ' || p.id FROM peer p JOIN lab l ON l.id = p.lab_id"
        " WHERE p.highest_label > CASE l.kind WHEN 'feed' THEN 1 ELSE 3 END OR p.default_label > 3",
    ),
    (
        "channel",
        "a view has no objects of its own that a channel could move",
        "SELECT 'peer_channel ' || h.id FROM peer_channel h JOIN collection c ON c.id = h.collection_id"
        " WHERE c.is_view AND h.direction = 'pull'",
    ),
    (
        "quarantine",
        "the bytes are not those that came",
        "SELECT 'quarantine ' || q.id FROM quarantine q WHERE q.state = 'waiting' AND sha256(q.body) <> q.sha256",
    ),
    (
        "quarantine",
        "it was decided and its bytes are still here, or it waits and was decided",
        "SELECT 'quarantine ' || q.id FROM quarantine q"
        " WHERE (q.state = 'waiting') <> (q.decided_at IS NULL) OR (q.state <> 'waiting' AND q.body <> '')",
    ),
    (
        "home",
        "the entry is older than its collection, which begins with the fixed objects",
        "SELECT 'entry ' || e.seq FROM entry e"
        " JOIN (SELECT collection_id, min(seq) AS seq FROM entry WHERE is_shared GROUP BY collection_id) c"
        " ON c.collection_id = e.collection_id WHERE NOT e.is_shared AND e.seq < c.seq",
    ),
    (
        "shared",
        "only fixed objects stand outside their home collection",
        "SELECT 'entry ' || e.seq FROM entry e JOIN object o ON o.id = e.object_id"
        " WHERE e.is_shared AND o.stix_id <> ALL (%(fixed)s)",
    ),
    (
        "shared",
        "the version has two places in its home collection",
        "SELECT 'version ' || version_id FROM entry WHERE NOT is_shared GROUP BY version_id HAVING count(*) > 1",
    ),
    (
        "state",
        "revoked_at does not go with the state",
        "SELECT 'object ' || id FROM object WHERE (state = 'revoked' AND revoked_at IS NULL)"
        " OR (revoked_at IS NOT NULL AND state NOT IN ('revoked', 'deleted', 'expired'))",
    ),
    (
        "reference",
        "the reference is of no version",
        "SELECT 'reference ' || r.id FROM reference r"
        " WHERE NOT EXISTS (SELECT FROM version v WHERE v.id = r.version_id)",
    ),
    (
        "deleted",
        "a deleted object still has versions",
        "SELECT 'object ' || o.id FROM object o JOIN version_key k ON k.object_id = o.id"
        " WHERE o.state IN ('deleted', 'expired')",
    ),
    (
        "type",
        "the entry has another type than its object",
        "SELECT 'entry ' || e.seq FROM entry e JOIN object o ON o.id = e.object_id WHERE e.type <> o.type",
    ),
    (
        "staged",
        "the status is pending and nothing of its envelope waits",
        "SELECT 'status ' || s.id FROM status s WHERE s.completed_at IS NULL"
        " AND NOT EXISTS (SELECT FROM staged_envelope e WHERE e.status_id = s.id AND e.is_whole)",
    ),
    (
        "staged",
        "the envelope waits and no status says so",
        "SELECT 'staged_envelope ' || e.status_id FROM staged_envelope e WHERE e.is_whole"
        " AND NOT EXISTS (SELECT FROM status s WHERE s.id = e.status_id AND s.completed_at IS NULL)",
    ),
    (
        "staged",
        "its objects are pending and wait nowhere, or the other way round",
        "SELECT 'status_part ' || coalesce(p.id, b.id) FROM (SELECT id FROM status_part WHERE pendings <> '[]') p"
        " FULL JOIN (SELECT b.id FROM staged_batch b JOIN staged_envelope e ON e.status_id = b.envelope_id"
        " WHERE e.is_whole) b ON b.id = p.id WHERE p.id IS NULL OR b.id IS NULL",
    ),
    (
        "staged",
        "the status has not as many objects as were posted",
        "SELECT 'status ' || s.id FROM status s WHERE s.total_count <> jsonb_array_length(s.successes)"
        " + jsonb_array_length(s.failures) + (SELECT coalesce(sum(jsonb_array_length(p.successes)"
        " + jsonb_array_length(p.failures) + jsonb_array_length(p.pendings)), 0) FROM status_part p"
        " WHERE p.status_id = s.id)",
    ),
)
"""Kind, what is wrong, and a query that names the rows of which it is true."""

MAX_NAMED = 20
"""Rows named per check: enough to look at, too few to bury the rest."""


def check_sequence(report: Report) -> None:
    """Run every check."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM entry")
        report.count("entries", cursor.fetchone()[0])
        for kind, detail, query in CHECKS:
            cursor.execute(f"{query} LIMIT {MAX_NAMED}", {"fixed": sorted(FIXED_IDS)})
            for (where,) in cursor.fetchall():
                report.add(kind, where, detail)
