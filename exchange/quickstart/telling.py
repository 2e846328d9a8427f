"""What quickstart says on the terminal: plain text, no secrets."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from exchange.quickstart.accounts import CREDENTIALS_FILE, PINS_FILE
from exchange.quickstart.crossing import Crossing
from exchange.quickstart.labs import LABS
from exchange.quickstart.looking_up import AccountLookup, AddressLookup
from exchange.quickstart.nodes import RunningNode
from exchange.quickstart.showing import Showing
from exchange.quickstart.viewing import LabView

WIDTH = 110
NAME_WIDTH = 18
KEY_WIDTH = 42
LAB_WIDTH = 9
INDENT = " " * 13
NO_BREAK = "\u00a0"


def view_lines(view: LabView, custody: str) -> list[str]:
    """The table of one lab: what it has by producer, then what it has not."""
    verified = sum(sum(types.values()) for types in view.types.values())
    how = "signs with its own key" if custody == "lab" else "has the exchange sign"
    lines = [
        f"{view.lab} ({how}) pulled by TAXII and verified under pinned root keys: {verified} objects; "
        f"in quarantine: {view.report.quarantined}"
    ]
    for producer, types in sorted(view.types.items()):
        lines += _row(f"from {producer}", sum(types.values()), _counts(types))
    if view.hidden:
        lines.append(f"  {view.lab} could not see {len(view.hidden)} of the samples:")
        lines += [line for key, reason in view.hidden.items() for line in _exception(key, f"because {reason}")]
    lines += [line for key in view.missing for line in _exception(key, "is no longer there")]
    lines += [line for key in view.leaked for line in _exception(key, "CAME AGAINST THE POLICY")]
    return lines


def crossing_lines(crossings: Sequence[Crossing], nodes: Sequence[RunningNode]) -> list[str]:
    """The table of what crossed: a line for each kind of sample, and below it the samples."""
    names = [node.demo.name for node in nodes]
    head = f"  {'from':<10} {'label':<18} {''.join(f'at {name:<14} ' for name in names)} seen by"
    lines = ["what crossed between the exchanges, byte for byte, verified at both ends under pinned root keys:", head]
    for each in crossings:
        places = "".join(f"{_place(each, name):<17} " for name in names)
        seen_by = ", ".join(each.seen_by) or "nobody by token"
        lines.append(f"  {each.producer:<10} {each.label or '(a marking)':<18} {places} {seen_by}")
        lines += textwrap.wrap(
            ", ".join(each.objects), WIDTH, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
        )
    return lines


def lookup_lines(addresses: Sequence[AddressLookup], accounts: Sequence[AccountLookup]) -> list[str]:
    """What each lab was told of each address, and what it found of its accounts."""
    lines = ["what labs know of an address, each asked at its own exchange:"]
    for address in dict.fromkeys(each.address for each in addresses):
        asked = [each for each in addresses if each.address == address]
        readers = [each.lab for each in asked if each.may_see]
        who = "every lab" if len(readers) == len(asked) else f"only {' and '.join(readers)}"
        lines.append(f"  {address}, which {who} may see:")
        lines += [line for each in asked for line in _told(each.lab, _claims(each))]
    lines += ["", "accounts that other labs share too, matched at home; no exchange learns which were asked about:"]
    return lines + [line for each in accounts for line in _told(each.lab, _found(each))]


def watching_lines(nodes: Sequence[RunningNode], data_dir: Path) -> list[str]:
    """How to see what goes on between the exchanges."""
    name, in_folder = nodes[1].demo.name, f"DATA_DIR={data_dir} python manage.py"
    return [
        "between the exchanges; the second pulls from the first and pushes to it:",
        f"  channels         {in_folder} list_peers   (also with --node {name})",
        f"  pull now         {in_folder} sync --node {name}",
        f"  not taken        {in_folder} list_quarantined",
    ]


def facts_of(nodes: Sequence[RunningNode], data_dir: Path, show: Showing) -> dict[str, Any]:
    """The same for programs: addresses, files, what each lab got, what crossed, and what lookups found."""
    return {
        "addresses": _addresses(nodes[0].address),
        "exchanges": {node.demo.name: _addresses(node.address) for node in nodes},
        "files": {name: str(data_dir / f"{name}.json") for name in ("credentials", "operator", "pins")},
        "labs": [
            {"lab": view.lab, "report": view.report.to_json(), "types": view.types, "hidden": view.hidden}
            for view in show.views
        ],
        "crossing": [each.to_json() for each in show.crossings],
        "lookups": {
            "addresses": [asdict(each) for each in show.addresses],
            "accounts": [asdict(each) for each in show.accounts],
        },
    }


def _addresses(address: str) -> dict[str, str]:
    return {"taxii": f"{address}/taxii2/", "rest": f"{address}/api/v1/", "operators": f"{address}/admin/"}


def _place(crossing: Crossing, name: str) -> str:
    if name == crossing.published_at:
        return "published"
    return "arrived" if name in crossing.found_at else "-"


def address_lines(node: RunningNode) -> list[str]:
    """Where things are."""
    address = node.address
    return [
        f"{node.demo.title} ({node.demo.name}), home of {', '.join(lab.slug for lab in node.demo.labs)}:",
        f"  TAXII 2.1        {address}/taxii2/",
        f"  REST             {address}/api/v1/   (documentation: {address}/api/docs/)",
        f"  operators        {address}/admin/",
        f"  health           {address}/healthz  {address}/readyz  {address}/metrics",
    ]


def sign_in_lines(data_dir: Path, operators: Sequence[Path]) -> list[str]:
    """Where the secrets are; the terminal shows none."""
    return [
        "how to sign in:",
        f"  labs             tokens, passwords, one-time code secrets of {_names()}: {data_dir / CREDENTIALS_FILE}",
        *(f"  operator         {path}" for path in operators),
        f"  lab tool         COMMONWATCH_CONFIG={data_dir}/labs/<lab>/config.toml commonwatch ...",
        f"  root thumbprints {data_dir / PINS_FILE}  (commonwatch --pins)",
    ]


def _claims(lookup: AddressLookup) -> str:
    said: dict[str, list[str]] = {}
    for lab, net, kind in lookup.claims:
        said.setdefault(lab, []).append(f"{net} ({kind})" if kind else net)
    return "; ".join(f"{lab} names {', '.join(nets)}" for lab, nets in said.items()) or (
        "nothing known, as for an address that nobody has named"
    )


def _found(lookup: AccountLookup) -> str:
    shared = [f"{lab} shares {len(kinds)} ({', '.join(kinds)})" for lab, kinds in sorted(lookup.found.items())]
    text = f"asked about {lookup.asked}: {'; '.join(shared) or 'none is shared here'}"
    if lookup.elsewhere:
        text += f"; {lookup.elsewhere} selectors came from another exchange, whose key alone compares with them"
    return text


def _names() -> str:
    return ", ".join(demo.slug for demo in LABS)


def _counts(types: Mapping[str, int]) -> str:
    return ", ".join(f"{count}{NO_BREAK}{type_}" for type_, count in sorted(types.items()))


def _row(name: str, count: int, text: str) -> list[str]:
    start = f"  {name:<{NAME_WIDTH}} {count:>4}  "
    # Lines break between types only: not within their names, not after their counts.
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start), break_on_hyphens=False)


def _told(lab: str, text: str) -> list[str]:
    start = f"    {lab:<{LAB_WIDTH}} "
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))


def _exception(key: str, text: str) -> list[str]:
    start = f"    {key:<{KEY_WIDTH}} "
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
