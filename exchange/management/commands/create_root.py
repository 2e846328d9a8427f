"""Makes an API root: one community."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts, short_name
from exchange.models.collection import DEFAULT_MAX_CONTENT_BYTES
from exchange.services.communities import create_root
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Create an API root, known to the labs that may use something in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", type=short_name, help="first part of its addresses")
        parser.add_argument("--title", required=True)
        parser.add_argument("--description", default="")
        parser.add_argument(
            "--max-content-bytes", type=int, default=DEFAULT_MAX_CONTENT_BYTES, help="largest request body"
        )
        parser.add_argument("--with-collections", action="store_true", help="make the default collections in it")

    def act(self, **options: Any) -> Facts:
        root = create_root(
            actor=OPERATOR,
            slug=options["slug"],
            title=options["title"],
            description=options["description"],
            max_content_bytes=options["max_content_bytes"],
            with_collections=options["with_collections"],
        )
        return {"root": root.slug, "title": root.title, "max_content_bytes": root.max_content_bytes}
