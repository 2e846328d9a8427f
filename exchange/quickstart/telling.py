"""What quickstart says on the terminal: plain text, no secrets."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from exchange.quickstart.labs import LABS
from exchange.quickstart.viewing import LabView

WIDTH = 110
NAME_WIDTH = 15


def view_lines(view: LabView, custody: str) -> list[str]:
    """The table of one lab."""
    report = view.report
    lines = [
        f"{view.lab} ({'its own key' if custody == 'lab' else 'key held by the exchange'}) pulled {report.received} "
        f"object versions by TAXII and verified {report.verified}; {report.quarantined} in quarantine"
    ]
    for producer, types in sorted(view.types.items()):
        lines += _row(f"from {producer}", f"{sum(types.values()):>3}  {_counts(types)}")
    if view.hidden:
        lines.append(f"  {view.lab} could not see {len(view.hidden)} of the samples:")
        lines += [f"    {key:<38} because {reason}" for key, reason in view.hidden.items()]
    lines += [f"    {key:<38} is no longer there" for key in view.missing]
    lines += [f"    {key:<38} CAME AGAINST THE POLICY" for key in view.leaked]
    return lines


def address_lines(address: str) -> list[str]:
    """Where things are."""
    return [
        "addresses:",
        f"  TAXII 2.1        {address}/taxii2/",
        f"  REST             {address}/api/v1/   (documentation: {address}/api/docs/)",
        f"  operators        {address}/admin/",
        f"  health           {address}/healthz  {address}/readyz  {address}/metrics",
    ]


def sign_in_lines(credentials: str, operator: str, pins: str) -> list[str]:
    """Where the secrets are; the terminal shows none."""
    return [
        "how to sign in:",
        f"  labs             tokens, passwords and one-time code secrets of {_names()}: {credentials}",
        f"  operator         {operator}",
        f"  root thumbprints {pins}  (commonwatch --pins)",
    ]


def _names() -> str:
    return ", ".join(demo.slug for demo in LABS)


def _counts(types: Mapping[str, int]) -> str:
    return ", ".join(f"{type_} {count}" for type_, count in sorted(types.items()))


def _row(name: str, text: str) -> list[str]:
    indent = " " * (2 + NAME_WIDTH + 5)
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"  {name:<{NAME_WIDTH}}", subsequent_indent=indent, drop_whitespace=True
    )
