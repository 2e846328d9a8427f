"""The command `backtest`: signatures over logs of one's own, offline. What it means is decided in signatures/backtest.

Imported when the command runs, because the engine takes a moment to load.
"""

from __future__ import annotations

import re
from argparse import Namespace
from typing import Final

from exchange.labtool.answers import printable
from exchange.labtool.errors import DataError, UsageError
from exchange.labtool.files import write_file
from exchange.labtool.output import Output
from exchange.labtool.pulling import utc_now
from signatures.backtest.collecting import collect_signatures
from signatures.backtest.errors import BacktestError
from signatures.backtest.reports.lines import to_lines
from signatures.backtest.reports.page import to_page
from signatures.backtest.reports.values import to_json
from signatures.backtest.running import Settings, backtest

MAX_THREADS: Final = 1_024
_SIZE: Final = re.compile(r"[1-9][0-9]{0,9} ?[KMGT]i?B")


def run_backtest(options: Namespace, output: Output) -> bool:
    """Run it and say what was found; whether every signature could be read.

    Raises: DataError, UsageError.
    """
    if options.html is not None and not options.html.resolve().parent.is_dir():
        raise DataError(f"there is no folder for {options.html}")
    if _SIZE.fullmatch(options.memory) is None or not (options.threads is None or 1 <= options.threads <= MAX_THREADS):
        raise UsageError(f"--memory takes a size such as 3GB, --threads a number from 1 to {MAX_THREADS}")
    settings = Settings(options.memory, options.temporary, options.threads)
    try:
        signatures = collect_signatures(
            options.signatures, now=utc_now(), include_revoked=options.revoked, progress=output.progress
        )
        for signature in signatures:
            if signature.is_invalid:
                output.note(printable(f"{signature.origin}: {signature.reason}"))
            elif signature.is_aside:
                output.note(printable(f"{signature.origin}: {signature.id}: {signature.reason}"))
        results = backtest(
            signatures, options.logs, label=options.label or "", settings=settings, progress=output.progress
        )
    except BacktestError as error:
        raise DataError(str(error)) from None
    if options.html is not None:
        write_file(options.html, to_page(results))
    output.answer(to_json(results), to_lines(results))
    if not any(outcome.is_tested for outcome in results.outcomes):
        raise DataError("none of the signatures can be tested on these logs")
    return not any(signature.is_invalid for signature in signatures)
