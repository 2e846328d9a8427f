"""Admits a lab. Its keys are pinned by pin_key, its identity arrives by the lab's own publication."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts, short_name
from exchange.services.labs import create_lab
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Admit a lab, with read and write grants on the home collections of the agreement."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", type=short_name, help="short name: lower-case letters, digits and -")
        parser.add_argument("--name", required=True, help="name that other labs see")
        parser.add_argument("--contact", default="", help="how the operator reaches the lab")

    def act(self, **options: Any) -> Facts:
        lab = create_lab(actor=OPERATOR, slug=options["slug"], name=options["name"], contact=options["contact"])
        return {"lab": lab.slug, "name": lab.name, "status": str(lab.status)}
