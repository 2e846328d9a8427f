"""Suspends a lab; acts at the next request of everybody concerned."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.labs import suspend_lab
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Stop every token and person of a lab; its objects stay, shown as those of a suspended lab."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the lab")

    def act(self, **options: Any) -> Facts:
        lab = suspend_lab(actor=OPERATOR, slug=options["slug"])
        return {"lab": lab.slug, "status": str(lab.status), "since": lab.status_since.isoformat()}
