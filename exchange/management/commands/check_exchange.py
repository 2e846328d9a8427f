"""Verifies everything that is stored: signatures, audiences, orders, leaves. Exit code 1 when something is wrong."""

from __future__ import annotations

import json
import sys
from typing import Any

from exchange.management.answering import AnsweringCommand, Facts
from exchange.services.checking import Report, check_exchange


class Command(AnsweringCommand):
    help = "Re-verify everything stored. One line per fault: its kind, where it is, what is wrong."

    def act(self, **_options: Any) -> Facts:
        report = check_exchange()
        return _facts_of(report)

    def show(self, facts: Facts, *, as_json: bool) -> None:
        """Print the answer, and leave with exit code 1 if there are faults."""
        if as_json:
            self.stdout.write(json.dumps(facts))
        else:
            for fault in facts["faults"]:
                self.stdout.write(f"FAULT {fault['kind']} {fault['where']}: {fault['detail']}")
            counts = ", ".join(f"{count} {name}" for name, count in facts["checked"].items())
            self.stdout.write(f"checked {counts}: {'red' if facts['faults'] else 'green'}")
        if facts["faults"]:
            sys.exit(1)


def _facts_of(report: Report) -> Facts:
    faults = [{"kind": fault.kind, "where": fault.where, "detail": fault.detail} for fault in report.faults]
    return {"green": not faults, "checked": dict(report.checked), "faults": faults}
