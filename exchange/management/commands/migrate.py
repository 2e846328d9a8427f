"""Django's migrate, run as the owner of the tables, and the plain role's privileges after it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import connections

from exchange.models.privileges import grant_privileges

OWNER = "owner"


class Command(MigrateCommand):
    """Migrates through DATABASE_OWNER_URL: the role of DATABASE_URL may not create tables."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database=OWNER)

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options["database"] == OWNER and not options.get("plan") and not options.get("check_unapplied"):
            grant_privileges(connections[OWNER], str(settings.DATABASES["default"]["USER"]))
