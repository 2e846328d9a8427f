"""What a lab may read from now on gets new places in the sequence, so that its followers meet it.

A follower that asks by `added_after` says nothing but a date, which no grant can be read from. So what stands in a
collection when a lab gets to read it moves to the end, for everybody: others meet it a second time and know it by its
digest (docs/sharing.md, "What follows", 5). What the lab may not read stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from exchange.models import Audience, Collection, Lab, Person
from exchange.services.database import execute
from exchange.services.heralding import HERALD
from exchange.services.log import make_leaf
from exchange.services.peer_principals import find_peer_reader
from exchange.services.principals import ANONYMOUS
from exchange.services.sequencer import TAKE_NUMBERS
from exchange.services.sharing import AudienceRule, load_audiences, readable_audiences

BATCH = 1_000
"""Entries in memory at a time."""

# Publishers lock objects first and the sequencer last; whoever does otherwise meets them in a deadlock.
_LOCK_OBJECTS: Final = """
WITH locked AS (
    SELECT id FROM object WHERE home_collection_id = %(collection)s ORDER BY producer_id, stix_id FOR UPDATE
)
SELECT count(*) FROM locked
"""
LOCK_SEQUENCER: Final = "SELECT last_seq FROM sequencer WHERE id = 1 FOR UPDATE"
_NEXT: Final = """
SELECT e.seq, e.version_id, o.type, o.stix_id, v.version_text, v.digest, l.id, coalesce(l.identity_id, ''),
       EXISTS (SELECT FROM leaf f WHERE f.version_id = v.id AND f.operation = 'revoke')
FROM entry e
JOIN version v ON v.id = e.version_id
JOIN object o ON o.id = e.object_id
JOIN lab l ON l.id = o.producer_id
WHERE e.collection_id = %(collection)s AND e.seq > %(after)s AND e.seq <= %(until)s AND NOT e.is_shared
  AND e.audience_id = ANY (%(readable)s) AND e.newest_audience_id = ANY (%(readable)s)
  AND NOT (e.audience_id = ANY (%(known)s) AND e.newest_audience_id = ANY (%(known)s))
ORDER BY e.seq LIMIT %(limit)s
"""
_MOVE: Final = f"""
WITH s AS (
    {TAKE_NUMBERS}
), n AS (
    SELECT * FROM unnest(%(places)s::bigint[], %(versions)s::bigint[], %(labs)s::int[], %(operations)s::text[],
                         %(salts)s::bytea[], %(records)s::bytea[], %(leaves)s::bytea[])
         WITH ORDINALITY AS n (place, version, lab, operation, salt, record, leaf, ord)
), l AS (
    INSERT INTO leaf (seq, operation, lab_id, version_id, salt, record, data)
    SELECT s.seq + n.ord, n.operation, n.lab, n.version, n.salt, n.record, n.leaf FROM s, n
)
UPDATE entry e SET seq = s.seq + n.ord, date_added = s.date + s.offsets[n.ord::int] * interval '1 microsecond'
FROM s, n WHERE e.collection_id = %(collection)s AND e.seq = n.place
"""  # noqa: S608 - put together from constants


def place_anew(collection: Collection, lab: Lab | None, moment: datetime) -> int:
    """Move what `lab` may read in `collection` to the end of the sequence, in its order; answers how many entries.

    lab: None for anybody, when the collection becomes public.

    What anybody reads in a public collection is not new to it. The caller is inside `writing()`, after the grant was
    stored; nobody else writes until its transaction ends.
    """
    execute(_LOCK_OBJECTS, {"collection": collection.id})
    until = execute(LOCK_SEQUENCER, {}).fetchall()[0][0]
    readable = readable_audiences(ANONYMOUS) if lab is None else _readable_by(lab)
    known = readable_audiences(ANONYMOUS) if lab is not None and collection.public else []
    return move_entries(collection.id, readable, known, until, moment)


def move_entries(
    collection_id: int, readable: Sequence[int], known: Sequence[int], until: int, moment: datetime
) -> int:
    """Move the entries up to `until` for which both audiences are among `readable` and not both among `known`; answers
    how many. The caller holds the sequencer, and the objects of these entries."""
    params: dict[str, Any] = {
        "collection": collection_id,
        "until": until,
        "readable": list(readable),
        "known": list(known),
        "limit": BATCH,
    }
    after, moved = 0, 0
    while True:
        rows = execute(_NEXT, {**params, "after": after}).fetchall()
        if rows:
            _move(collection_id, rows, moment)
            after = rows[-1][0]
            moved += len(rows)
        if len(rows) < BATCH:
            return moved


def _readable_by(lab: Lab) -> list[int]:
    """The audiences that the lab, its clients or its persons belong to; of a peer, what may cross to it."""
    if lab.kind != Lab.Kind.LAB:
        peer = find_peer_reader(lab.id)
        return readable_audiences(peer.principal) if peer is not None else []
    persons = frozenset(Person.objects.filter(lab=lab).values_list("identity_id", flat=True))
    rules = load_audiences(Audience.objects.values_list("id", flat=True))
    return [audience_id for audience_id, rule in rules.items() if _is_for(rule, lab.identity_id, persons)]


def _is_for(rule: AudienceRule, identity: str | None, persons: frozenset[str]) -> bool:
    if rule.anonymous or rule.every_lab or rule.every_client or rule.persons & persons:
        return True
    return identity is not None and identity in rule.labs | rule.clients | {rule.owner}


def _move(collection_id: int, rows: list[tuple[Any, ...]], moment: datetime) -> None:
    HERALD.announce()
    operations = ["revoke" if row[8] else "publish" for row in rows]
    leaves = [
        make_leaf(
            operation, type_=type_, id_=id_, version=version, payload_sha256=bytes(digest).hex(), lab=lab, time=moment
        )
        for operation, (_, _, type_, id_, version, digest, _, lab, _) in zip(operations, rows, strict=True)
    ]
    params = {
        "count": len(rows),
        "collection": collection_id,
        "places": [row[0] for row in rows],
        "versions": [row[1] for row in rows],
        "labs": [row[6] for row in rows],
        "operations": operations,
        "salts": [leaf.salt for leaf in leaves],
        "records": [leaf.record for leaf in leaves],
        "leaves": [leaf.data for leaf in leaves],
    }
    execute(_MOVE, params)
