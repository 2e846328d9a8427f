"""Channels of a new peer as flags: `--pull REMOTE[=HOME]` and `--push HOME[=REMOTE]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.management.base import CommandParser

from exchange.models import Collection, PeerChannel
from exchange.models.peer import DEFAULT_INTERVAL_S
from exchange.services.communities import collection_named
from exchange.services.peers import add_channel
from exchange.services.principals import OPERATOR

_PULL: Final = PeerChannel.Direction.PULL
_PUSH: Final = PeerChannel.Direction.PUSH


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What is to be exchanged, with a home collection here that exists."""

    direction: PeerChannel.Direction
    remote: str
    home: Collection
    interval_s: int

    def add_to(self, slug: str) -> None:
        """Raises: ExchangeError: the peer cannot have it."""
        add_channel(
            actor=OPERATOR,
            slug=slug,
            direction=self.direction,
            remote_collection=self.remote,
            collection=self.home,
            interval_s=self.interval_s,
        )

    def __str__(self) -> str:
        return f"{self.direction} {self.remote} {'into' if self.direction == _PULL else 'from'} {self.home.alias}"


def add_channel_arguments(parser: CommandParser) -> None:
    """Flags of what is exchanged from the beginning."""
    parser.add_argument(
        "--pull", nargs="+", default=[], metavar="REMOTE[=HOME]", help="collections there, and where they go here"
    )
    parser.add_argument(
        "--push", nargs="+", default=[], metavar="HOME[=REMOTE]", help="collections here, and where they go there"
    )
    parser.add_argument("--interval", type=int, default=DEFAULT_INTERVAL_S, help="seconds between two looks")


def channels_of(options: Mapping[str, Any]) -> list[NewChannel]:
    """The channels that the flags ask for.

    Raises:
        NotFoundError: a home collection does not exist.
    """
    interval_s = options["interval"]
    pulled = [_split(text) for text in options["pull"]]
    pushed = [_split(text) for text in options["push"]]
    return [
        *(NewChannel(_PULL, remote, collection_named(home), interval_s) for remote, home in pulled),
        *(NewChannel(_PUSH, remote, collection_named(home), interval_s) for home, remote in pushed),
    ]


def _split(text: str) -> tuple[str, str]:
    """Both names; the second is the first if it is left out."""
    first, _, second = text.partition("=")
    return first, second or first
