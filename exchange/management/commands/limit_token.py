"""Gives a token rate limits of its own; acts at its next request."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.principals import OPERATOR
from exchange.services.tokens import set_token_rates


class Command(AnsweringCommand):
    help = "Set the rate limits of a token; without --rates it has those of the node again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prefix", help="the public part of the token, cwt_ and eight characters")
        parser.add_argument("--rates", default="", help="such as read=500/s:5000,publish=4096/s:65536")

    def act(self, **options: Any) -> Facts:
        token = set_token_rates(actor=OPERATOR, prefix=options["prefix"], rates=options["rates"])
        return {"prefix": token.prefix, "bounds": token.bounds}
