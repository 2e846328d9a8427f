"""Makes a collection with its grants."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts, short_name
from exchange.models import Collection
from exchange.services.collections import DEFAULT_ROOT, create_collection
from exchange.services.labs import find_lab
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp


class Command(AnsweringCommand):
    help = "Create a collection."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("alias", type=short_name, help="name in addresses: lower-case letters, digits and -")
        parser.add_argument("--title", required=True)
        parser.add_argument("--root", default=DEFAULT_ROOT, help="the API root that it stands in, for good")
        parser.add_argument("--view", action="store_true", help="a read-only view of all others of its root")
        parser.add_argument("--scope", choices=[str(scope) for scope in Collection.Scope.values], default="agreement")
        parser.add_argument("--floor", default="CLEAR", help="the loosest label that it takes")
        parser.add_argument("--read", nargs="*", default=[], metavar="LAB", help="labs that read it")
        parser.add_argument("--write", nargs="*", default=[], metavar="LAB", help="labs that publish in it")
        parser.add_argument("--public", action="store_true", help="what is TLP:CLEAR in it is for everybody")

    def act(self, **options: Any) -> Facts:
        collection = create_collection(
            actor=OPERATOR,
            alias=options["alias"],
            title=options["title"],
            api_root=options["root"],
            is_view=options["view"],
            scope=options["scope"],
            floor=Tlp.parse(options["floor"]),
            public=options["public"],
            readers=[find_lab(slug) for slug in options["read"]],
            writers=[find_lab(slug) for slug in options["write"]],
        )
        facts: dict[str, Any] = {
            "collection": collection.alias,
            "root": options["root"],
            "id": str(collection.public_id),
            "scope": str(collection.scope),
        }
        facts |= {"floor": Tlp(collection.floor).label, "public": collection.public}
        return facts | {"read": options["read"], "write": options["write"]}
