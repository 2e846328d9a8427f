"""What the commands about peers share: flags of the connection, secrets from outside argv, and facts of a peer."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from exchange.models import Peer
from exchange.services.peers import Credentials
from exchange.stix.markings import Tlp
from exchange.sync.reaching import Trial

SECRET_VARIABLE: Final = "PEER_SECRET"  # noqa: S105 - the name of a variable
MAX_SECRET_CHARS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Connection:
    """How the node connects to a peer; None for what was not said."""

    credentials: Credentials | None
    authorities: str | None


def add_connection_arguments(parser: CommandParser) -> None:
    """Flags of credentials and certificates. No flag takes a secret."""
    parser.add_argument(
        "--credentials",
        choices=[str(kind) for kind in Peer.Credentials.values],
        help=f"the password, token or key comes from the environment ({SECRET_VARIABLE}) or from stdin",
    )
    parser.add_argument("--token-file", type=Path, help="file with a bearer token, instead of --credentials")
    parser.add_argument("--username", default="", help="of basic credentials")
    parser.add_argument(
        "--certificate", type=Path, help="file with the client certificate in PEM; its key is the secret"
    )
    parser.add_argument("--authorities", type=Path, help="file with the CAs behind its certificate in PEM")
    parser.add_argument("--pinned-certificate", help="SHA-256 of its certificate, in hex")


def connection_of(options: Mapping[str, Any]) -> Connection:
    """What the flags say, with the secret read from outside argv.

    Raises:
        CommandError: a file cannot be read, or there is no secret.
    """
    authorities = _read(options["authorities"]) if options["authorities"] is not None else None
    if options["token_file"] is not None:
        if options["credentials"] is not None:
            raise CommandError("--token-file says that the credentials are a bearer token; leave --credentials away")
        return Connection(
            Credentials(kind=Peer.Credentials.BEARER, token=_read(options["token_file"]).strip()), authorities
        )
    if options["credentials"] is None:
        return Connection(None, authorities)
    kind = Peer.Credentials(options["credentials"])
    secret = "" if kind == Peer.Credentials.NONE else _read_secret()
    fields: dict[Peer.Credentials, dict[str, str]] = {
        Peer.Credentials.BASIC: {"username": options["username"], "password": secret},
        Peer.Credentials.BEARER: {"token": secret},
        Peer.Credentials.CERTIFICATE: {"key": secret},
    }
    if options["certificate"] is not None:
        fields[Peer.Credentials.CERTIFICATE]["certificate"] = _read(options["certificate"])
    return Connection(Credentials(kind=kind, **fields.get(kind, {})), authorities)


def facts_of(peer: Peer) -> dict[str, Any]:
    """What may be shown of a peer; never its credentials."""
    return {
        "peer": peer.lab.slug,
        "kind": "exchange" if peer.lab.kind == "node" else "feed",
        "url": peer.url,
        "credentials": str(peer.credentials),
        "community": peer.community,
        "accepts_unsigned": peer.accepts_unsigned,
        "default_label": Tlp(peer.default_label).label,
        "highest_label": Tlp(peer.highest_label).label,
        "state": str(peer.state),
    }


def trial_facts(trial: Trial) -> dict[str, Any]:
    """What a peer showed when it was tried: its title, and its collections with what this node may do there."""
    return {
        "title": trial.root.title,
        "collections": [
            f"{each.alias or each.id} ({'r' if each.can_read else '-'}{'w' if each.can_write else '-'})"
            for each in trial.collections
        ],
    }


def _read_secret() -> str:
    secret = os.environ.get(SECRET_VARIABLE) or sys.stdin.read(MAX_SECRET_CHARS + 1)
    if not secret.strip():
        raise CommandError(f"no secret: give it in {SECRET_VARIABLE} or on stdin")
    return secret.rstrip("\r\n")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise CommandError(f"the file {path} cannot be read") from None
