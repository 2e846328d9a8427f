"""Hosts that the node may reach although they are not public: for webhooks within one's own network."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.outbound import allow_host, disallow_host, list_allowed_hosts
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Let the node reach a host by name, wherever it leads and by plain http too. Without HOST: list them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("host", nargs="?", help="a name, or an address, as it stands in the URL")
        parser.add_argument("--remove", action="store_true", help="take it back")

    def act(self, **options: Any) -> Facts:
        host = options["host"]
        if host is None:
            if options["remove"]:
                raise CommandError("--remove needs a host")
            return {"allowed": list_allowed_hosts()}
        change = disallow_host if options["remove"] else allow_host
        name = change(actor=OPERATOR, host=host)
        return {"host": name, "allowed": list_allowed_hosts()}
