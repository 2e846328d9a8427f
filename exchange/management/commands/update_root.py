"""Changes an API root."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts, short_name
from exchange.services.communities import update_root
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Change an API root; acts at the next request."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", type=short_name, help="first part of its addresses")
        parser.add_argument("--title")
        parser.add_argument("--description")
        parser.add_argument("--max-content-bytes", type=int, help="largest request body")

    def act(self, **options: Any) -> Facts:
        root = update_root(
            actor=OPERATOR,
            slug=options["slug"],
            title=options["title"],
            description=options["description"],
            max_content_bytes=options["max_content_bytes"],
        )
        return {"root": root.slug, "title": root.title, "max_content_bytes": root.max_content_bytes}
