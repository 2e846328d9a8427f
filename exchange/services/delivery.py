"""The delivery log: one row per answer that holds objects, committed before its first byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
from django.db import connection

from exchange.models import Lab, Peer, StixObject
from exchange.services import counters
from exchange.services.changes import MARK, Mark, Span
from exchange.services.database import array_text, execute, writing
from exchange.services.errors import NotFoundError
from exchange.services.principals import Principal
from exchange.stix.markings import Tlp

# Where an answer holds nothing stricter than GREEN, its row is committed but need not be on disk before the answer
# goes: what a crash of the database server could take is the last half second of what every member may have.
_INSERT = """
WITH noted AS (
    INSERT INTO delivery (at, lab_id, person_id, token_id, door, collection_ids, seq_from, seq_to, filter, audience_ids)
    SELECT clock_timestamp(), %(lab)s, %(person)s, %(token)s, %(door)s, %(collections)s::text::int[],
           %(first)s, %(last)s, %(filters)s::jsonb, %(audiences)s::text::int[]
    {condition} RETURNING true
)
SELECT EXISTS (SELECT FROM noted),
       CASE WHEN %(is_loose)s THEN set_config('synchronous_commit', 'off', true) END
"""
_ALWAYS: Final = _INSERT.format(condition="")
_IF_UNCHANGED: Final = _INSERT.format(condition=f"WHERE (%(changes)s, %(changed)s) = ({MARK})")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One answer. What was delivered follows from it: entries of these collections from the first to the last of
    `seqs`, under the filter, readable by these audiences. `label` is the strictest of them."""

    principal: Principal
    door: str
    collection_ids: Sequence[int]
    seqs: Sequence[int]
    audience_ids: Sequence[int]
    filters: Mapping[str, Any]
    label: Tlp = Tlp.RED

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the row."""
        return {
            "lab": self.principal.lab_id,
            "person": self.principal.person_id,
            "token": self.principal.token_id,
            "door": self.door,
            "collections": array_text(self.collection_ids),
            "first": min(self.seqs),
            "last": max(self.seqs),
            "filters": orjson.dumps(dict(self.filters)).decode(),
            "audiences": array_text(self.audience_ids),
            "is_loose": self.label <= Tlp.GREEN,
        }


def record_delivery(delivery: Delivery) -> None:
    """Add the row for an answer that holds something, in the transaction that reads it; for an empty one, none."""
    if not delivery.seqs:
        return
    counters.DELIVERED.labels(delivery.door).inc(len(delivery.seqs))
    execute(_ALWAYS, delivery.params)


def record_repeated_delivery(delivery: Delivery, *, span: Span, mark: Mark) -> bool:
    """Add the row for an answer that was read before, if what it was read from is unchanged; tells whether it is.

    The check and the row are one statement: what is answered is what was true when the row was written.
    """
    params = {**delivery.params, **span.params, "changes": mark.changes, "changed": mark.changed}
    is_noted: bool = execute(_IF_UNCHANGED, params).fetchall()[0][0]
    if is_noted:
        counters.DELIVERED.labels(delivery.door).inc(len(delivery.seqs))
    return is_noted


@dataclass(frozen=True, slots=True)
class Recipient:
    """A lab or a peer that received a version, and the first day on which it did; persons and tokens are not named."""

    lab: str
    version: str
    day: date


# A version was delivered if the answer names its place, or asked for every version, for this one, or for the first or
# the last and there was no other at that time that the answer could have held instead. Entries move; their leaves keep
# the old places.
_RECIPIENTS = """
SELECT l.slug, v.version_text, min(d.at)::date
FROM object o
JOIN entry e ON e.object_id = o.id
JOIN version v ON v.id = e.version_id AND v.label >= %(label)s
JOIN version_key k ON k.version_id = v.id
JOIN leaf place ON place.version_id = v.id
JOIN delivery d ON place.seq BETWEEN d.seq_from AND d.seq_to
               AND e.collection_id = ANY (d.collection_ids) AND e.audience_id = ANY (d.audience_ids)
               AND NOT d.filter ? 'shows'
               AND NOT coalesce(d.filter -> 'open', '[]') @> to_jsonb(e.collection_id)
               AND coalesce(d.filter -> 'without_origin' <> to_jsonb(v.origin_peer_id), true)
               AND coalesce(d.filter ->> 'id', o.stix_id) = o.stix_id
               AND coalesce(d.filter -> 'seqs', to_jsonb(place.seq)) @> to_jsonb(place.seq)
               AND (coalesce(d.filter -> 'types', '[]') = '[]' OR d.filter -> 'types' ? e.type)
               AND (coalesce(d.filter -> 'ids', '[]') = '[]' OR d.filter -> 'ids' ? o.stix_id)
CROSS JOIN LATERAL (
    SELECT coalesce(nullif(d.filter ->> 'added_after', ''), '-infinity')::timestamptz AS added_after,
           coalesce(d.filter -> 'versions', '["last"]') AS versions
) asked
JOIN lab l ON l.id = d.lab_id
WHERE o.producer_id = %(lab)s AND o.stix_id = %(id)s AND (%(kind)s = '' OR l.kind = %(kind)s AND d.door <> 'push')
  AND (coalesce(d.filter ->> 'all_versions', '') = 'true'
       OR d.filter ? 'seqs'
       OR asked.versions ? k.version_key
       OR asked.versions ? 'last' AND NOT EXISTS (
           SELECT FROM entry other JOIN version_key ok ON ok.version_id = other.version_id
           WHERE other.object_id = o.id AND ok.version_key > k.version_key AND (other.date_added <= d.at OR EXISTS (
                 SELECT FROM leaf known WHERE known.version_id = other.version_id AND known.seq <= d.seq_to))
             AND (other.date_added > asked.added_after OR other.audience_id <> ALL (d.audience_ids)))
       OR asked.versions ? 'first' AND NOT EXISTS (
           SELECT FROM entry other JOIN version_key ok ON ok.version_id = other.version_id
           WHERE other.object_id = o.id AND ok.version_key < k.version_key AND (other.date_added <= d.at OR EXISTS (
                 SELECT FROM leaf known WHERE known.version_id = other.version_id AND known.seq <= d.seq_to))
             AND other.date_added > asked.added_after AND other.audience_id = ANY (d.audience_ids)))
GROUP BY l.slug, v.version_text ORDER BY 3, 1, 2
"""


def find_recipients(*, principal: Principal, stix_id: str) -> list[Recipient]:
    """Which labs and peers received the principal's own object, for AMBER and stricter (docs/sharing.md, rule 7).

    Expands the delivery log, so it is for people who ask, not for every request.

    Raises:
        NotFoundError: the lab has no such object.
    """
    with writing():
        if not StixObject.objects.filter(producer=principal.lab_id or 0, stix_id=stix_id).exists():
            raise NotFoundError("there is no such object", code="object-not-found")
        return _expand(principal.lab_id or 0, stix_id, lowest=Tlp.AMBER)


def peers_that_keep(*, producer_id: int, stix_id: str) -> list[Recipient]:
    """The plain feeds that pulled this object of a lab, each version: no note reaches them, so they keep what they got.
    Those that it was pushed to are told to delete it.

    producer_id: row of the lab. Asked before a deletion, which removes what the log is expanded by, inside `writing()`.
    """
    if not Peer.objects.filter(lab__kind=Lab.Kind.FEED).exists():
        return []
    return _expand(producer_id, stix_id, lowest=Tlp.CLEAR, kind=Lab.Kind.FEED)


def _expand(producer_id: int, stix_id: str, *, lowest: Tlp, kind: str = "") -> list[Recipient]:
    params: dict[str, str | int] = {"lab": producer_id, "id": stix_id, "label": int(lowest), "kind": str(kind)}
    with connection.cursor() as cursor:
        cursor.execute(_RECIPIENTS, params)
        return [Recipient(*row) for row in cursor.fetchall()]
