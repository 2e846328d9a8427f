"""Deletes an object: its versions and salts go, a tombstone refuses their return, and its readers are told."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from exchange.models import Leaf, StixObject
from exchange.services.access import require_scope
from exchange.services.audit import record_event
from exchange.services.clock import now
from exchange.services.database import writing
from exchange.services.errors import ConflictError, NotFoundError
from exchange.services.log import make_leaf
from exchange.services.principals import Principal
from exchange.services.publishing.marking import lock_markings
from exchange.services.sequencer import next_number
from exchange.services.storing import AudienceChange, retrying
from exchange.services.withdrawals import NOBODY, withdraw_from


def delete_object(*, principal: Principal, stix_id: str) -> None:
    """Remove every version of the principal's own object. Its later publication is refused.

    Raises:
        NotFoundError: the lab has no such object (another lab's looks the same).
        ConflictError: other things rest on it: the lab's identity, a marking in use.
        AccessDeniedError, NotAuthenticatedError: the principal may not publish.
    """
    require_scope(principal, "publish")
    retrying(lambda: _delete(principal, stix_id, now()))


def _delete(principal: Principal, stix_id: str, moment: datetime) -> None:
    with writing():
        lock_markings(principal)
        found = (
            StixObject.objects.select_for_update()
            .filter(producer__id=principal.lab_id or 0, stix_id=stix_id)
            .exclude(state=StixObject.State.DELETED)
            .first()
        )
        if found is None:
            raise NotFoundError("there is no such object", code="object-not-found")
        _check_deletable(principal, found)
        record_event(principal, "object-deleted", stix_id)
        if found.newest_audience_id is not None:
            change = AudienceChange(stix_id, found.home_collection_id, found.newest_audience_id, NOBODY, revoked=False)
            withdraw_from([change], moment, state="deleted")
        _remove(found, _log_deletion(principal, found, moment), moment)


_IS_NAMED = """
SELECT EXISTS (SELECT FROM version v JOIN object o ON o.id = v.object_id
               WHERE o.producer_id = %(lab)s AND v.distribution = %(id)s)
"""


def _check_deletable(principal: Principal, found: StixObject) -> None:
    if found.stix_id == principal.lab_identity:
        raise ConflictError("every signature of the lab rests on its identity", code="in-use", pointer="/id")
    if found.type != "marking-definition":
        return
    with connection.cursor() as cursor:
        cursor.execute(_IS_NAMED, {"lab": principal.lab_id, "id": found.stix_id})
        if cursor.fetchone()[0]:
            raise ConflictError("the recipients of other objects stand in it", code="in-use", pointer="/id")


def _log_deletion(principal: Principal, found: StixObject, moment: datetime) -> int:
    leaf = make_leaf(
        "delete",
        type_=found.type,
        id_=found.stix_id,
        version="",
        payload_sha256="",
        lab=principal.lab_identity,
        time=moment,
    )
    seq = next_number()
    Leaf.objects.create(
        seq=seq, operation="delete", lab_id=found.producer_id, data=leaf.data, record=leaf.record, salt=leaf.salt
    )
    return seq


_STATEMENTS = (
    """INSERT INTO tombstone (seq, object_id, version_key, digest, audience_id, deleted_at)
       SELECT %(seq)s, k.object_id, k.version_key, k.digest, v.audience_id, %(at)s
       FROM version_key k JOIN version v ON v.id = k.version_id WHERE k.object_id = %(object)s""",
    """UPDATE leaf SET salt = NULL, record = NULL
       WHERE version_id IN (SELECT version_id FROM version_key WHERE object_id = %(object)s)""",
    """DELETE FROM reference
       WHERE version_id IN (SELECT version_id FROM version_key WHERE object_id = %(object)s)""",
    "DELETE FROM held WHERE object_id = %(object)s",
    "DELETE FROM entry WHERE object_id = %(object)s",
    """DELETE FROM version
       WHERE id IN (SELECT version_id FROM version_key WHERE object_id = %(object)s)""",
    "DELETE FROM version_key WHERE object_id = %(object)s",
    """UPDATE object SET state = 'deleted', state_since = %(at)s, newest_version_id = NULL, newest_audience_id = NULL
       WHERE id = %(object)s""",
)


def _remove(found: StixObject, seq: int, moment: datetime) -> None:
    with connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, {"object": found.id, "seq": seq, "at": moment})
