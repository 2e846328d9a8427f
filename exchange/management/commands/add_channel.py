"""Adds a channel to a peer: one collection there and one here, pulled from the peer or pushed to it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.models import PeerChannel
from exchange.models.peer import DEFAULT_INTERVAL_S
from exchange.services.collections import DEFAULT_ROOT
from exchange.services.communities import collection_named
from exchange.services.peers import add_channel
from exchange.services.principals import OPERATOR


class Command(AnsweringCommand):
    help = "Pull a collection of a peer into one here, or push one here to it, from the start of what is there. To push"
    help += " gives the peer the right to read the collection."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("peer")
        parser.add_argument("remote_collection", help="id or alias of the collection at the peer")
        parser.add_argument("collection", help="the home collection here; never a view")
        parser.add_argument("--root", default=DEFAULT_ROOT, help="the API root that it stands in")
        parser.add_argument("--direction", choices=[str(each) for each in PeerChannel.Direction.values], default="pull")
        parser.add_argument("--from-now", action="store_true", help="push nothing that is here already")
        parser.add_argument("--interval", type=int, default=DEFAULT_INTERVAL_S, help="seconds between two looks")

    def act(self, **options: Any) -> Facts:
        channel = add_channel(
            actor=OPERATOR,
            slug=options["peer"],
            direction=PeerChannel.Direction(options["direction"]),
            remote_collection=options["remote_collection"],
            collection=collection_named(options["collection"], api_root=options["root"]),
            interval_s=options["interval"],
            from_now=options["from_now"],
        )
        facts: dict[str, Any] = {"channel": channel.pk, "peer": options["peer"], "direction": channel.direction}
        facts |= {"remote_collection": channel.remote_collection, "collection": options["collection"]}
        return facts | {"interval_s": channel.interval_s}
