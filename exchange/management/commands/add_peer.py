"""Registers a peer: another exchange, or a plain TAXII feed. Secrets come by stdin or environment, never by argv."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts, short_name
from exchange.management.channels import add_channel_arguments, channels_of
from exchange.management.peering import add_connection_arguments, connection_of, facts_of, trial_facts
from exchange.models import Peer
from exchange.services.database import writing
from exchange.services.peers import create_peer
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp
from exchange.sync.reaching import Trial, access_of, try_peer


class Command(AnsweringCommand):
    help = "Register a peer. With --root it is another exchange, without it a plain TAXII feed. What is exchanged is"
    help += " said by --pull and --push, or later by add_channel."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", type=short_name, help="short name: lower-case letters, digits and -")
        parser.add_argument("url", help="of its TAXII 2.1 API root")
        parser.add_argument("--title", help="name that labs see; the short name if it is left out")
        parser.add_argument("--root", default="", help="thumbprint of the root key of an exchange, compared before")
        add_connection_arguments(parser)
        add_channel_arguments(parser)
        parser.add_argument("--community", action=BooleanOptionalAction, default=False, help="GREEN may cross")
        parser.add_argument("--accepts-unsigned", action=BooleanOptionalAction, default=False, help="feeds only")
        parser.add_argument("--default-label", default="AMBER", help="of what a feed sends unmarked")
        parser.add_argument("--highest-label", default="GREEN", help="the strictest that is exchanged")
        parser.add_argument(
            "--check", action="store_true", help="try the peer first, and register it only if it answers"
        )

    def act(self, **options: Any) -> Facts:
        connection, channels, tried = connection_of(options), channels_of(options), list[Trial]()
        # One transaction, the trial in it: a peer without the channels that were asked for is not what was meant.
        with writing():
            peer = create_peer(
                actor=OPERATOR,
                slug=options["name"],
                name=options["title"] or options["name"],
                url=options["url"],
                root=options["root"],
                credentials=connection.credentials,
                authorities=connection.authorities or "",
                pinned_certificate=options["pinned_certificate"] or "",
                community=options["community"],
                accepts_unsigned=options["accepts_unsigned"],
                default_label=Tlp.parse(options["default_label"]),
                highest_label=Tlp.parse(options["highest_label"]),
                trial=(lambda draft, shown: tried.append(try_peer(access_of(draft, shown))))
                if options["check"]
                else None,
            )
            for channel in channels:
                channel.add_to(options["name"])
        facts = facts_of(Peer.objects.select_related("lab").get(pk=peer.pk))
        facts["channels"] = [str(channel) for channel in channels]
        return {**facts, **(trial_facts(tried[0]) if tried else {})}
