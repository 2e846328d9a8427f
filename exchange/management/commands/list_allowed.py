"""Lists the networks that are not to be blocked."""

from __future__ import annotations

from typing import Any

from attribution.models import AllowedNetwork
from attribution.protection.allowing import list_allowed_networks
from exchange.management.answering import AnsweringCommand, Facts
from exchange.management.tables import table_lines
from exchange.services.clock import now
from exchange.stix.timestamps import format_stix

COLUMNS = ("net", "title", "reason", "until", "state", "source", "added_by")


class Command(AnsweringCommand):
    help = "List the networks that are not to be blocked, those whose entry has expired too."

    def act(self, **_options: Any) -> Facts:
        moment = now()
        return {
            "networks": [
                _facts_of(row) | {"state": "expired" if row.expires_at <= moment else "counts"}
                for row in list_allowed_networks()
            ]
        }

    def show(self, facts: Facts, *, as_json: bool) -> None:
        """A row for each."""
        if as_json:
            super().show(facts, as_json=True)
            return
        for line in table_lines(COLUMNS, facts["networks"]):
            self.stdout.write(line)


def _facts_of(row: AllowedNetwork) -> dict[str, Any]:
    return {
        "net": str(row),
        "title": row.title,
        "reason": row.reason,
        "until": format_stix(row.expires_at),
        "source": row.source,
        "added_by": row.added_by,
    }
