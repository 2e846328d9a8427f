"""Versions that wait for their distribution marking, and their release when it arrives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.models import Collection
from exchange.services.database import execute
from exchange.services.principals import Principal
from exchange.services.publishing.marking import audience_of_marking, recipients_in
from exchange.services.publishing.reading import facets_in, inspect_payloads, references_of
from exchange.services.scope_claims import is_unsourced_claim
from exchange.services.sharing import AudienceRule, Recipients, audience_for
from exchange.services.storing import AudienceChange, Batch, PreparedVersion
from exchange.stix.checks import CheckedObject, check_object
from exchange.stix.markings import Tlp
from exchange.stix.reading import read_object

_HELD = """
SELECT h.version_id, v.body, v.version_text, k.version_key, v.digest, v.label, v.kid, v.received_at,
       o.home_collection_id, h.missing_marking, m.body, v.origin_peer_id IS NOT NULL AND v.kid <> ''
FROM held h
JOIN object o ON o.id = h.object_id
JOIN version v ON v.id = h.version_id
JOIN version_key k ON k.version_id = h.version_id
JOIN object mo ON mo.producer_id = o.producer_id AND mo.stix_id = h.missing_marking
JOIN version m ON m.id = mo.newest_version_id
WHERE o.producer_id = %(lab)s AND h.missing_marking = ANY (%(markings)s)
ORDER BY h.version_id
"""


_WAITING = """
SELECT o.stix_id FROM held h JOIN object o ON o.id = h.object_id
WHERE o.producer_id = %(lab)s AND h.missing_marking = ANY (%(markings)s)
"""


def waiting_for(lab_id: int, marking_ids: Sequence[str]) -> list[str]:
    """Ids of the lab's objects that have a version which waits for one of these markings: a marking that is stored
    changes them too. While the markings are locked they stay the same."""
    if not marking_ids:
        return []
    found = execute(_WAITING, {"lab": lab_id, "markings": list(marking_ids)}, prepare=False).fetchall()
    return [row[0] for row in found]


def release_held(principal: Principal, marking_ids: Sequence[str], batch: Batch) -> list[AudienceChange]:
    """Give what waited for these markings of the principal's lab its readers and a new place in the sequence.

    Answers the objects whose readers changed. The caller is inside `writing()`, after the markings were stored.
    """
    if principal.lab_id is None or not marking_ids:
        return []
    found = execute(_HELD, {"lab": principal.lab_id, "markings": list(marking_ids)}, prepare=False).fetchall()
    return batch.release([(principal.lab_id, row[0], _prepared(row, principal.lab_identity)) for row in found])


# A marking that is no more where it was, or was taken out too, says nobody's name.
_TAKEN_BACK = """
SELECT h.version_id, v.body, v.version_text, k.version_key, v.digest, v.label, v.kid, v.received_at,
       o.home_collection_id, v.distribution, m.body, v.kid <> ''
FROM held h
JOIN object o ON o.id = h.object_id
JOIN version v ON v.id = h.version_id
JOIN version_key k ON k.version_id = h.version_id
LEFT JOIN object mo ON mo.producer_id = o.producer_id AND mo.stix_id = v.distribution
LEFT JOIN version m ON m.id = mo.newest_version_id
WHERE o.producer_id = %(lab)s AND h.version_id = ANY (%(versions)s) AND (v.distribution = '' OR m.id IS NOT NULL)
ORDER BY h.version_id
"""


# Sent again before its marking is here: it waits for that as what has just come does.
_WAIT_FOR_MARKING = """
UPDATE held h SET missing_marking = v.distribution
FROM version v JOIN object o ON o.id = v.object_id
WHERE v.id = h.version_id AND o.producer_id = %(lab)s AND h.version_id = ANY (%(versions)s) AND v.distribution <> ''
  AND NOT EXISTS (SELECT FROM object mo WHERE mo.producer_id = o.producer_id AND mo.stix_id = v.distribution
                  AND mo.newest_version_id IS NOT NULL)
"""


def bring_back(principal: Principal, version_ids: Sequence[int], batch: Batch) -> list[AudienceChange]:
    """Give versions of the principal's lab that a peer took back and sends again their readers and new places.

    Answers the objects whose readers changed. The caller is inside `writing()`.
    """
    if principal.lab_id is None or not version_ids:
        return []
    params = {"lab": principal.lab_id, "versions": list(version_ids)}
    execute(_WAIT_FOR_MARKING, params)
    found = execute(_TAKEN_BACK, params).fetchall()
    return batch.release([(principal.lab_id, row[0], _prepared(row, principal.lab_identity)) for row in found])


def _prepared(row: tuple[Any, ...], producer: str) -> PreparedVersion:
    _, body, version_text, key, digest, label, kid, received_at, home, marking, marking_body, is_relayed = row
    checked = check_object(read_object(bytes(body)))
    references = references_of(checked)
    recipients = recipients_in(bytes(marking_body)) if marking_body is not None else None
    if recipients is None and is_relayed:
        # Without recipients a label means the labs of the node where the object was published, and this is another.
        recipients = Recipients(frozenset())
    if recipients is None and is_unsourced_claim(checked.members) and _is_guarded(home):
        # It was let in because its marking was to name recipients. One that names none makes it nobody else's.
        recipients = Recipients(frozenset())
    return PreparedVersion(
        stix_id=checked.id,
        type=checked.type,
        collection_id=home,
        version_text=version_text,
        version_key=key,
        body=checked.raw,
        digest=bytes(digest),
        label=Tlp(label),
        audience=_audience(checked, Tlp(label), producer, recipients),
        distribution=marking,
        kid=kid,
        created_text=str(checked.members.get("created", "")),
        revoked=checked.members.get("revoked") is True,
        references=tuple(references),
        lab_identity=producer,
        received_at=received_at,
        facets=facets_in(checked, references, inspect_payloads(checked.members)),
    )


def _is_guarded(collection_id: int) -> bool:
    return Collection.objects.filter(pk=collection_id, scope=Collection.Scope.AGREEMENT).exists()


def _audience(checked: CheckedObject, label: Tlp, producer: str, recipients: Recipients | None) -> AudienceRule:
    if checked.type == "marking-definition":
        return audience_of_marking(checked.members, producer)
    return audience_for(label, producer, recipients)
