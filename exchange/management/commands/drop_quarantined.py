"""Gives up an object in quarantine; its bytes are removed and not kept again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.principals import OPERATOR
from exchange.services.quarantine import drop_quarantined


class Command(AnsweringCommand):
    help = "Remove an object from quarantine. The same bytes from the same peer are not kept again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="as list_quarantined shows it")

    def act(self, **options: Any) -> Facts:
        drop_quarantined(actor=OPERATOR, number=options["number"])
        return {"number": options["number"], "dropped": True}
