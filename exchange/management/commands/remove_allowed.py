"""Takes a network off the list of those that are not to be blocked."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from attribution.protection.allowing import remove_allowed_network
from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Mark matches on a network no longer. It acts at the next question."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("net", help="as list_allowed shows it")

    def act(self, **options: Any) -> Facts:
        return {"net": remove_allowed_network(actor=OPERATOR, net=options["net"]), "removed": True}
