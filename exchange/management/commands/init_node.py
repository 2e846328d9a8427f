"""Gives a new node its identity, keys, collections and fixed objects."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from exchange.management.answering import AnsweringCommand, Facts, short_name
from exchange.models import Lab
from exchange.services.node import init_node


class Command(AnsweringCommand):
    help = "Set up the node. Repeating it changes nothing."
    requires_node = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", type=short_name, help="short name: lower-case letters, digits and -")
        parser.add_argument("--title", required=True, help="name that labs and other nodes see")
        parser.add_argument(
            "--root-key-file",
            type=Path,
            required=True,
            help="new file for the node's root key (mode 0600); take it offline, the node keeps no copy",
        )

    def act(self, **options: Any) -> Facts:
        known = Lab.objects.filter(is_self=True).first()
        if known is not None:
            return {"node": known.slug, "identity": known.identity_id, "is_new": False}
        with _new_secret_file(options["root_key_file"]) as fd:
            node = init_node(name=options["name"], title=options["title"])
            if node.root_key is None:
                raise CommandError("another command has just set this node up")
            os.write(fd, node.root_key.to_text().encode())
        facts: dict[str, Any] = {"node": node.lab.slug, "identity": node.lab.identity_id, "is_new": True}
        return facts | {"root_thumbprint": node.root_key.kid, "root_key_file": str(options["root_key_file"])}


@contextmanager
def _new_secret_file(path: Path) -> Iterator[int]:
    """The descriptor of a file made before the key exists, so that a key is never made that cannot be kept."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise CommandError(f"the root key file {path} cannot be made: {error.strerror}") from None
    try:
        yield fd
        os.fsync(fd)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)
