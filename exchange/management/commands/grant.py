"""Sets what a lab or a peer may do with a collection; acts at the next request."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.models import Grant
from exchange.services.collections import DEFAULT_ROOT, grant_access
from exchange.services.communities import collection_named
from exchange.services.errors import InvalidRequestError
from exchange.services.labs import find_reader
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Let a lab or a peer read or write a collection, or no longer; what is not said stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("alias", help="the collection")
        parser.add_argument("lab", help="its name, or that of a peer")
        parser.add_argument("--root", default=DEFAULT_ROOT)
        parser.add_argument("--read", action=BooleanOptionalAction, default=None)
        parser.add_argument("--write", action=BooleanOptionalAction, default=None)

    def act(self, **options: Any) -> Facts:
        collection = collection_named(options["alias"], api_root=options["root"])
        lab = find_reader(options["lab"])
        if options["read"] is None and options["write"] is None:
            raise InvalidRequestError("say --read, --no-read, --write or --no-write")
        if collection.is_view:
            raise InvalidRequestError("a view needs no grants: it shows what its reader may read elsewhere")
        known = Grant.objects.filter(collection=collection, lab=lab).first()
        reads = options["read"] if options["read"] is not None else known is not None and known.can_read
        writes = options["write"] if options["write"] is not None else known is not None and known.can_write
        grant_access(actor=OPERATOR, collection=collection, lab=lab, can_read=reads, can_write=writes)
        return {
            "collection": collection.alias,
            "root": options["root"],
            "lab": lab.slug,
            "read": reads,
            "write": writes,
        }
