"""Lists the peers with their channels and how these are doing, as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from exchange.management.answering import AnsweringCommand, Facts
from exchange.management.peering import facts_of
from exchange.management.tables import table_lines
from exchange.models import Peer
from exchange.services.peers import list_peers
from exchange.services.peers.health import ChannelHealth, channels_health
from exchange.services.quarantine import waiting_by_peer
from exchange.stix.timestamps import format_taxii

COLUMNS = (
    *("peer", "kind", "state", "channel", "direction", "remote", "collection", "circuit", "watermark", "behind_s"),
    *("moved", "rate", "last_success", "failure"),
)


class Command(AnsweringCommand):
    help = "List the peers, their channels and how these are doing."

    def act(self, **_options: Any) -> Facts:
        channels = defaultdict(list)
        for each in channels_health():
            channels[each.peer].append(_channel(each))
        waiting = waiting_by_peer()
        return {"peers": [_peer(peer, channels[peer.lab.slug], waiting) for peer in list_peers()]}

    def show(self, facts: Facts, *, as_json: bool) -> None:
        """A row for each channel, and for each peer that has none."""
        if as_json:
            super().show(facts, as_json=True)
            return
        rows = []
        for peer in facts["peers"]:
            rows += [{**peer, **channel} for channel in peer["channels"] or [{}]]
        for line in table_lines(COLUMNS, rows):
            self.stdout.write(line)


def _peer(peer: Peer, channels: Sequence[Facts], waiting: Mapping[str, int]) -> Facts:
    return facts_of(peer) | {"quarantined": waiting.get(peer.lab.slug, 0), "channels": channels}


def _channel(channel: ChannelHealth) -> dict[str, Any]:
    success = channel.last_success
    return {
        "channel": channel.number,
        "direction": channel.direction,
        "remote": channel.remote_collection,
        "collection": channel.collection,
        "circuit": str(channel.circuit),
        "watermark": channel.watermark or None,
        "behind": channel.behind,
        "behind_s": round(channel.behind_s),
        "moved": channel.moved,
        "rate": round(channel.rate),
        "last_success": format_taxii(success) if success is not None else None,
        "next_attempt": format_taxii(channel.next_attempt),
        "failures": channel.failures,
        "failure": channel.last_failure or None,
    }
