"""Push peers that lose sight of an object are told to delete it: no note would reach a plain TAXII server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from exchange.models import PeerChannel
from exchange.services.clock import now
from exchange.services.database import execute
from exchange.services.peer_principals import find_peers
from exchange.services.sharing import AudienceRule, may_read
from exchange.services.storing import AudienceChange

# Anew: the object may have been deleted there before, and come back since.
_NOTE: Final = """
INSERT INTO peer_errand (channel_id, kind, stix_id, version_id, reason, tries, next_attempt_at, noted_at)
SELECT channel, 'delete', stix_id, 0, '', 0, %(at)s, %(at)s
FROM unnest(%(channels)s::int[], %(ids)s::text[]) AS n (channel, stix_id)
ON CONFLICT (channel_id, kind, stix_id, version_id)
DO UPDATE SET reason = '', tries = 0, next_attempt_at = excluded.next_attempt_at, noted_at = excluded.noted_at
"""
_WAKE: Final = "UPDATE peer_channel SET next_attempt_at = least(next_attempt_at, %(at)s) WHERE id = ANY (%(channels)s)"


def note_lost(changes: Sequence[AudienceChange], before: Mapping[int, AudienceRule]) -> None:
    """Note the deletions that follow from changed readers. The caller is inside `writing()`.

    before: the rules of the audiences that the changes name. Only a peer that could read the object is told its id.
    Exchanges get notes (services/withdrawals.py).
    """
    homes = {change.collection_id for change in changes}
    channels = list(
        PeerChannel.objects.filter(
            direction=PeerChannel.Direction.PUSH, collection_id__in=homes, peer__lab__kind="feed"
        ).values_list("pk", "peer_id", "collection_id")
    )
    if not channels:
        return
    readers = {peer.traits.id: peer.principal for peer in find_peers()}
    due = sorted(
        {
            (channel_id, change.stix_id)
            for channel_id, peer_id, collection_id in channels
            for change in changes
            if change.collection_id == collection_id
            and may_read(readers[peer_id], before[change.before])
            and not may_read(readers[peer_id], change.after)
        }
    )
    if due:
        params: dict[str, Any] = {
            "channels": [channel_id for channel_id, _ in due],
            "ids": [stix_id for _, stix_id in due],
            "at": now(),
        }
        execute(_NOTE, params)
        execute(_WAKE, {"channels": params["channels"], "at": params["at"]})
