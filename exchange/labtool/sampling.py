"""The command `sample-logs`: reads its options, makes the log, says what is in it.

The generator is imported when it is asked for: the other commands need neither it nor the libraries behind it.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.labtool.errors import DataError, UsageError
from exchange.labtool.output import Output
from exchange.stix.errors import StixError
from exchange.stix.timestamps import format_taxii, parse_timestamp

if TYPE_CHECKING:
    from signatures.samplelogs import SampleReport

_DATE_CHARS: Final = len("2026-09-07")


def add_sample_logs(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--rows", required=True, type=int, metavar="N", help="how many events")
    parser.add_argument("--seed", required=True, type=int, metavar="S", help="the same seed gives the same log")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="ends in .parquet, .jsonl or .csv")
    parser.add_argument("--days", type=int, metavar="N", help="how long the log is; default: longer with more rows")
    parser.add_argument("--start", metavar="DATE", help="its first hour, such as 2026-09-07 or 2026-09-07T06:00:00Z")
    parser.add_argument(
        "--campaigns",
        action="append",
        default=[],
        metavar="NAME[,NAME]",
        help="which to plant, such as d1-slow, or d1 for all of a kind; default: all; `none` for none",
    )


def make_sample_log(options: Namespace, output: Output) -> None:
    """Make the log that the options ask for, and say what is in it. Raises: UsageError, DataError."""
    from signatures import samplelogs

    asked = samplelogs.SampleOptions(
        rows=options.rows,
        seed=options.seed,
        out=options.out,
        days=options.days,
        start=_start(options.start) if options.start else samplelogs.DEFAULT_START,
        campaigns=_campaigns(options.campaigns, samplelogs.CAMPAIGNS),
    )
    try:
        report = samplelogs.write_sample_log(
            asked, lambda rows: output.progress(f"{rows:,} of {options.rows:,} events written")
        )
    except samplelogs.WrongOptionError as error:
        raise UsageError(str(error)) from None
    except samplelogs.SampleLogError as error:
        raise DataError(str(error)) from None
    if report.left_out:
        output.note(f"{len(report.left_out)} campaigns left out, which need more rows: {', '.join(report.left_out)}")
    output.answer(_answer(report), _lines(report))


def _start(text: str) -> datetime:
    try:
        if len(text) == _DATE_CHARS:
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        return parse_timestamp(text)
    except (StixError, ValueError):
        raise UsageError("--start is a date or a time in UTC, such as 2026-09-07 or 2026-09-07T06:00:00Z") from None


def _campaigns(asked: Sequence[str], known: Sequence[str]) -> tuple[str, ...] | None:
    """The campaigns by their full names; None for all. What is not known stays, for the generator to refuse."""
    names = [name.strip() for text in asked for name in text.split(",") if name.strip()]
    if not names:
        return None
    if names == ["none"]:
        return ()
    kinds = {name: [each for each in known if each.partition("-")[0] == name] for name in names}
    return tuple(each for name in names for each in (kinds[name] or [name]))


def _answer(report: SampleReport) -> dict[str, object]:
    return {
        "file": str(report.out),
        "rows": report.rows,
        "benign": report.benign,
        "start": format_taxii(report.start),
        "days": report.days,
        "accounts": report.accounts,
        "campaigns": dict(report.campaigns),
        "lookalikes": dict(report.lookalikes),
        "left_out": list(report.left_out),
    }


def _lines(report: SampleReport) -> list[str]:
    planted = sum(report.campaigns.values())
    lines = [
        f"{report.out}: {report.rows:,} events of {report.accounts:,} accounts in {report.days:g} days, "
        f"{planted:,} of them in {len(report.campaigns)} campaigns"
    ]
    if planted and report.size < 1:
        lines.append(f"campaigns have {report.size:.0%} of their natural size; larger logs have larger ones")
    lines += [f"  campaign  {name:<14} {count:>10,}" for name, count in report.campaigns.items()]
    lines += [f"  benign    {name:<26} {count:>10,}" for name, count in report.lookalikes.items()]
    return lines
