"""Begins an epoch of the issuer of selectors, ahead of the monthly task."""

from __future__ import annotations

from typing import Any

from attribution.issuing.epochs import begin_epoch
from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Begin the next epoch of the issuer of selectors now: on the first day, or when its key may be known."
    help += " The epoch before is accepted for 30 days more."

    def act(self, **_options: Any) -> Facts:
        row = begin_epoch(actor=OPERATOR)
        return {"epoch": row.epoch, "public_key": bytes(row.public_key).hex()}
