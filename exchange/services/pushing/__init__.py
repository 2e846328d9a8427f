"""What is to be pushed to a peer, read as the peer, and what became of it. The network side is exchange/sync/pushing.

The outbox of a channel is its collection itself, after the channel's place in the sequence (docs/adr/0013).
"""

from exchange.services.pushing.errands import (
    Errand,
    drop_errand,
    due_errands,
    has_deletions,
    list_errands,
    note_refused,
    retry_errands,
    settle_errand,
)
from exchange.services.pushing.lost import note_lost
from exchange.services.pushing.outbox import (
    Outgoing,
    Ready,
    advance,
    begin_envelope,
    follow_later,
    next_outgoing,
    send_anew,
    versions_behind,
    wake_push_channels,
)

__all__ = [
    "Errand",
    "Outgoing",
    "Ready",
    "advance",
    "begin_envelope",
    "drop_errand",
    "due_errands",
    "follow_later",
    "has_deletions",
    "list_errands",
    "next_outgoing",
    "note_lost",
    "note_refused",
    "retry_errands",
    "send_anew",
    "settle_errand",
    "versions_behind",
    "wake_push_channels",
]
