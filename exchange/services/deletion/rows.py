"""The SQL of deletion. Everything here runs inside the caller's `writing()`, with the object locked."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection

from exchange.models import Leaf, StixObject, Version
from exchange.services.database import execute
from exchange.services.deletion.choosing import OwnVersion
from exchange.services.log import make_leaf
from exchange.services.sequencer import TAKE_NUMBERS, next_number
from exchange.services.storing.noticing import notice_objects
from exchange.stix.markings import Tlp

_STORED: Final = """
SELECT k.version_id, k.version_key, v.version_text, k.digest, v.audience_id,
       EXISTS (SELECT FROM held h WHERE h.version_id = k.version_id),
       EXISTS (SELECT FROM leaf f WHERE f.version_id = k.version_id AND f.operation = 'revoke')
FROM version_key k JOIN version v ON v.id = k.version_id
WHERE k.object_id = %(object)s ORDER BY k.version_key
"""


def stored_versions(object_id: int) -> list[OwnVersion]:
    """Every version of an object, in the order of versions."""
    found = execute(_STORED, {"object": object_id}).fetchall()
    return [
        OwnVersion(id_, key, text, bytes(digest), audience_id, is_held, is_revocation)
        for id_, key, text, digest, audience_id, is_held, is_revocation in found
    ]


_NAMES_RECIPIENTS: Final = """
SELECT EXISTS (SELECT FROM version v JOIN object o ON o.id = v.object_id
               WHERE o.producer_id = %(lab)s AND v.distribution = %(id)s)
"""


def names_recipients(found: StixObject) -> bool:
    """Whether objects of its producer are for the readers that this marking names."""
    row = execute(_NAMES_RECIPIENTS, {"lab": found.producer_id, "id": found.stix_id}).fetchone()
    return row is not None and bool(row[0])


def log_deletion(found: StixObject, lab_identity: str, moment: datetime, version: OwnVersion | None = None) -> int:
    """Add the leaf of the deletion of a version, or of the whole object; answers its number."""
    return _add_leaf("delete", found, lab_identity, moment, version, next_number())


def _add_leaf(
    operation: str, found: StixObject, lab_identity: str, moment: datetime, version: OwnVersion | None, seq: int
) -> int:
    leaf = make_leaf(
        operation,
        type_=found.type,
        id_=found.stix_id,
        version=version.text if version else "",
        payload_sha256=version.digest.hex() if version else "",
        lab=lab_identity,
        time=moment,
    )
    Leaf.objects.create(
        seq=seq,
        operation=operation,
        lab_id=found.producer_id,
        version_id=version.id if version and operation != "delete" else None,
        data=leaf.data,
        record=leaf.record,
        salt=leaf.salt,
    )
    return seq


# Each removes what belongs to the versions in %(versions)s.
_REMOVE_VERSIONS: Final = (
    """INSERT INTO tombstone (seq, object_id, version_key, digest, audience_id, deleted_at)
       SELECT %(seq)s, k.object_id, k.version_key, k.digest, v.audience_id, %(at)s
       FROM version_key k JOIN version v ON v.id = k.version_id WHERE k.version_id = ANY (%(versions)s)""",
    "UPDATE leaf SET salt = NULL, record = NULL WHERE version_id = ANY (%(versions)s)",
    "DELETE FROM reference WHERE version_id = ANY (%(versions)s)",
    "DELETE FROM facet WHERE version_id = ANY (%(versions)s)",
    "DELETE FROM held WHERE version_id = ANY (%(versions)s)",
    "DELETE FROM entry WHERE object_id = %(object)s AND version_id = ANY (%(versions)s)",
    "DELETE FROM version WHERE id = ANY (%(versions)s)",
    "DELETE FROM version_key WHERE version_id = ANY (%(versions)s)",
)
_END_OBJECT: Final = """
UPDATE object SET state = %(state)s, state_since = %(at)s, newest_version_id = NULL, newest_audience_id = NULL
WHERE id = %(object)s
"""


def remove_object(
    found: StixObject, seq: int, moment: datetime, *, state: StixObject.State = StixObject.State.DELETED
) -> None:
    """Remove all versions; the object remains as a name that cannot be used again."""
    _remove(found, [each.id for each in stored_versions(found.id)], seq, moment)
    with connection.cursor() as cursor:
        cursor.execute(_END_OBJECT, {"object": found.id, "at": moment, "state": str(state)})
    notice_objects([found.id])


def remove_version(found: StixObject, version: OwnVersion, seq: int, moment: datetime) -> None:
    """Remove one version; what the others are after that, the caller sets."""
    _remove(found, [version.id], seq, moment)


def _remove(found: StixObject, version_ids: list[int], seq: int, moment: datetime) -> None:
    params: dict[str, Any] = {"object": found.id, "versions": version_ids, "seq": seq, "at": moment}
    with connection.cursor() as cursor:
        for statement in _REMOVE_VERSIONS:
            cursor.execute(statement, params)


def mark_entries(found: StixObject, newest: OwnVersion, first: OwnVersion, audience_id: int) -> None:
    """Write which of an object's entries are newest and first, and who reads the object."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE entry SET is_newest = (version_id = %(newest)s), is_first = (version_id = %(first)s),"
            " newest_audience_id = %(audience)s WHERE object_id = %(object)s",
            {"newest": newest.id, "first": first.id, "audience": audience_id, "object": found.id},
        )


def strictest_label(found: StixObject) -> Tlp:
    """The strictest label that any version of the object carries."""
    return Tlp(max(Version.objects.filter(object=found).values_list("label", flat=True), default=Tlp.CLEAR))


def set_newest(found: StixObject, newest: OwnVersion | None, audience_id: int | None) -> None:
    """Write an object's newest version and who reads the object; None if all that remain are held."""
    found.newest_version_id = newest.id if newest else None
    found.newest_audience_id = audience_id
    found.save(update_fields=["newest_version_id", "newest_audience_id"])
    notice_objects([found.id])


_PLACE_ANEW: Final = f"""
WITH s AS ({TAKE_NUMBERS})
UPDATE entry e SET seq = s.seq + 1, date_added = s.date + s.offsets[1] * interval '1 microsecond', is_late = false
FROM s WHERE e.object_id = %(object)s AND e.version_id = %(version)s RETURNING e.seq
"""  # noqa: S608 - put together from constants


def place_anew(found: StixObject, version: OwnVersion, lab_identity: str, moment: datetime) -> None:
    """Move a version's entry to the end of the sequence, with a leaf there."""
    with connection.cursor() as cursor:
        cursor.execute(_PLACE_ANEW, {"count": 1, "object": found.id, "version": version.id})
        seq = int(cursor.fetchone()[0])
    _add_leaf("publish", found, lab_identity, moment, version, seq)
