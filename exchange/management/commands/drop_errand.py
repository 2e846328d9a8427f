"""Gives an errand of a push peer up."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.principals import OPERATOR
from exchange.services.pushing import drop_errand


class Command(AnsweringCommand):
    help = "Give an errand up: the peer goes without that version, or keeps what it was to delete."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="as list_errands shows it")

    def act(self, **options: Any) -> Facts:
        drop_errand(actor=OPERATOR, number=options["number"])
        return {"number": options["number"], "dropped": True}
