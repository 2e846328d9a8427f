"""Refusals that only a door makes, because they are about HTTP and not about intelligence.

They belong to the exchange's error tree so that each door turns all refusals into answers by one table.
"""

from __future__ import annotations

from typing import Final

import psycopg
from django.db import InterfaceError, OperationalError

from exchange.services.errors import ExchangeError, InvalidRequestError, NotReadyError

DATABASE_AWAY: Final = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
"""What a database that went away raises, through Django and beside it. The request may come again later."""


def database_away() -> NotReadyError:
    """The refusal that stands for one of `DATABASE_AWAY`; what the driver said is for the log alone."""
    return NotReadyError("the database does not answer; try again", code="database-away")


class NotAcceptableError(ExchangeError):
    """The client takes no media type that the address has."""

    default_code = "not-acceptable"


class UnsupportedMediaTypeError(ExchangeError):
    """A body of a media type or a content coding that the address does not take."""

    default_code = "unsupported-media-type"


class SlowBodyError(InvalidRequestError):
    """A body that did not arrive in time."""

    default_code = "body-too-slow"


class MethodNotAllowedError(ExchangeError):
    """`allowed` is the value of the Allow header: what the address does take."""

    default_code = "method-not-allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"this address takes {allowed}")
        self.allowed = allowed


class TooManyStreamsError(ExchangeError):
    """The lab follows by as many streams as it may at once."""

    default_code = "too-many-streams"
