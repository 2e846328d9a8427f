"""Makes a signing key that this node holds for a lab, and prints its public part."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.clock import now
from exchange.services.held_keys import create_exchange_key, public_part
from exchange.services.labs import find_lab
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Make a signing key that the exchange holds for a lab, sealed at rest. The output is its public JWK: the lab"
    help += (
        " puts it into its identity (commonwatch keygen --exchange-key FILE), and countersign_identity completes that."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lab")

    def act(self, **options: Any) -> Facts:
        key = create_exchange_key(actor=OPERATOR, lab=find_lab(options["lab"]))
        return public_part(key, now()).to_jwk()

    def show(self, facts: Facts, *, as_json: bool) -> None:
        self.stdout.write(json.dumps(facts, indent=None if as_json else 1))
