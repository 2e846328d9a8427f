"""Which versions of an object wait for their marking: who may read the object while they do depends on them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from exchange.services.database import execute
from exchange.services.storing.deciding import ObjectState

# What is in quarantine has no key: it waits for nothing.
_WAITING = """
SELECT h.object_id, k.version_key, v.audience_id, h.version_id
FROM held h
JOIN version_key k ON k.version_id = h.version_id
JOIN version v ON v.id = h.version_id
WHERE h.object_id = ANY (%(objects)s)
"""


def note_waiting(states: Iterable[ObjectState], released: Collection[int] = ()) -> None:
    """Tell the states of stored objects what of them waits, but for the versions that are `released` now.

    One query, none where every object is new. The objects are locked.
    """
    by_row = {state.id: state for state in states if state.id}
    if not by_row:
        return
    for object_id, key, audience_id, version_id in execute(_WAITING, {"objects": sorted(by_row)}).fetchall():
        if version_id not in released:
            by_row[object_id].waiting[key] = audience_id
