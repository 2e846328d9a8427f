"""States: an object is revoked exactly where a version of it says so, since this node first saw that version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from exchange.services.checking.report import Report
from exchange.services.checking.stored import StoredVersion
from exchange.services.database import execute
from exchange.stix.errors import StixError
from exchange.stix.reading import read_object

# Each version is held against its own leaf too, so a leaf is proof enough; what waits has none yet.
_UNPROVEN: Final = """
SELECT o.id, v.body
FROM object o
LEFT JOIN held h ON h.object_id = o.id
LEFT JOIN version_key k ON k.version_id = h.version_id
LEFT JOIN version v ON v.id = k.version_id
WHERE o.state = 'revoked'
  AND NOT EXISTS (SELECT FROM version_key s JOIN leaf f ON f.version_id = s.version_id AND f.operation = 'revoke'
                  WHERE s.object_id = o.id)
"""


def check_state(report: Report, stored: StoredVersion, members: Mapping[str, Any]) -> None:
    """Check the object's state against what one version of it says; a revocation in quarantine is void."""
    if stored.is_quarantined:
        return
    revokes = members.get("revoked") is True
    if not stored.waits_for and revokes != stored.is_logged_as_revocation:
        report.add("leaf", stored.where, "the log says otherwise whether it revokes")
    if revokes and (stored.state, stored.revoked_at) != ("revoked", stored.received_at):
        report.add("state", stored.where, "it revokes, and its object is not revoked since then")


def check_revoked_objects(report: Report) -> None:
    """Check that each object that is said to be revoked has a version that says so."""
    proven: dict[int, bool] = {}
    for object_id, body in execute(_UNPROVEN, {}).fetchall():
        proven[object_id] = proven.get(object_id, False) or (body is not None and _revokes(bytes(body)))
    for object_id in sorted(each for each, is_proven in proven.items() if not is_proven):
        report.add("state", f"object {object_id}", "no version of it revokes")


def _revokes(body: bytes) -> bool:
    try:
        return read_object(body).members.get("revoked") is True
    except StixError:
        return False
