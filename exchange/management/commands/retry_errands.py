"""Has errands of push peers tried at once, parked ones too."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.peers import find_peer
from exchange.services.principals import OPERATOR
from exchange.services.pushing import retry_errands


class Command(AnsweringCommand):
    help = "Try again what a push peer refused, and deletions that it did not do, at the next look."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("peer", help="all errands of this peer")
        parser.add_argument("--number", type=int, default=0, help="one errand, as list_errands shows it")

    def act(self, **options: Any) -> Facts:
        find_peer(options["peer"])
        return {"retried": retry_errands(actor=OPERATOR, slug=options["peer"], number=options["number"])}
