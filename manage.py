#!/usr/bin/env python3
"""Entry point of the management commands. Without DATABASE_URL they run on the embedded stack in DATA_DIR."""

import os
import sys

from exchange.management.embedded import run


def execute(argv: list[str]) -> None:
    """Hand over to Django; imported late, because importing settings reads the environment."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(argv)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.settings")
    sys.exit(run(sys.argv, execute))
