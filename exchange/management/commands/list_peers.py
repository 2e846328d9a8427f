"""Lists the peers with their channels, as a table."""

from __future__ import annotations

from typing import Any

from exchange.management.answering import AnsweringCommand, Facts
from exchange.management.peering import facts_of
from exchange.management.tables import table_lines
from exchange.models import Peer, PeerChannel
from exchange.services.peers import list_peers
from exchange.stix.timestamps import format_taxii

COLUMNS = ("peer", "kind", "state", "channel", "direction", "remote", "collection", "moved", "last_success", "failure")


class Command(AnsweringCommand):
    help = "List the peers and their channels."

    def act(self, **_options: Any) -> Facts:
        return {"peers": [facts_of(peer) | {"channels": _channels(peer)} for peer in list_peers()]}

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


def _channels(peer: Peer) -> list[dict[str, Any]]:
    return [_channel(each) for each in sorted(peer.channels.all(), key=lambda channel: channel.pk)]


def _channel(channel: PeerChannel) -> dict[str, Any]:
    success = channel.last_success_at
    return {
        "channel": channel.pk,
        "direction": str(channel.direction),
        "remote": channel.remote_collection,
        "collection": channel.collection.alias,
        "interval_s": channel.interval_s,
        "moved": channel.moved,
        "last_success": format_taxii(success) if success is not None else None,
        "failures": channel.failures,
        "failure": channel.last_failure or None,
    }
