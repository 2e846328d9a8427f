"""Tries a peer: its root and its collections are asked for, and nothing is stored."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.management.peering import facts_of, trial_facts
from exchange.services.peers import find_peer
from exchange.sync.reaching import access_of, try_peer


class Command(AnsweringCommand):
    help = "Try a peer: whether it is reached, lets this node in, and which collections it shows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("peer")

    def act(self, **options: Any) -> Facts:
        peer = find_peer(options["peer"])
        return {**facts_of(peer), **trial_facts(try_peer(access_of(peer)))}
