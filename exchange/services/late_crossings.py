"""What a peer gets to read because it changed, or somebody moved, gets new places in the sequence, as for a new grant.

A peer follows by a date that says nothing of what it could not read then (docs/sharing.md, "What follows", 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from exchange.services.clock import now
from exchange.services.database import execute
from exchange.services.late_grants import LOCK_SEQUENCER, move_entries
from exchange.services.peer_principals import KnownPeer, find_peers
from exchange.services.sharing import readable_audiences

# In the order of publishers, who lock objects first and the sequencer last.
_LOCK_READ_BY: Final = """
WITH locked AS (
    SELECT id FROM object WHERE newest_audience_id = ANY (%(audiences)s) OR producer_id = %(producer)s
    ORDER BY producer_id, stix_id FOR UPDATE
)
SELECT count(*) FROM locked
"""
_NAMING: Final = """
SELECT id FROM audience WHERE %(lab)s = ANY (labs) AND %(lab)s = ANY (persons)
"""


def lock_objects_for(identity: str, producer_id: int | None = None) -> None:
    """Lock the objects that have this lab among their recipients, before its new homes decide where they go.

    producer_id: and all objects of this producer, before its keys decide what becomes of them. The caller is inside
    `writing()` and has not taken the sequencer yet.
    """
    _lock([row[0] for row in execute(_NAMING, {"lab": identity}).fetchall()], producer_id)


@contextmanager
def placing_for_peers() -> Iterator[None]:
    """Around whatever changes what may cross to peers: their rows, their root keys, the homes and states of labs.

    What a peer reads afterwards and did not read before moves to the end of the sequence, for everybody, in the
    collections that it has a grant for. Nobody is told of what no longer crosses. Inside `writing()`; nobody else
    publishes from its end to that of the transaction.
    """
    before = {peer.traits.id: peer for peer in find_peers()}
    yield
    for peer in find_peers():
        earlier = before.get(peer.traits.id)
        if earlier is not None and earlier.traits != peer.traits:
            _place(earlier, peer)


def _place(before: KnownPeer, after: KnownPeer) -> None:
    known, readable = readable_audiences(before.principal), readable_audiences(after.principal)
    gained = sorted(set(readable) - set(known))
    if not gained:
        return
    _lock(gained)
    until, moment = execute(LOCK_SEQUENCER, {}).fetchall()[0][0], now()
    for collection_id in sorted(after.reads):
        move_entries(collection_id, readable, known, until, moment)


def _lock(audiences: Sequence[int], producer_id: int | None = None) -> None:
    if audiences or producer_id is not None:
        execute(_LOCK_READ_BY, {"audiences": list(audiences), "producer": producer_id or 0})
