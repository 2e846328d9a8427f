"""The command `commonwatch playbook`: checks, signs, verifies and draws a CACAO playbook, without any network.

It never runs one.
"""

import json
from argparse import Namespace
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from exchange.labtool.answers import printable
from exchange.labtool.errors import DataError, UsageError
from exchange.labtool.files import PUBLIC_FILE, write_file
from exchange.labtool.key_files import KeyFile
from exchange.labtool.output import Output
from exchange.stix.errors import SignatureError, StixError
from exchange.stix.identifiers import is_identifier
from exchange.stix.timestamps import format_stix
from signatures.cacao import (
    PlaybookInspection,
    Severity,
    SignatureReport,
    Standing,
    check_safety,
    countersign_playbook,
    inspect_playbook,
    sign_playbook,
)
from signatures.cacao.drawing import draw_playbook

Finding = dict[str, str]


def check(raw: bytes, output: Output) -> bool:
    """Say what is wrong with a playbook, and what a person should look at; whether it may be shared."""
    try:
        inspection = inspect_playbook(raw)
    except StixError as error:
        findings = [_finding("refuse", error.code, error.pointer, error.message)]
        output.answer({"ok": False, "findings": findings}, _lines(findings))
        return False
    found = check_safety(inspection.members)
    findings = [_finding(each.severity.value, f"unsafe-{each.code}", each.pointer, each.message) for each in found]
    findings += [_finding("warn", *warning) for warning in inspection.warnings]
    is_ok = all(each.severity is not Severity.REFUSE for each in found)
    head = f"{'ok' if is_ok else 'refused'}  {printable(inspection.id)}  {printable(inspection.name)}"
    answer = {"ok": is_ok, "id": inspection.id, "modified": inspection.modified, "findings": findings}
    output.answer(answer, [head, *_lines(findings)])
    return is_ok


def sign(raw: bytes, key_file: KeyFile, options: Namespace, now: datetime, output: Output) -> None:
    """Write the playbook with one more signature to stdout. Raises: StixError, DataError, UsageError."""
    inspection = inspect_playbook(raw)
    if key_file.key.use != "sig":
        raise DataError("a root key signs identities only; use the signing key")
    if options.created_by is not None and not is_identifier(options.created_by):
        raise UsageError("--created-by takes the id of an identity")
    stated = {"signee": options.signee, "at": format_stix(now), "created_by": options.created_by}
    if options.countersign is None:
        signed = sign_playbook(inspection.members, key_file.key, **stated)
    else:
        signed = countersign_playbook(inspection.members, options.countersign, key_file.key, **stated)
    output.data((json.dumps(signed, indent=2, ensure_ascii=False) + "\n").encode())


def verify(raw: bytes, trusted: Iterable[str], now: datetime, output: Output) -> bool:
    """Say of each signature whether it verifies, and whether its key is trusted; whether all do."""
    keys = frozenset(trusted)
    try:
        reports = inspect_playbook(raw).signatures
    except SignatureError as error:
        answer = {"ok": False, "reason": error.message, "pointer": error.pointer}
        output.answer(answer, [f"failed  {error.pointer}  {printable(error.message)}"])
        return False
    told = [_report(report, keys, now) for report in reports]
    is_ok = bool(told) and all(each["ok"] for each in told)
    lines = [f"{'ok    ' if each['ok'] else 'failed'}  {_report_line(each)}" for each in told]
    output.answer({"ok": is_ok, "signatures": told}, lines or ["failed  the playbook has no signature"])
    return is_ok


def draw(raw: bytes, options: Namespace, output: Output) -> None:
    """Write the flow chart. Raises: StixError, DataError."""
    inspection: PlaybookInspection = inspect_playbook(raw)
    svg = draw_playbook(inspection.members, check_safety(inspection.members)).encode()
    if options.to is None:
        output.data(svg)
    else:
        write_file(options.to, svg, mode=PUBLIC_FILE)
        output.answer({"file": str(options.to)}, [f"drawn in {options.to}"])


def _finding(severity: str, code: str, pointer: str, detail: str) -> Finding:
    return {"severity": severity, "code": code, "pointer": pointer, "detail": detail}


def _lines(findings: Iterable[Finding]) -> Iterable[str]:
    for each in findings:
        place = printable(each["pointer"] or "(whole)")
        yield f"{each['severity']:<7} {place}: {printable(each['detail'])} [{each['code']}]"


def _report(report: SignatureReport, trusted: frozenset[str], now: datetime) -> dict[str, Any]:
    reason = report.reason if report.standing is Standing.UNCHECKED else ""
    if not reason and not report.is_current(now):
        reason = "its signer does not stand by it now"
    if not reason and trusted and report.key_thumbprint not in trusted:
        reason = "its key is not one that you trust"
    return {
        "ok": not reason,
        "pointer": report.pointer,
        "signee": report.signee,
        "algorithm": report.algorithm,
        "key_thumbprint": report.key_thumbprint,
        "trusted": report.key_thumbprint in trusted,
        "reason": reason or None,
    }


def _report_line(told: Mapping[str, Any]) -> str:
    words = [told["pointer"], told["algorithm"], told["key_thumbprint"] or "-", told["signee"], told["reason"] or ""]
    return "  ".join(printable(word) for word in words if word)
