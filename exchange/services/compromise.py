"""Takes out what was signed with a compromised key after somebody else may have held it (docs/wire-format.md, "Keys").

Such a version loses its place and its readers, who are told by a note that the object is suspended; then the object's
newest sound version comes again, at a new place. A revocation among what is taken out is void. The bytes stay for
operators, in quarantine: rows of `held` that wait for `QUARANTINED`. The producer may sign the same version again with
a sound key. What an identity says of its keys is decided by its chain, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from exchange.models import Lab
from exchange.services.audit import record_event
from exchange.services.database import execute
from exchange.services.log import make_leaf
from exchange.services.principals import Principal
from exchange.services.sequencer import TAKE_NUMBERS
from exchange.services.sharing import intern_audiences
from exchange.services.storing import AudienceChange
from exchange.services.storing.facets import set_readers
from exchange.services.storing.noticing import notice_objects
from exchange.services.withdrawals import NOBODY, withdraw_from

QUARANTINED: Final = "compromised-key"
"""What a version in quarantine waits for, in the place of a marking's id: nothing that could ever arrive."""

_LOCK = """
SELECT o.id FROM object o WHERE o.producer_id = %(lab)s ORDER BY o.stix_id FOR UPDATE OF o
"""
# Identities with keys go by their chain. A marking of somebody else decides nobody's readers: what names one waits.
_SUSPECT = """
WITH stored AS (
    SELECT v.id, v.object_id, v.kid, v.received_at, v.distribution, o.stix_id, h.missing_marking
    FROM object o
    JOIN version_key k ON k.object_id = o.id
    JOIN version v ON v.id = k.version_id
    LEFT JOIN held h ON h.version_id = v.id
    WHERE o.producer_id = %(lab)s AND o.stix_id <> %(identity)s
), suspect AS (
    SELECT s.* FROM stored s JOIN signing_key y ON y.kid = s.kid
    WHERE extract(epoch FROM s.received_at) >= y.compromised_since
)
SELECT id, object_id, %(quarantined)s FROM suspect
UNION ALL
SELECT id, object_id, distribution FROM stored
WHERE missing_marking IS NULL AND distribution IN (SELECT stix_id FROM suspect)
  AND id NOT IN (SELECT id FROM suspect)
"""
_NEWEST = """
SELECT o.id, o.stix_id, o.home_collection_id, o.newest_audience_id FROM object o
WHERE o.newest_version_id = ANY (%(versions)s) ORDER BY o.stix_id
"""
_TAKE_OUT = (
    "DELETE FROM entry WHERE version_id = ANY (%(versions)s)",
    "DELETE FROM held WHERE version_id = ANY (%(versions)s)",
    """INSERT INTO held (version_id, object_id, missing_marking, held_since)
       SELECT version_id, object_id, reason, %(at)s
       FROM unnest(%(versions)s::bigint[], %(objects)s::bigint[], %(reasons)s::text[])
            AS n (version_id, object_id, reason)""",
    "DELETE FROM version_key k USING held h WHERE h.version_id = k.version_id AND h.missing_marking = %(quarantined)s",
    "UPDATE version SET audience_id = %(nobody)s WHERE id = ANY (%(versions)s)",
    """UPDATE object o SET newest_version_id = n.id, newest_audience_id = n.audience_id,
           created_text = CASE WHEN n.is_known THEN o.created_text ELSE '' END,
           state = CASE WHEN o.state = 'revoked' AND NOT n.is_revoked THEN 'current' ELSE o.state END,
           state_since = CASE WHEN o.state = 'revoked' AND NOT n.is_revoked THEN %(at)s ELSE o.state_since END,
           revoked_at = CASE WHEN n.is_revoked THEN o.revoked_at END
       FROM (SELECT x.object, newest.id, CASE WHEN newest.id IS NOT NULL THEN latest.audience_id END AS audience_id,
                    EXISTS (SELECT FROM version_key k WHERE k.object_id = x.object) AS is_known,
                    EXISTS (SELECT FROM version_key k
                            JOIN leaf f ON f.version_id = k.version_id AND f.operation = 'revoke'
                            WHERE k.object_id = x.object) AS is_revoked
             FROM unnest(%(objects)s::bigint[]) AS x (object)
             LEFT JOIN LATERAL (
                 SELECT v.audience_id FROM version_key k JOIN version v ON v.id = k.version_id
                 WHERE k.object_id = x.object ORDER BY k.version_key DESC LIMIT 1) latest ON true
             LEFT JOIN LATERAL (
                 SELECT k.version_id AS id FROM version_key k
                 WHERE k.object_id = x.object AND NOT EXISTS (SELECT FROM held h WHERE h.version_id = k.version_id)
                 ORDER BY k.version_key DESC LIMIT 1) newest ON true) n
       WHERE o.id = n.object""",
    """UPDATE entry e SET is_newest = (e.version_id = o.newest_version_id), newest_audience_id = o.newest_audience_id,
           is_first = NOT EXISTS (SELECT FROM version_key k JOIN version_key b ON b.object_id = k.object_id
                                  WHERE k.version_id = e.version_id AND b.version_key < k.version_key
                                    AND NOT EXISTS (SELECT FROM held h WHERE h.version_id = b.version_id))
       FROM object o WHERE o.id = e.object_id AND o.id = ANY (%(objects)s)""",
)
_FALLBACKS = """
SELECT v.id, o.type, o.stix_id, v.version_text, v.digest, f.operation
FROM object o JOIN version v ON v.id = o.newest_version_id
JOIN LATERAL (SELECT operation FROM leaf WHERE version_id = v.id ORDER BY seq LIMIT 1) f ON true
WHERE o.id = ANY (%(objects)s) ORDER BY o.stix_id
"""
_COME_AGAIN = f"""
WITH s AS (
    {TAKE_NUMBERS}
), n AS (
    SELECT * FROM unnest(%(versions)s::bigint[], %(operations)s::text[], %(salts)s::bytea[], %(records)s::bytea[],
                         %(leaves)s::bytea[])
         WITH ORDINALITY AS n (version, operation, salt, record, leaf, ord)
), l AS (
    INSERT INTO leaf (seq, operation, lab_id, version_id, salt, record, data)
    SELECT s.seq + n.ord, n.operation, %(lab)s, n.version, n.salt, n.record, n.leaf FROM s, n
)
UPDATE entry e SET seq = s.seq + n.ord, date_added = s.date + s.offsets[n.ord::int] * interval '1 microsecond',
                   is_late = false
FROM s, n WHERE e.version_id = n.version
"""  # noqa: S608 - put together from two constants


@dataclass(frozen=True, slots=True)
class _Suspects:
    """Versions, their objects, and what each of them waits for from now on, in three lists of one length."""

    versions: list[int]
    objects: list[int]
    reasons: list[str]


def quarantine_compromised(principal: Principal, lab: Lab, moment: datetime) -> int:
    """Take out what the lab's compromised keys signed; answers how many versions. Repeating it changes nothing.

    The caller is inside `writing()`, after the keys were stored.
    """
    if not lab.keys.filter(compromised_since__isnull=False).exists():
        return 0
    execute(_LOCK, {"lab": lab.id})
    found = execute(_SUSPECT, {"lab": lab.id, "identity": lab.identity_id, "quarantined": QUARANTINED}).fetchall()
    if not found:
        return 0
    suspects = _Suspects(*(list(column) for column in zip(*found, strict=True)))
    fallen = execute(_NEWEST, {"versions": suspects.versions}).fetchall()
    _take_out(suspects, moment)
    changes = [
        AudienceChange(stix_id, lab.identity_id or "", home, before, NOBODY, revoked=False)
        for _, stix_id, home, before in fallen
    ]
    notice_objects([row[0] for row in fallen])
    withdraw_from(changes, moment, state="suspended")
    _bring_back(lab, [row[0] for row in fallen], moment)
    record_event(principal, "versions-quarantined", lab.slug, versions=suspects.versions)
    return len(found)


def _take_out(suspects: _Suspects, moment: datetime) -> None:
    nobody = intern_audiences([NOBODY])[NOBODY.digest]
    params = {
        "versions": suspects.versions,
        "objects": suspects.objects,
        "reasons": suspects.reasons,
        "nobody": nobody,
        "quarantined": QUARANTINED,
        "at": moment,
    }
    for statement in _TAKE_OUT:
        execute(statement, params)
    set_readers(suspects.versions, [nobody] * len(suspects.versions))


def _bring_back(lab: Lab, objects: Sequence[int], moment: datetime) -> None:
    """Give the newest sound versions of these objects new places, so that followers meet them after the note."""
    fallbacks = execute(_FALLBACKS, {"objects": list(objects)}).fetchall()
    if not fallbacks:
        return
    leaves = [
        make_leaf(
            operation,
            type_=type_,
            id_=stix_id,
            version=version,
            payload_sha256=bytes(digest).hex(),
            lab=lab.identity_id or "",
            time=moment,
        )
        for _, type_, stix_id, version, digest, operation in fallbacks
    ]
    params = {
        "count": len(fallbacks),
        "lab": lab.id,
        "versions": [row[0] for row in fallbacks],
        "operations": [row[5] for row in fallbacks],
        "salts": [leaf.salt for leaf in leaves],
        "records": [leaf.record for leaf in leaves],
        "leaves": [leaf.data for leaf in leaves],
    }
    execute(_COME_AGAIN, params)
