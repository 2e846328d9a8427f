"""Lists what peers are still to be told: versions that they refused, and deletions."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.management.tables import table_lines
from exchange.services.pushing import list_errands
from exchange.stix.timestamps import format_taxii

COLUMNS = ("number", "peer", "collection", "kind", "object", "tries", "next", "reason")


class Command(AnsweringCommand):
    help = "List versions that push peers refused, and deletions that they are to be told. Without a next attempt, an"
    help += " errand is parked: see retry_errands and drop_errand."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("peer", nargs="?", default="", help="one peer; all of them if it is left out")

    def act(self, **options: Any) -> Facts:
        return {
            "errands": [
                {
                    "number": each.pk,
                    "peer": each.channel.peer.lab.slug,
                    "collection": each.channel.remote_collection,
                    "kind": each.kind,
                    "object": each.stix_id,
                    "tries": each.tries,
                    "next": format_taxii(each.next_attempt_at) if each.next_attempt_at else None,
                    "reason": each.reason,
                }
                for each in list_errands(options["peer"])
            ]
        }

    def show(self, facts: Facts, *, as_json: bool) -> None:
        """A row for each errand."""
        if as_json:
            super().show(facts, as_json=True)
            return
        for line in table_lines(COLUMNS, facts["errands"]):
            self.stdout.write(line)
