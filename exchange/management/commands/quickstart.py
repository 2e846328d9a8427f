"""Two whole exchanges on this machine, for trying them out (exchange/quickstart)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.management.embedded import data_dir
from exchange.quickstart import Options, QuickstartError, run_quickstart


class Command(BaseCommand):
    help = (
        "Start two exchanges with labs and sample intelligence that crosses between them, without any system package;"
    )
    help += " serves until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data-dir", type=Path, default=data_dir(), help="where everything is kept")
        parser.add_argument("--port", type=int, help="port of the exchange (default 8000, or the next free one)")
        parser.add_argument(
            "--peer-port", type=int, help="port of the second exchange (default 8001, or the next free one)"
        )
        parser.add_argument("--no-peer", action="store_true", help="one exchange, at which all labs live")
        parser.add_argument("--json", action="store_true", help="one JSON object before `ready`; the rest on stderr")
        parser.add_argument("--empty", action="store_true", help="labs, keys and tokens; publish no intelligence")

    def handle(self, *_args: Any, **options: Any) -> None:
        wanted = Options(
            data_dir=options["data_dir"].absolute(),
            port=options["port"],
            peer_port=options["peer_port"],
            with_peer=not options["no_peer"],
            empty=options["empty"],
        )
        try:
            run_quickstart(wanted, self._say_beside if options["json"] else self._say, self._tell(options["json"]))
        except QuickstartError as error:
            raise CommandError(str(error)) from None

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _say_beside(self, line: str) -> None:
        """With --json stdout holds the facts and the line `ready`, for programs that wait for it."""
        (self.stdout if line == "ready" else self.stderr).write(line)
        self.stdout.flush()

    def _tell(self, as_json: bool) -> Callable[[Mapping[str, Any]], None]:
        return lambda facts: self._say(json.dumps(facts)) if as_json else None
