"""Invented accounts that the labs of the samples know: the identifiers, before anything is made of them.

Makes no selector: that takes an issuer, and the lab tool's own code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from exchange.labtool.identifiers_reading import Identifier, identifier_of
from exchange.stix.markings import Tlp

_FILE: Final = Path(__file__).with_name("accounts.yml")


@dataclass(frozen=True, slots=True)
class SampleAccount:
    """An account that a lab knows. label: under which its selector is shared; None: never, it is only asked about."""

    identifier: Identifier
    label: Tlp | None


@cache
def sample_accounts(lab: str) -> tuple[SampleAccount, ...]:
    """The accounts that a lab knows, in the order of the file."""
    return tuple(_account(dict(entry)) for entry in yaml.safe_load(_FILE.read_text(encoding="utf-8"))[lab])


def shared_with(reader: str, producer: str, *, is_apart: bool) -> list[SampleAccount]:
    """Accounts of one lab whose selectors another may read: what crosses between two exchanges is GREEN at most.

    is_apart: they live at different exchanges. None of the samples names recipients.
    """
    most = Tlp.GREEN if is_apart else Tlp.AMBER
    return [
        account
        for account in sample_accounts(producer)
        if account.label is not None and (reader == producer or account.label <= most)
    ]


def as_list(accounts: Iterable[SampleAccount]) -> bytes:
    """The identifiers as the lab tool reads them: a line each."""
    lines = ["kind,value", *(f"{each.identifier.kind},{each.identifier.value}" for each in accounts)]
    return "".join(f"{line}\n" for line in lines).encode()


def _account(entry: dict[str, Any]) -> SampleAccount:
    label = entry.pop("label", None)
    return SampleAccount(identifier_of(entry), None if label is None else Tlp[label])
