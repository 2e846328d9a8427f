"""Notes of withdrawal in quarantine, and what the same peer sent after them.

A note whose key was unknown is followed when the key comes, perhaps long after the peer has sent the object again.
So a peer that sends an object ends its own notes about it that wait: by its sequence the object is there. The other
way round, a note ends what of its object waits from the same peer. These rows are removed: what they say is over, and
kept they would fill the table at the peer's will.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from exchange.services.audit import record_event
from exchange.services.database import execute
from exchange.services.principals import NODE
from exchange.services.receiving.source import Source

OVERTAKEN: Final = "overtaken"
"""The code of a note after which its object came again."""

# What nobody here can tell the producer of may be anybody's.
_OVERTAKEN: Final = """
DELETE FROM quarantine q
USING (SELECT DISTINCT * FROM unnest(%(producers)b::text[], %(ids)b::text[]) AS n (producer, id)) n
WHERE q.peer_id = %(peer)s AND q.state = 'waiting' AND q.about = n.id AND q.about <> ''
  AND n.producer IN ('', q.about_producer) AND q.sha256 <> ALL (%(standing)b::bytea[])
RETURNING q.id
"""
_FORGET: Final = """
DELETE FROM quarantine q USING unnest(%(producers)b::text[], %(ids)b::text[]) AS n (producer, id)
WHERE q.peer_id = %(peer)s AND q.state = 'waiting' AND q.creator = n.producer AND q.stix_id = n.id
"""


_ANY: Final = """
SELECT EXISTS (SELECT FROM quarantine WHERE peer_id = %(peer)s AND state = 'waiting' AND about <> '')
"""


def forget_overtaken(
    source: Source, names: Callable[[], Collection[tuple[str, str]]], standing: Collection[bytes]
) -> None:
    """Remove the notes that wait about what the peer sends now. The caller is inside `writing()`.

    names: tells pairs of the producer's identity, "" if nobody knows it, and the object's id. standing: SHA-256 of the
    notes that came with these objects, and after them.
    """
    if not execute(_ANY, {"peer": source.peer_id}, prepare=False).fetchall()[0][0] or not (sent := names()):
        return
    producers, ids = zip(*sorted(sent), strict=True)
    params = {"peer": source.peer_id, "producers": list(producers), "ids": list(ids), "standing": list(standing)}
    gone = execute(_OVERTAKEN, params, prepare=False).fetchall()
    if gone:
        record_event(NODE, "withdrawals-overtaken", source.name, notes=len(gone))


def forget_waiting(source: Source, names: Iterable[tuple[str, str]]) -> None:
    """Remove what waits of the objects that the peer takes back now. names: producers' identities and ids."""
    pairs = sorted(set(names))
    if pairs:
        producers, ids = zip(*pairs, strict=True)
        params = {"peer": source.peer_id, "producers": list(producers), "ids": list(ids)}
        execute(_FORGET, params, prepare=False)
