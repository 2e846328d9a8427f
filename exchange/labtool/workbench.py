"""Commands about signatures, playbooks and logs: at the lab's own desk, without any node.

What they need takes a while to load, so each loads its own when it runs.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Final

from exchange.labtool.answers import printable
from exchange.labtool.commands import DONE, WRONG, Command
from exchange.labtool.configuration import Configuration
from exchange.labtool.errors import UsageError
from exchange.labtool.inputs import open_key_file, read_input
from exchange.labtool.output import Output
from exchange.labtool.pulling import utc_now
from exchange.labtool.sampling import make_sample_log


def _sample_logs(options: Namespace, _configuration: Configuration, output: Output) -> int:
    make_sample_log(options, output)
    return DONE


def _convert(options: Namespace, _configuration: Configuration, output: Output) -> int:
    from exchange.labtool.converting import Request, convert_paths, describe_targets

    if options.list:
        output.answer(*describe_targets())
        return DONE
    if options.target is None or not options.paths:
        raise UsageError("convert takes at least one PATH and --target NAME; --list prints the targets")
    request = Request(options.target, options.table, options.timestamp, options.schema, options.include_revoked)
    report = convert_paths(options.paths, request, now=utc_now(), progress=output.progress)
    for refusal in report.refusals:
        output.note(printable(refusal.line))
    output.answer(report.to_json(), report.lines())
    return WRONG if report.refusals else DONE


def _backtest(options: Namespace, _configuration: Configuration, output: Output) -> int:
    from exchange.labtool.backtesting import run_backtest

    return DONE if run_backtest(options, output) else WRONG


def _playbook(options: Namespace, _configuration: Configuration, output: Output) -> int:
    from exchange.labtool import playbooks

    raw = read_input(options.file)
    if options.action == "check":
        return DONE if playbooks.check(raw, output) else WRONG
    if options.action == "verify":
        return DONE if playbooks.verify(raw, options.trust, utc_now(), output) else WRONG
    if options.action == "sign":
        playbooks.sign(raw, open_key_file(options.key, output), options, utc_now(), output)
    else:
        playbooks.draw(raw, options, output)
    return DONE


COMMANDS: Final[Mapping[str, Command]] = {
    "sample-logs": _sample_logs,
    "convert": _convert,
    "backtest": _backtest,
    "playbook": _playbook,
}
