"""What every run of a channel has around it: its trouble is noted, and its claim given back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from exchange.services.errors import ExchangeError
from exchange.services.peers.claims import ChannelClaim, release_channel, renew_claim
from exchange.services.peers.health import settle_trouble
from exchange.sync.peers import PeerError

logger = logging.getLogger(__name__)


class ClaimOverError(ExchangeError):
    """The worker may not go on with the channel."""

    default_code = "claim-over"


class Run(Protocol):
    """What a run came to. failure: a code, "" if it went well."""

    failure: str


def keep_claim(claim: ChannelClaim) -> None:
    """Keep the channel for the next step. Raises: ClaimOverError."""
    if not renew_claim(claim):
        raise ClaimOverError("the channel is another worker's, or its peer was stopped")


@contextmanager
def settled(claim: ChannelClaim, run: Run) -> Iterator[None]:
    """Around a run of a claimed channel, which ends with `settle_run` where it goes well.

    Settling, either way, gives back the claim.
    """
    try:
        yield
    except ClaimOverError as error:
        run.failure = error.code  # whoever has the channel now says how it is doing
        release_channel(claim)  # unless it is only that the peer was stopped
    except PeerError as error:
        run.failure = error.code
        settle_trouble(claim, code=error.code, retry_after_s=error.retry_after_s)
    except ExchangeError as error:
        run.failure = error.code
        settle_trouble(claim, code=error.code)
    except Exception as error:  # noqa: BLE001 - a fault of ours must not be run into again at once, and for ever
        logger.error("run channel=%d fault=%s", claim.channel_id, type(error).__name__)
        run.failure = "internal"
        settle_trouble(claim, code=run.failure)
