"""Pulls from peers and pushes to them now, in the foreground, and tells of every page and envelope."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.management.tables import table_lines
from exchange.models import PeerChannel
from exchange.services.peers import find_peer
from exchange.services.peers.claims import ChannelClaim, claim_channels, claim_due_channels
from exchange.services.peers.health import ChannelHealth, channels_health
from exchange.services.receiving import PageReceipt
from exchange.sync.pulling.pull import Run, pull
from exchange.sync.pushing.push import PushRun, push

COLUMNS = ("peer", "channel", "direction", "collection", "pages", "objects", "moved", "seconds", "failure")
FOLLOW_EVERY_S = 1.0
BUSY_S = 5.0
"""How long a channel at which a worker is at work is waited for."""


class Command(AnsweringCommand):
    help = "Pull from peers and push to them now, whether the time of their channels has come or not. With --follow"
    help += " go on, as their intervals say, until it is interrupted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("peer", nargs="?", default="", help="one peer; all of them if it is left out")
        parser.add_argument("--follow", action="store_true", help="go on until it is interrupted")

    def act(self, **options: Any) -> Facts:
        if options["peer"]:
            find_peer(options["peer"])
        channels = {each.number: each for each in channels_health(options["peer"]) if each.state == "active"}
        if not channels:
            raise CommandError("there is no channel of an active peer; see add_channel")
        runs = [self._run(channels[claim.channel_id], claim) for claim in _claimed(list(channels))]
        while options["follow"]:
            try:
                self._follow(options["peer"])
            except KeyboardInterrupt:
                break
        return {"runs": runs}

    def show(self, facts: Facts, *, as_json: bool) -> None:
        """A row for each run."""
        if as_json:
            super().show(facts, as_json=True)
            return
        for line in table_lines(COLUMNS, facts["runs"]):
            self.stdout.write(line)

    def _follow(self, peer: str) -> None:
        while due := claim_due_channels(peer, most=1):
            channels = {each.number: each for each in channels_health(peer)}
            self._run(channels[due[0].channel_id], due[0])
        time.sleep(FOLLOW_EVERY_S)

    def _run(self, channel: ChannelHealth, claim: ChannelClaim) -> dict[str, Any]:
        run: Run | PushRun
        if claim.direction == PeerChannel.Direction.PULL:
            run = pull(claim, on_page=lambda receipt: self._tell(channel, receipt))
        else:
            run = push(claim, on_envelope=lambda taken, refused: self._tell_of_envelope(channel, taken, refused))
        if run.failure:
            self.stderr.write(f"{channel.peer} {channel.remote_collection}: {run.failure}")
        return _facts(channel, run)

    def _tell(self, channel: ChannelHealth, receipt: PageReceipt) -> None:
        """A line of progress for each page that held something; stdout is for the answer."""
        if receipt.received:
            told = f"{receipt.received} objects, {receipt.stored} stored, {receipt.quarantined} in quarantine"
            self.stderr.write(f"{channel.peer} {channel.remote_collection}: {told}")

    def _tell_of_envelope(self, channel: ChannelHealth, taken: int, refused: int) -> None:
        self.stderr.write(f"{channel.peer} {channel.remote_collection}: {taken} objects pushed, {refused} refused")


def _claimed(numbers: Sequence[int]) -> Iterator[ChannelClaim]:
    """A claim of each of these channels, one when the run before it is over; what a worker keeps for long is its."""
    left, until = set(numbers), time.monotonic() + BUSY_S
    while left and time.monotonic() < until:
        claims = claim_channels(sorted(left), most=1)
        for claim in claims:
            left.discard(claim.channel_id)
            yield claim
            until = time.monotonic() + BUSY_S
        if not claims:
            time.sleep(0.1)


def _facts(channel: ChannelHealth, run: Run | PushRun) -> dict[str, Any]:
    """pages: or envelopes. objects: that came, or were sent. moved: of these, those that were taken."""
    if isinstance(run, Run):
        counts = {"pages": run.pages, "objects": run.received, "moved": run.moved}
    else:
        tally = run.tally
        counts = {"pages": tally.envelopes, "objects": tally.moved + tally.refused, "moved": tally.moved}
    return {
        "peer": channel.peer,
        "channel": channel.number,
        "direction": channel.direction,
        "collection": channel.collection,
        **counts,
        "seconds": round(run.seconds, 3),
        "failure": run.failure or None,
    }
