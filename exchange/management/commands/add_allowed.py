"""Puts networks on the list of those that are not to be blocked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from attribution.models import AllowedNetwork
from attribution.protection.allowing import NewAllowedNetwork, add_allowed_network, import_allowed_file
from attribution.protection.files import read_until
from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.principals import OPERATOR
from exchange.stix.timestamps import format_stix

TEXTS = ("title", "reason", "source", "until")


class Command(AnsweringCommand):
    help = "Mark matches on a network 'do not block' until a time. Adding it again sets its entry anew."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("net", nargs="?", help="an address, or a network as CIDR")
        what.add_argument("--file", type=Path, help="CSV with the columns net,title,reason,source,until")
        parser.add_argument("--title", help="whose it is, as answers show it")
        parser.add_argument("--reason", choices=AllowedNetwork.Reason.values)
        parser.add_argument("--source", help="where that can be looked up")
        parser.add_argument("--until", help="a date, 2027-01-31, or a time, 2027-01-31T12:00:00Z; two years at most")

    def act(self, **options: Any) -> Facts:
        given = [name for name in TEXTS if options[name] is not None]
        if options["file"] is not None:
            if given:
                raise CommandError(f"--{given[0]} goes with one network; a file says it for each")
            return _import(options["file"])
        if len(given) < len(TEXTS):
            missing = ", ".join(f"--{name}" for name in TEXTS if name not in given)
            raise CommandError(f"a network needs {missing} too")
        texts = {name: options[name] for name in ("net", "title", "reason", "source")}
        entry = NewAllowedNetwork(**texts, until=read_until(options["until"]))
        row = add_allowed_network(actor=OPERATOR, entry=entry)
        return {"net": str(row), "title": row.title, "reason": row.reason, "until": format_stix(row.expires_at)}


def _import(path: Path) -> Facts:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    report = import_allowed_file(actor=OPERATOR, raw=raw)
    return {"taken": report.taken, "refused": [f"line {number}: {text}" for number, text in report.refused]}
