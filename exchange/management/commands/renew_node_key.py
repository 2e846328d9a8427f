"""Gives the node another signing key, introduced by its root key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.node import renew_node_key
from exchange.stix.keys import SigningKey


class Command(AnsweringCommand):
    help = "Renew the node's signing key before it ends. Needs the root key for a moment; take it offline again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--root-key-file", type=Path, required=True, help="the node's root key, as init_node wrote it"
        )

    def act(self, **options: Any) -> Facts:
        try:
            text = options["root_key_file"].read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise CommandError(f"the root key file {options['root_key_file']} cannot be read") from None
        return {"signing_kid": renew_node_key(root_key=SigningKey.from_text(text))}
