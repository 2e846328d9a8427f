"""Tells the rooms above which versions of objects are the newest now, in the transaction that makes them so.

Rooms keep rows of their own about what objects say; settings name them by dotted path (`NEWEST_OBSERVERS`), so storage
knows none of them. What a room is told of may be seen by nobody: who reads it is the entry's word, always.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from exchange.services.database import execute


@dataclass(frozen=True, slots=True)
class Newest:
    """An object's row, and its newest version that is shown; `version_id` is None where none is.

    is_first: the object is new, so nobody can have kept anything of it.
    """

    object_id: int
    type: str
    version_id: int | None
    version_text: str = ""
    body: bytes = b""
    is_first: bool = False


Observer = Callable[[Sequence[Newest]], None]

_NEWEST: Final = """
SELECT o.id, o.type, o.newest_version_id, coalesce(v.version_text, ''), coalesce(v.body, ''::bytea)
FROM object o LEFT JOIN version v ON v.id = o.newest_version_id WHERE o.id = ANY (%(objects)s) ORDER BY o.id
"""


def notice_newest(changed: Sequence[Newest]) -> None:
    """Tell every observer. Inside `writing()`, before the sequencer is taken."""
    if changed:
        for observe in _observers():
            observe(changed)


def notice_objects(object_ids: Sequence[int]) -> None:
    """Tell of objects whose newest version became another in some other way than by being stored."""
    if object_ids:
        found = execute(_NEWEST, {"objects": list(object_ids)}, prepare=False).fetchall()
        notice_newest([Newest(row[0], row[1], row[2], row[3], bytes(row[4])) for row in found])


@cache
def _observers() -> tuple[Observer, ...]:
    return tuple(import_string(path) for path in settings.NEWEST_OBSERVERS)
