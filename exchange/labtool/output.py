"""What the lab tool says: lines for people or JSON for programs on stdout, progress and errors on stderr.

Text of others is escaped, so that it cannot move the cursor of a terminal.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from exchange.labtool.answers import Result, printable
from exchange.labtool.judging import Verdict
from exchange.labtool.pulling import PullReport
from exchange.labtool.signing import Fault
from exchange.labtool.verifying import Judged

MAX_SHOWN_REASONS: Final = 20


class Output:
    """Where one call of the tool writes."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._has_progress = False

    def answer(self, value: Mapping[str, Any], lines: Iterable[str]) -> None:
        """Give the answer of a command: as JSON, or as lines."""
        self._end_progress()
        if self._as_json:
            print(json.dumps(value))
        else:
            for line in lines:
                print(line)

    def data(self, body: bytes) -> None:
        """Give objects themselves."""
        self._end_progress()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()

    def note(self, text: str) -> None:
        """Say something beside the answer."""
        self._end_progress()
        print(f"commonwatch: {text}", file=sys.stderr)

    def progress(self, text: str) -> None:
        """Show how far the work is, if somebody is looking."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
            self._has_progress = True

    def results(self, results: list[Result]) -> None:
        """Say what became of each published object."""
        self.answer({"results": [_result_json(result) for result in results]}, _result_lines(results))

    def faults(self, faults: list[Fault]) -> None:
        """Say why objects cannot be signed."""
        for fault in faults:
            self.note(printable(str(fault)))

    def judged(self, judged: Judged) -> None:
        """Say what was found of one object, as soon as it is."""
        verdict = judged.verdict
        if self._as_json:
            print(json.dumps({"file": str(judged.path), **verdict_json(verdict)}))
        else:
            print(f"{verdict_line(verdict)}  {printable(str(judged.path))}")

    def pulled(self, report: PullReport) -> None:
        """Say what a pull did."""
        self.answer(report.to_json(), _report_lines(report))

    def _end_progress(self) -> None:
        if self._has_progress:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._has_progress = False


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for programs."""
    return {
        "ok": verdict.is_ok,
        "id": verdict.id,
        "version": verdict.version,
        "lab": verdict.lab,
        "kid": verdict.kid,
        "custody": verdict.custody,
        "reason": verdict.reason or None,
    }


def verdict_line(verdict: Verdict) -> str:
    """A verdict for people: ok or failed, id, version, lab, key, custody, reason."""
    if verdict.is_fixed and verdict.is_ok:
        return f"ok      {verdict.id}  {verdict.version}  known by its body, not signed"
    named = [printable(value or "-") for value in (verdict.id, verdict.version, verdict.lab, verdict.kid)]
    custody = f"custody:{verdict.custody}" if verdict.custody else "custody:-"
    word = "ok    " if verdict.is_ok else "failed"
    return "  ".join([word, *named, custody, *([printable(verdict.reason)] if verdict.reason else [])])


def _result_json(result: Result) -> dict[str, Any]:
    error = result.error
    return {
        "id": result.id,
        "version": result.version,
        "status": result.status,
        "error": None if error is None else {"code": error.code, "pointer": error.pointer, "detail": error.detail},
        "warnings": [{"code": w.code, "pointer": w.pointer, "detail": w.detail} for w in result.warnings],
    }


def _result_lines(results: list[Result]) -> Iterable[str]:
    for result in results:
        line = f"{printable(result.status):<7} {printable(result.id or '-')}  {printable(result.version or '-')}"
        if result.error is not None:
            line += f"  {printable(result.error.pointer or '(whole)')}: {printable(result.error.detail)}"
            line += f" [{printable(result.error.code)}]"
        yield line
        for warning in result.warnings:
            yield f"        warning {printable(warning.pointer)}: {printable(warning.detail)}"


def _report_lines(report: PullReport) -> Iterable[str]:
    yield (
        f"{report.collection}: {report.received} received, {report.verified} verified, {report.stored} stored, "
        f"{report.withdrawn} withdrawn, {report.quarantined} in quarantine"
    )
    if report.stopped:
        yield f"  not everything: {report.stopped}"
    for lab, count in sorted(report.labs.items()):
        yield f"  {printable(lab)}: {count}"
    for object_id, reason in list(report.reasons.items())[:MAX_SHOWN_REASONS]:
        yield f"  quarantine {printable(object_id)}: {printable(reason)}"
    if len(report.reasons) > MAX_SHOWN_REASONS:
        yield f"  and {len(report.reasons) - MAX_SHOWN_REASONS} more; the reasons stand beside the files"
