"""Judges objects in quarantine again, as if they came from their peers now. Nothing unsound gets in by this."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.principals import OPERATOR
from exchange.services.quarantine import release_quarantined


class Command(AnsweringCommand):
    help = "Judge an object again, after a pin, a key or a setting changed. It is stored if it is sound by now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="as list_quarantined shows it")

    def act(self, **options: Any) -> Facts:
        release = release_quarantined(actor=OPERATOR, number=options["number"])
        facts: dict[str, Any] = {"number": options["number"], "taken": release.is_taken}
        return facts if release.is_taken else facts | {"reason": release.reason, "detail": release.detail}
