"""Publishes selectors of the sample accounts, each lab as itself: made by the lab tool's code, evaluated by its node.

Identifiers stay in the lab's folder: a list to ask about, and the file of values that selectors are made again from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from exchange.labtool.client import NodeClient
from exchange.labtool.errors import LabToolError
from exchange.labtool.files import write_file
from exchange.labtool.identifiers_reading import Identifier
from exchange.labtool.issuer import read_statement
from exchange.labtool.pins import read_pins
from exchange.labtool.selector_values import FILE_NAME
from exchange.labtool.selectors import Producing, issue_objects, open_book
from exchange.quickstart.accounts import PINS_FILE, Account, write_private_json
from exchange.quickstart.errors import QuickstartError
from exchange.quickstart.labs import DemoLab
from exchange.quickstart.publication import publish_unsigned
from exchange.samples import as_list, sample_accounts
from exchange.stix.markings import Tlp

SELECTORS_FILE = "selectors-published.json"
LIST_FILE: Final = "accounts.csv"
"""What a lab asks about, in its folder, as `commonwatch lookup --private` reads it."""


def publish_selectors(
    labs: Sequence[DemoLab], accounts: Mapping[str, Account], data_dir: Path, marker: Path
) -> dict[str, int]:
    """Publish the selectors of each lab that has not done so yet; answers how many of each lab that did.

    marker: file that remembers the labs that have: made again, each would be a new version.

    Raises:
        QuickstartError: the issuer cannot be believed, or the node refused an object.
    """
    done: list[str] = json.loads(marker.read_text()) if marker.exists() else []
    counts: dict[str, int] = {}
    for demo in labs:
        if demo.slug in done:
            continue
        counts[demo.slug] = _publish_of(demo, accounts[demo.slug], data_dir)
        done.append(demo.slug)
        write_private_json(marker, done)
    return counts


def _publish_of(demo: DemoLab, account: Account, data_dir: Path) -> int:
    folder = demo.folder(data_dir)
    known = sample_accounts(demo.slug)
    write_file(folder / LIST_FILE, as_list(known))
    chosen = [(each.identifier, each.label) for each in known if each.label is not None]
    if chosen:
        now = datetime.now(UTC)
        publish_unsigned(account, _made(account, chosen, folder, data_dir / PINS_FILE, now), now)
    return len(chosen)


def _made(
    account: Account, chosen: Sequence[tuple[Identifier, Tlp]], folder: Path, pins: Path, now: datetime
) -> list[dict[str, Any]]:
    try:
        book = open_book(folder / FILE_NAME)
        for identifier, label in chosen:
            book.values.keep([identifier], label)
        with NodeClient(account.node, account.api_token) as client:
            statement = read_statement(client, read_pins(pins), now)
            return issue_objects(client, statement, chosen, book, Producing(account.identity, now))
    except LabToolError as error:
        raise QuickstartError(f"{account.lab} could not make selectors: {error}") from None
