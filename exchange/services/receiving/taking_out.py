"""Takes versions out of sight: they stay, in nobody's view, so that the same bytes are known when they come again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from exchange.services.database import execute
from exchange.services.receiving.source import Source
from exchange.services.sharing import intern_audiences
from exchange.services.storing.facets import set_readers
from exchange.services.storing.noticing import notice_objects
from exchange.services.withdrawals import NOBODY, WITHDRAWN

# What a compromised key signed stays where it is: that the peer sends it again does not make it sound.
_TAKE_OUT: Final = (
    "DELETE FROM entry WHERE version_id = ANY (%(versions)s)",
    "DELETE FROM held h USING version_key k WHERE h.version_id = ANY (%(versions)s) AND k.version_id = h.version_id",
    """INSERT INTO held (version_id, object_id, missing_marking, held_since)
       SELECT k.version_id, k.object_id, %(withdrawn)s, %(at)s FROM version_key k
       WHERE k.version_id = ANY (%(versions)s)""",
    # Who took it back may send it again: a relay must not undo the word of a home.
    "UPDATE version SET audience_id = %(nobody)s, origin_peer_id = %(peer)s WHERE id = ANY (%(versions)s)",
    "UPDATE object SET newest_version_id = NULL, newest_audience_id = NULL WHERE id = ANY (%(objects)s)",
)


def take_out(source: Source, objects: Sequence[int], versions: Sequence[int], moment: datetime) -> None:
    """Take all versions of these locked objects out, after their readers were told."""
    if not objects:
        return
    nobody = intern_audiences([NOBODY])[NOBODY.digest]
    params: dict[str, Any] = {
        "objects": list(objects),
        "versions": list(versions),
        "peer": source.peer_id,
        "withdrawn": WITHDRAWN,
        "nobody": nobody,
        "at": moment,
    }
    for statement in _TAKE_OUT:
        execute(statement, params)
    set_readers(versions, [nobody] * len(versions))
    notice_objects(objects)
