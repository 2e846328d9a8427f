"""What publishing answers for each object."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from exchange.services.errors import ExchangeError
from exchange.stix.errors import StixError


class OutcomeStatus(StrEnum):
    """`valid` is the answer of a dry run to what would be stored, and of `check_drafts` to what would be if signed."""

    STORED = "stored"
    EXISTS = "exists"
    HELD = "held"
    VALID = "valid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the object at `index` of the request.

    `id` and `version` are None where the bytes do not say. `error` is set exactly when it failed.
    `warnings` are triples of code, JSON pointer and message. `body` are the bytes at the end of the way: signed, where
    the exchange signed them.
    """

    index: int
    id: str | None
    version: str | None
    status: OutcomeStatus
    error: ExchangeError | StixError | None = None
    warnings: tuple[tuple[str, str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
