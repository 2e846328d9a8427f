"""Words between exchanges that there is something new, so that a channel need not wait for its interval.

A word is sent once for what is new for a peer, and holds nothing. What gets lost is found at the next look, so nothing
waits for an answer and nothing is kept (docs/adr/0014-hints-between-exchanges.md).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db.models import F

from exchange.models import Peer
from exchange.services.clock import now
from exchange.services.database import execute
from exchange.services.errors import AccessDeniedError
from exchange.services.pausing import growing_pause_s
from exchange.services.peer_principals import find_peer_reader
from exchange.services.peers.health import LONGEST_PAUSE_S
from exchange.services.principals import Principal
from exchange.services.query.entries import NOT_ITS_OWN
from exchange.services.sharing import reading_as

FIRST_PAUSE_S: Final = 5.0
"""Until a peer is told again that took no word; doubled each time."""

LEAST_PAUSE_S: Final = 0.5
"""Between the end of a run and the next one that a word brings about: a peer cannot keep this node busy with words."""

FAILING_PAUSE_S: Final = 10.0
"""The same for a channel whose last run failed."""

_BEHIND: Final = """
SELECT p.id, p.lab_id, p.told_seq, s.last_seq
FROM sequencer s
JOIN peer p ON p.told_seq < s.last_seq AND p.state = 'active' AND p.tell_after <= clock_timestamp()
JOIN lab l ON l.id = p.lab_id AND l.kind = 'node' AND l.status = 'active'
WHERE s.id = 1
ORDER BY p.id
"""
# Row-level security leaves the entries that the peer may read.
_NEWS: Final = f"""
SELECT EXISTS (
    SELECT FROM entry e JOIN version v ON v.id = e.version_id
    WHERE e.seq > %(after)s AND e.seq <= %(upto)s AND {NOT_ITS_OWN}
      AND e.collection_id IN (SELECT g.collection_id FROM collection_grant g WHERE g.lab_id = %(lab)s AND g.can_read)
)
"""  # noqa: S608 - put together from constants
_HEAR: Final = """
UPDATE peer_channel c SET hinted = true, next_attempt_at = least(
    c.next_attempt_at,
    greatest(clock_timestamp(), coalesce(c.last_run_at, '-infinity')
             + CASE WHEN c.failures = 0 THEN %(least)s ELSE %(failing)s END * interval '1 second'))
WHERE c.peer_id = %(peer)s AND c.direction = 'pull'
"""


def take_hints() -> list[int]:
    """The exchanges to tell now, by the ids of their rows: something is here that they may read and were not told of.

    Each is given out once. Whoever has it tells the peer, and then calls `settle_hint`.
    """
    return [
        peer_id
        for peer_id, lab_id, told, upto in execute(_BEHIND, {}).fetchall()
        if _has_news(lab_id, told, upto) and _take(peer_id, told, upto)
    ]


def settle_hint(peer_id: int, *, was_told: bool) -> None:
    """Note whether the peer took the word; one that did not is left alone for a growing while."""
    if was_told:
        Peer.objects.filter(pk=peer_id, tell_failures__gt=0).update(tell_failures=0)
        return
    failures = 1 + (Peer.objects.filter(pk=peer_id).values_list("tell_failures", flat=True).first() or 0)
    pause = growing_pause_s(failures, first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S)
    Peer.objects.filter(pk=peer_id).update(
        tell_failures=F("tell_failures") + 1, tell_after=now() + timedelta(seconds=pause)
    )


def hear_hint(principal: Principal) -> None:
    """The word of a peer that it has something new: its channels are looked at now, or when their run is over.

    Raises:
        AccessDeniedError: whoever says so is no exchange that is a peer of this node.
    """
    if principal.peer is None or not principal.peer.is_exchange:
        raise AccessDeniedError("this is for the exchanges that are peers of this node", code="not-a-peer")
    params: dict[str, Any] = {"peer": principal.peer.id, "least": LEAST_PAUSE_S, "failing": FAILING_PAUSE_S}
    execute(_HEAR, params)


def _has_news(lab_id: int, after: int, upto: int) -> bool:
    """Whether something among these numbers is for the peer; else it is asked no more of them."""
    known = find_peer_reader(lab_id)
    if known is None or not known.is_active:
        return False
    params = {"lab": lab_id, "after": after, "upto": upto, "origin": known.traits.id}
    with reading_as(known.principal):
        found: bool = execute(_NEWS, params).fetchall()[0][0]
    if not found:
        _take(known.traits.id, after, upto)
    return found


def _take(peer_id: int, told: int, upto: int) -> bool:
    """Whether these numbers are ours to tell of: another worker may look at the same moment."""
    return bool(Peer.objects.filter(pk=peer_id, told_seq=told).update(told_seq=upto))
