"""Changes, pauses or resumes a peer, or removes one of its channels. Acts at the next page."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.management.peering import add_connection_arguments, connection_of, facts_of
from exchange.models import Peer
from exchange.services.peers import find_channel, find_peer, remove_channel, set_state, update_peer
from exchange.services.principals import OPERATOR
from exchange.stix.markings import Tlp

FIELDS = ("url", "pinned_certificate", "community", "accepts_unsigned")


class Command(AnsweringCommand):
    help = "Change a peer; what is not said stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the peer")
        parser.add_argument("--url", help="of its TAXII 2.1 API root")
        add_connection_arguments(parser)
        parser.add_argument("--community", action=BooleanOptionalAction, default=None, help="GREEN may cross")
        parser.add_argument("--accepts-unsigned", action=BooleanOptionalAction, default=None, help="feeds only")
        parser.add_argument("--default-label", help="of what a feed sends unmarked, from now on")
        parser.add_argument("--highest-label", help="the strictest that is exchanged")
        parser.add_argument("--state", choices=[str(state) for state in Peer.State.values])
        parser.add_argument("--remove-channel", type=int, metavar="NUMBER", help="as list_peers shows it")

    def act(self, **options: Any) -> Facts:
        slug, connection = options["slug"], connection_of(options)
        find_peer(slug)
        changes: dict[str, Any] = {field: options[field] for field in FIELDS}
        changes |= {"credentials": connection.credentials, "authorities": connection.authorities}
        for field in ("default_label", "highest_label"):
            changes[field] = None if options[field] is None else Tlp.parse(options[field])
        asked = [options["state"], options["remove_channel"], *changes.values()]
        if all(each is None for each in asked):
            raise CommandError("nothing is to change")
        if any(value is not None for value in changes.values()):
            update_peer(actor=OPERATOR, slug=slug, **changes)
        if options["remove_channel"] is not None:
            self._remove_channel(slug, options["remove_channel"])
        if options["state"] is not None:
            set_state(actor=OPERATOR, slug=slug, state=Peer.State(options["state"]))
        return facts_of(find_peer(slug))

    def _remove_channel(self, slug: str, number: int) -> None:
        if find_channel(number).peer.lab.slug != slug:
            raise CommandError(f"{slug} has no channel {number}")
        remove_channel(actor=OPERATOR, number=number)
