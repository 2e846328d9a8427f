"""Refusals of the issuer, for the doors' tables."""

from __future__ import annotations

from exchange.services.errors import ConflictError, InvalidRequestError, RateLimitedError


class EpochError(ConflictError):
    """The epoch is unknown here, or has ended."""

    default_code = "selector-epoch"


class ElementRefusedError(InvalidRequestError):
    """One of the blinded values is no element of the group; the pointer says which."""

    default_code = "blinded-element"


class BudgetSpentError(RateLimitedError):
    """More evaluations than are left to the lab today."""

    default_code = "evaluation-budget"
