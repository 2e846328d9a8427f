"""Changes a collection; acts at the next request."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.collections import DEFAULT_ROOT
from exchange.services.communities import collection_named, update_collection
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp


class Command(AnsweringCommand):
    help = "Change a collection; what is not said stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("alias", help="the collection")
        parser.add_argument("--root", default=DEFAULT_ROOT, help="the API root that it stands in")
        parser.add_argument("--title")
        parser.add_argument("--description")
        parser.add_argument("--floor", help="the loosest label that it takes from now on")
        parser.add_argument("--page-limit", type=int, help="most objects in a page")
        parser.add_argument("--max-object-bytes", type=int, help="largest object that it takes from now on")
        parser.add_argument("--retention-days", type=int, help="days until an object leaves; 0: never")
        parser.add_argument("--public", action=BooleanOptionalAction, default=None)

    def act(self, **options: Any) -> Facts:
        changed = update_collection(
            actor=OPERATOR,
            collection=collection_named(options["alias"], api_root=options["root"]),
            title=options["title"],
            description=options["description"],
            floor=None if options["floor"] is None else Tlp.parse(options["floor"]),
            public=options["public"],
            page_limit=options["page_limit"],
            max_object_bytes=options["max_object_bytes"],
            retention_days=options["retention_days"],
        )
        facts: dict[str, Any] = {"collection": changed.alias, "root": options["root"], "title": changed.title}
        facts |= {"floor": Tlp(changed.floor).label, "public": changed.public, "page_limit": changed.page_limit}
        return facts | {"max_object_bytes": changed.max_object_bytes, "retention_days": changed.retention_days}
