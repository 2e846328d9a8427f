"""Creates somebody who signs in on the web with a password and a one-time code."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.models import Person
from exchange.services.labs import create_person, find_lab
from exchange.services.principals import OPERATOR

NO_LAB = "-"
PASSWORD_BYTES = 18


class Command(AnsweringCommand):
    help = "Create a person. Prints the one-time code secret, and the password unless it came from a file: once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lab", help=f"the lab, {NO_LAB} for an operator of the node")
        parser.add_argument("username", help="a handle, not a person's name")
        parser.add_argument("--role", required=True, choices=[str(role) for role in Person.Role.values])
        parser.add_argument("--password-file", type=Path, help="file with the password; without it one is made")

    def act(self, **options: Any) -> Facts:
        made = None if options["password_file"] else secrets.token_urlsafe(PASSWORD_BYTES)
        lab = None if options["lab"] == NO_LAB else find_lab(options["lab"])
        new = create_person(
            actor=OPERATOR,
            lab=lab,
            username=options["username"],
            role=options["role"],
            password=made or _read_password(options["password_file"], options["username"]),
        )
        facts = {"username": new.person.username, "lab": lab.slug if lab else None, "role": str(new.person.role)}
        facts |= {"identity": new.person.identity_id, "totp_secret": new.totp_secret}
        return facts | ({"password": made} if made else {})


def _read_password(path: Path, username: str) -> str:
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise CommandError(f"the password file {path} cannot be read") from None
    try:
        validate_password(password, Person(username=username))
    except ValidationError as error:
        raise CommandError(f"the password in {path} is too weak: {' '.join(error.messages)}") from None
    return password
