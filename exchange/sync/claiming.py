"""What ends a run that has lost its channel."""

from __future__ import annotations

from exchange.services.errors import ExchangeError


class ClaimOverError(ExchangeError):
    """The worker may not go on with the channel."""

    default_code = "claim-over"
