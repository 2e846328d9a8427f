"""The form of every management command of this project: facts on stdout, one-line errors, --json for programs.

A command says what it does in `act`; what it may print of secrets is printed once, here, and goes to no log.
"""

from __future__ import annotations

import json
import re
from argparse import ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from exchange.environment import EnvironmentValueError
from exchange.models import Lab
from exchange.services.errors import ExchangeError
from exchange.stix.errors import StixError

Facts = Mapping[str, Any]
SHORT_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
"""What stands in addresses and files: SlugField of the models, lower case only."""


def short_name(text: str) -> str:
    """An argument that names something in addresses. Raises: ArgumentTypeError."""
    if not SHORT_NAME.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is not 1 to 64 of a-z, 0-9 and -, beginning with no -")
    return text


class AnsweringCommand(BaseCommand):
    """A command that answers with facts: `name: value` lines, or one JSON object with --json."""

    requires_node = True
    """Whether the command makes sense only after init_node."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # No abbreviations: a secret after a flag that looks like another would come back in an error.
        parser = super().create_parser(prog_name, subcommand, allow_abbrev=False, **kwargs)
        parser.add_argument("--json", action="store_true", help="answer with one JSON object")
        return parser

    def act(self, **options: Any) -> Facts:
        """Do what the command is for. Raises: ExchangeError, StixError."""
        raise NotImplementedError

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            if self.requires_node and not Lab.objects.filter(is_self=True).exists():
                raise CommandError("this node has not been set up yet: run manage.py init_node")
            facts = self.act(**options)
        except ExchangeError as error:
            raise CommandError(_with_place(error.detail, error.pointer)) from None
        except StixError as error:
            raise CommandError(_with_place(error.message, error.pointer)) from None
        except EnvironmentValueError as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            # The first line alone: the next ones quote the statement.
            raise CommandError(f"the database refused: {str(error).strip().splitlines()[0]}") from None
        self.show(facts, as_json=options["json"])

    def show(self, facts: Facts, *, as_json: bool) -> None:
        """Print the answer."""
        if as_json:
            self.stdout.write(json.dumps(facts))
            return
        for name, value in facts.items():
            self.stdout.write(f"{name.replace('_', ' ')}: {_as_text(value)}")


def _with_place(text: str, pointer: str) -> str:
    return f"{text} (at {pointer})" if pointer else text


def _as_text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
