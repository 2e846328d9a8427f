"""Adds the exchange's proof that it holds the key which a lab's identity introduces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.held_keys import countersign_identity
from exchange.services.labs import find_lab
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Complete a lab's identity that introduces a key held by this node. The lab publishes the result."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lab")
        parser.add_argument("draft", type=Path, help="the identity, signed by the lab's root key")
        parser.add_argument("--to", type=Path, required=True, help="new file for the finished identity")

    def act(self, **options: Any) -> Facts:
        lab = find_lab(options["lab"])
        try:
            draft = options["draft"].read_bytes().strip()
        except OSError as error:
            raise CommandError(f"the draft {options['draft']} cannot be read: {error.strerror}") from None
        finished = countersign_identity(actor=OPERATOR, lab=lab, draft=draft)
        try:
            with options["to"].open("xb") as file:
                file.write(finished + b"\n")
        except OSError as error:
            raise CommandError(f"{options['to']} cannot be written: {error.strerror}") from None
        return {"lab": lab.slug, "identity": str(options["to"])}
