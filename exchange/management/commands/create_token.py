"""Issues a token of a lab. Its secret is printed once and kept nowhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts
from exchange.models import Token
from exchange.services.clock import now
from exchange.services.labs import find_reader
from exchange.services.principals import OPERATOR
from exchange.services.tokens import BOUNDS, issue_token
from exchange.stix.timestamps import format_taxii


class Command(AnsweringCommand):
    help = "Issue a token. Prints its secret once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lab", help="its name, or that of a peer")
        parser.add_argument("--scopes", default="read", help=f"comma-separated: {', '.join(Token.Scope.values)}")
        parser.add_argument("--client", action="store_true", help="for a downstream system of the lab's clients")
        parser.add_argument("--expires", help="a date, 2027-01-31, a time, 2027-01-31T12:00:00Z, or days from now, 90d")
        parser.add_argument("--collections", help="bound: comma-separated aliases")
        parser.add_argument("--highest-label", help="bound: the strictest label it may publish or sign, such as AMBER")
        parser.add_argument("--networks", help="bound: comma-separated networks it may come from")
        parser.add_argument("--daily-quota", type=int, help="bound: signatures by an exchange-held key a day")
        parser.add_argument("--rates", help="bound: rate limits of its own, such as read=500/s:5000")

    def act(self, **options: Any) -> Facts:
        lab = find_reader(options["lab"])
        expires_at = read_expiry(options["expires"], now()) if options["expires"] else None
        issued = issue_token(
            actor=OPERATOR,
            lab=lab,
            scopes=_words(options["scopes"]),
            client=options["client"],
            expires_at=expires_at,
            bounds=_bounds(options),
        )
        token = issued.token
        facts: dict[str, Any] = {
            "lab": lab.slug,
            "prefix": token.prefix,
            "token": issued.secret,
            "scopes": list(token.scopes),
        }
        facts |= {"client": token.client, "expires": format_taxii(token.expires_at)}
        return facts | {"bounds": token.bounds}


def read_expiry(text: str, moment: datetime) -> datetime:
    """An aware time from a date, a time or a number of days after `moment`; without a zone it is UTC.

    Raises:
        CommandError: none of these.
    """
    try:
        if text.endswith("d"):
            return moment + timedelta(days=int(text[:-1]))
        when = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise CommandError("--expires takes 2027-01-31, 2027-01-31T12:00:00Z or 90d") from None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _bounds(options: dict[str, Any]) -> dict[str, Any]:
    given = {name: options[name] for name in BOUNDS if options[name] is not None}
    return {name: _words(value) if name in {"collections", "networks"} else value for name, value in given.items()}


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()
