"""One run of a push channel: deletions, what was refused before, and then what is new, until nothing is left.

Deletions come before anything that is sent, so that they end nothing that was published again after them. The network
is asked outside of transactions; what a worker that was killed may have sent is sent again (services/pushing).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from exchange.models import PeerChannel, PeerErrand
from exchange.services.errors import NotFoundError
from exchange.services.peers import find_channel
from exchange.services.peers.claims import ChannelClaim
from exchange.services.peers.health import settle_run
from exchange.services.pushing import Errand, due_errands, has_deletions, next_outgoing, settle_errand
from exchange.sync.peers import Limits, PeerError, PeerFault, RemoteRoot
from exchange.sync.pushing.sending import Sender, Tally
from exchange.sync.pushing.verdicts import refused_of
from exchange.sync.reaching import access_of
from exchange.sync.running import keep_claim, settled

LIMITS: Final = Limits(deadline_s=60.0)
"""Short enough for the claim to outlast a request (services/peers/claims.py)."""

MAX_ENVELOPES: Final = 100
"""In one run; then other channels of the peer have their turn."""

PENDING_PAUSE_S: Final = 10.0
"""Until a status is asked for again that was not final at the end of a run."""

OnEnvelope = Callable[[int, int], None]

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class PushRun:
    """What a run came to. failure: a code, "" if it went well."""

    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    failure: str = ""


def push(
    claim: ChannelClaim, *, on_envelope: OnEnvelope = lambda _taken, _refused: None, limits: Limits = LIMITS
) -> PushRun:
    """Push what is new through a claimed channel, and note how it went; the claim is given back.

    on_envelope: told how many objects of each envelope were taken and refused.
    """
    run, began = PushRun(), time.monotonic()
    try:
        channel = find_channel(claim.channel_id)
    except NotFoundError:
        return run
    with settled(claim, run):
        with RemoteRoot(access_of(channel.peer), limits=limits) as root:
            _drain(channel, Sender(root, claim, run.tally, on_envelope))
        run.seconds = time.monotonic() - began
        pause_s = PENDING_PAUSE_S if run.tally.is_pending else None
        settle_run(claim, moved=run.tally.moved, seconds=run.seconds, more=run.tally.more, pause_s=pause_s)
    run.seconds = time.monotonic() - began
    logger.info(
        "push peer=%s channel=%d envelopes=%d moved=%d refused=%d deleted=%d seconds=%.3f more=%s failure=%s",
        channel.peer.lab.slug,
        channel.pk,
        run.tally.envelopes,
        run.tally.moved,
        run.tally.refused,
        run.tally.deleted,
        run.seconds,
        run.tally.more,
        run.failure or "none",
    )
    return run


def _drain(channel: PeerChannel, sender: Sender) -> None:
    tally = sender.tally
    _delete(channel, sender)
    _post_refused_again(channel, sender)
    while tally.more and not tally.is_pending and tally.envelopes < MAX_ENVELOPES:
        keep_claim(sender.claim)
        current = find_channel(channel.pk)
        if current.pending_status:
            sender.follow_up(current)
            continue
        ready = next_outgoing(current)
        # Looked for after reading: what was published again after a deletion is not sent before it.
        if has_deletions(channel.pk):
            _delete(channel, sender)
            continue
        sender.send(current, ready)


def _delete(channel: PeerChannel, sender: Sender) -> None:
    while errands := due_errands(channel, PeerErrand.Kind.DELETE):
        for errand in errands:
            keep_claim(sender.claim)
            try:
                sender.root.delete(channel.remote_collection, errand.stix_id, version="all")
            except PeerError as error:
                # Not found: the peer never had it, or an attempt whose answer was lost has done it.
                if error.fault is not PeerFault.NOT_FOUND:
                    _fail_deletion(channel, errand, error)
                    continue
            settle_errand(errand)
            sender.tally.deleted += 1


def _fail_deletion(channel: PeerChannel, errand: Errand, error: PeerError) -> None:
    """Park what the peer will not do. Raises: PeerError: the same, if it may well do it later."""
    is_final = error.fault in (PeerFault.REFUSED, PeerFault.REJECTED) or error.status == HTTPStatus.NOT_IMPLEMENTED
    if is_final or error.fault is PeerFault.SERVER_ERROR:
        settle_errand(errand, reason=error.detail, is_final=is_final)
    logger.warning("push channel=%d deletion failed code=%s parked=%s", channel.pk, error.code, is_final)
    if not is_final:
        raise error


def _post_refused_again(channel: PeerChannel, sender: Sender) -> None:
    for errand in due_errands(channel, PeerErrand.Kind.POST):
        if errand.outgoing is None:
            continue
        keep_claim(sender.claim)
        try:
            final = sender.final(sender.post(channel, [errand.outgoing]))
        except PeerError as error:
            if error.fault not in (PeerFault.TOO_LARGE, PeerFault.REJECTED, PeerFault.SERVER_ERROR):
                raise
            settle_errand(errand, reason=error.detail)
            continue
        if final is None:
            settle_errand(errand, reason="the peer has not decided yet")
            continue
        refused = sender.not_there(channel, refused_of(final, [errand.outgoing]))
        settle_errand(errand, reason=refused[0][1] if refused else "")
        sender.tally.moved += not refused
