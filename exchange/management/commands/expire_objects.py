"""Removes what is older than its collection keeps, as the hourly task does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.deletion import count_due, expire_objects


class Command(AnsweringCommand):
    help = "Remove objects that are older than their collection's retention."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count them, remove nothing")

    def act(self, **options: Any) -> Facts:
        due = count_due()
        return {"due": due, "expired": 0 if options["dry_run"] else expire_objects()}
