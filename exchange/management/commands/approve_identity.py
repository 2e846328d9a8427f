"""Gives one operator's word for an identity version outside its chain; it takes two."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.models import Person
from exchange.services.keys import APPROVALS_NEEDED, approve_identity
from exchange.services.labs import find_lab


class Command(AnsweringCommand):
    help = "Approve an identity version that does not follow from its chain. Two operators approve; then the lab"
    help += " publishes it again. The audit log names the digest (identity-refused)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lab")
        parser.add_argument("payload_sha256", help="SHA-256 of the refused version's payload, in hexadecimal")
        parser.add_argument("--operator", required=True, help="user name of the operator who compared it")

    def act(self, **options: Any) -> Facts:
        operator = Person.objects.filter(username=options["operator"]).first()
        if operator is None:
            raise CommandError(f"there is no person {options['operator']}")
        lab = find_lab(options["lab"])
        approvals = approve_identity(operator=operator, lab=lab, payload_sha256=options["payload_sha256"])
        return {"lab": lab.slug, "approvals": approvals, "needed": APPROVALS_NEEDED}
