"""Refusals that only a door makes, because they are about HTTP and not about intelligence.

They belong to the exchange's error tree so that each door turns all refusals into answers by one table.
"""

from __future__ import annotations

from exchange.services.errors import ExchangeError


class NotAcceptableError(ExchangeError):
    """The client takes no media type that the address has."""

    default_code = "not-acceptable"


class UnsupportedMediaTypeError(ExchangeError):
    """A body of a media type or a content coding that the address does not take."""

    default_code = "unsupported-media-type"


class MethodNotAllowedError(ExchangeError):
    """`allowed` is the value of the Allow header: what the address does take."""

    default_code = "method-not-allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this address takes {allowed}")
        self.allowed = allowed
