"""Judges objects in quarantine again, as if they came from their peers now. Nothing unsound gets in by this."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.models import Person
from exchange.services.keys import APPROVALS_NEEDED
from exchange.services.principals import OPERATOR
from exchange.services.quarantine import Release, override_quarantined, release_quarantined


class Command(AnsweringCommand):
    help = "Judge an object again, after a pin, a key or a setting changed. It is stored if it is sound by now."
    help += (
        " With --override two operators say that its id is rightly its producer's: what other labs have under it goes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="as list_quarantined shows it")
        parser.add_argument(
            "--override", metavar="OPERATOR", help="user name of the operator who asked whose the id is"
        )

    def act(self, **options: Any) -> Facts:
        number, username = options["number"], options["override"]
        if username is None:
            return _facts(number, release_quarantined(actor=OPERATOR, number=number))
        operator = Person.objects.filter(username=username).first()
        if operator is None:
            raise CommandError(f"there is no person {username}")
        override = override_quarantined(operator=operator, number=number)
        return _facts(number, override.release) | {"approvals": override.approvals, "needed": APPROVALS_NEEDED}


def _facts(number: int, release: Release) -> dict[str, Any]:
    facts: dict[str, Any] = {"number": number, "taken": release.is_taken}
    return facts if release.is_taken else facts | {"reason": release.reason, "detail": release.detail}
