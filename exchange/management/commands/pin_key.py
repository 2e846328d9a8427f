"""Pins a root key of a lab: the place where trust in its signatures starts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.keys import pin_key
from exchange.services.labs import find_lab
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Pin the thumbprint of a lab's root key, after comparing it with the lab over another channel."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lab")
        parser.add_argument("thumbprint", help="RFC 7638 thumbprint of the root key, 43 characters")

    def act(self, **options: Any) -> Facts:
        lab = find_lab(options["lab"])
        pin_key(actor=OPERATOR, lab=lab, thumbprint=options["thumbprint"])
        return {"lab": lab.slug, "pinned": options["thumbprint"]}
