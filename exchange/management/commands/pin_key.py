"""Pins a root key of a lab: the place where trust in its signatures starts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.keys import pin_key
from exchange.services.labs import find_lab
from exchange.services.principals import OPERATOR
from exchange.services.receiving import offer_waiting
from exchange.stix.keys import is_thumbprint


class Command(AnsweringCommand):
    help = "Pin the thumbprint of a lab's root key, after comparing it with the lab over another channel."

    def run_from_argv(self, argv: list[str]) -> None:
        super().run_from_argv(_with_dashed_thumbprints_last(argv))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lab")
        parser.add_argument("thumbprint", help="RFC 7638 thumbprint of the root key, 43 characters")

    def act(self, **options: Any) -> Facts:
        lab = find_lab(options["lab"])
        pin_key(actor=OPERATOR, lab=lab, thumbprint=options["thumbprint"])
        offer_waiting()
        return {"lab": lab.slug, "pinned": options["thumbprint"]}


def _with_dashed_thumbprints_last(argv: list[str]) -> list[str]:
    """One thumbprint in 64 begins with "-", and would be taken for an option: such words go behind "--"."""
    dashed = [word for word in argv if word.startswith("-") and is_thumbprint(word)]
    others = [word for word in argv if word not in dashed]
    return [*others, "--", *dashed] if dashed and "--" not in argv else argv
