"""Lists what peers sent and the node did not take."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.management.tables import table_lines
from exchange.models import QuarantinedObject
from exchange.services.principals import OPERATOR
from exchange.services.quarantine import list_quarantined, show_quarantined
from exchange.stix.timestamps import format_taxii

COLUMNS = ("number", "peer", "reason", "object", "creator", "received", "state", "detail")


class Command(AnsweringCommand):
    help = "List what is in quarantine, or show one object with its bytes. What an object says of itself is a claim."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--peer", default="", help="of this peer alone")
        parser.add_argument("--reason", default="", help="for this reason alone")
        states = [str(state) for state in QuarantinedObject.State.values]
        parser.add_argument("--state", default="waiting", choices=[*states, "any"])
        parser.add_argument("--after", type=int, default=0, help="numbers beyond this one")
        parser.add_argument("--limit", type=int, default=100)
        parser.add_argument("--show", type=int, metavar="NUMBER", help="one object, with its bytes")

    def act(self, **options: Any) -> Facts:
        if options["show"] is not None:
            found = show_quarantined(actor=OPERATOR, number=options["show"])
            return _facts(found) | {"body": bytes(found.body).decode("utf-8", "backslashreplace")}
        rows = list_quarantined(
            peer=options["peer"],
            reason=options["reason"],
            state="" if options["state"] == "any" else options["state"],
            after=options["after"],
            limit=options["limit"],
        )
        return {"quarantined": [_facts(row) for row in rows]}

    def show(self, facts: Facts, *, as_json: bool) -> None:
        """A table of the list; one object as every command shows its facts."""
        if as_json or "quarantined" not in facts:
            super().show(facts, as_json=as_json)
            return
        for line in table_lines(COLUMNS, facts["quarantined"]):
            self.stdout.write(line)


def _facts(row: QuarantinedObject) -> dict[str, Any]:
    return {
        "number": row.pk,
        "peer": row.peer.lab.slug,
        "collection": row.collection.alias,
        "reason": row.reason,
        "detail": row.detail,
        "object": row.stix_id or None,
        "version": row.version_text or None,
        "creator": row.creator or None,
        "kid": row.kid or None,
        "received": format_taxii(row.received_at),
        "state": str(row.state),
    }
