"""Refusals of onward sharing, for the doors' tables."""

from __future__ import annotations

from exchange.services.errors import AccessDeniedError, ConflictError, NotFoundError, PolicyError, RateLimitedError


class RequestNotFoundError(NotFoundError):
    """No such request, or neither its asker nor its producer asks."""

    default_code = "onward-not-found"


class OtherPartyError(AccessDeniedError):
    """The other party of the request may do this, and not this one."""

    default_code = "onward-other-party"


class SettledError(ConflictError):
    """The request is over: granted, refused, expired or withdrawn."""

    default_code = "onward-settled"


class AskedBeforeError(ConflictError):
    """The producer refused the same a short while ago."""

    default_code = "onward-refused-before"


class NotShareableError(PolicyError):
    """Nobody can let anybody see this object by a request: of its kind, its label, its state or its place."""

    default_code = "onward-not-shareable"


class ElsewhereError(PolicyError):
    """The object was published at another exchange; its producer is asked there."""

    default_code = "onward-elsewhere"


class RequestLimitError(RateLimitedError):
    """The lab asked as often as a lab may in one period."""

    default_code = "onward-limit"
