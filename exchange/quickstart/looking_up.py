"""What each lab finds when it asks its own exchange: two addresses in clear, and its accounts by private matching.

The answers are held against the samples' own tables of who may see what, not against the exchange's rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from exchange.labtool.client import NodeClient
from exchange.labtool.errors import LabToolError
from exchange.labtool.issuer import read_statement
from exchange.labtool.lookups import ask
from exchange.labtool.output import Output
from exchange.labtool.pins import read_pins
from exchange.labtool.private_matching import Match, PrivateLookup, look_up_privately
from exchange.labtool.shelf import OBJECTS
from exchange.quickstart.accounts import Account
from exchange.quickstart.errors import QuickstartError
from exchange.samples import View, sample_accounts, sample_ids, sample_objects, shared_with
from exchange.stix.extensions import Selector, check_extensions
from exchange.stix.fixed import SELECTOR_EXTENSION
from exchange.stix.reading import read_object

LOOKED_UP: Final = ("borealis/relay-address", "borealis/office-relay")
"""Samples that name one address: the first for everybody, the second for the one lab that it names."""


@dataclass(frozen=True, slots=True)
class AddressLookup:
    """What one lab is told of one address. may_see: whether the policy shows it the sample that names the address.

    claims: who says it, in whose network, of which kind ("" where none is said).
    """

    lab: str
    address: str
    claims: list[tuple[str, str, str]]
    may_see: bool

    @property
    def is_as_promised(self) -> bool:
        return bool(self.claims) is self.may_see


@dataclass(frozen=True, slots=True)
class AccountLookup:
    """What one lab finds of the accounts that it asked about. found: kinds of identifier by the lab that shares them.

    elsewhere: selectors that it got of another issuer than its own exchange, with which it cannot compare.
    """

    lab: str
    asked: int
    found: dict[str, list[str]]
    elsewhere: int

    def is_as_promised(self, expected: ExpectedAccounts) -> bool:
        """Whether it is what the samples say."""
        return {lab: sorted(kinds) for lab, kinds in self.found.items()} == expected.found and (
            self.elsewhere == expected.elsewhere
        )


@dataclass(frozen=True, slots=True)
class ExpectedAccounts:
    """What a lab has to find, by the samples: see `AccountLookup`."""

    found: dict[str, list[str]]
    elsewhere: int


class _Quiet(Output):
    """Shows no progress: the terminal is the quickstart's."""

    def progress(self, text: str) -> None:
        """Nobody is shown it."""


def addresses_of(identities: Mapping[str, str]) -> dict[str, str]:
    """The addresses to ask about, by key of the sample that names each. identities: as `sample_identities`."""
    ids = sample_ids(identities, datetime.now(UTC))
    values = {
        members["id"]: members["value"]
        for lab in {key.partition("/")[0] for key in LOOKED_UP}
        for members in sample_objects(lab, identities, datetime.now(UTC))
        if members["type"] == "ipv4-addr"
    }
    return {key: values[ids[key]] for key in LOOKED_UP}


def look_up_addresses(
    account: Account, expected: Mapping[str, View], addresses: Mapping[str, str]
) -> list[AddressLookup]:
    """Ask as a lab, in one request. addresses: by key of the sample that names each. expected: the policy's table.

    Raises:
        QuickstartError: the node does not answer.
    """
    try:
        with NodeClient(account.node, account.api_token) as client:
            answers = ask(client, [{"ip": address} for address in addresses.values()], include_stale=False)
    except LabToolError as error:
        raise QuickstartError(f"{account.lab} could not look up: {error}") from None
    return [
        AddressLookup(
            lab=account.lab,
            address=address,
            claims=[(match["lab"], match["net"], match["kind"] or "") for match in answer["matches"]],
            may_see=expected[key].may_read,
        )
        for (key, address), answer in zip(addresses.items(), answers, strict=True)
    ]


def look_up_accounts(account: Account, pins_file: Path) -> AccountLookup:
    """Ask as a lab about all accounts that it knows, by private matching in a temporary folder.

    Raises:
        QuickstartError: the node does not answer, or its issuer cannot be believed.
    """
    asked = {number: each.identifier for number, each in enumerate(sample_accounts(account.lab), start=1)}
    try:
        with NodeClient(account.node, account.api_token) as client, TemporaryDirectory(prefix="commonwatch-") as folder:
            pins, shelf = read_pins(pins_file), Path(folder) / "pulled"
            matches = look_up_privately(PrivateLookup(asked, shelf), client, pins, _Quiet(as_json=False))
            issuer = read_statement(client, pins, datetime.now(UTC)).issuer
            return AccountLookup(account.lab, len(asked), _by_lab(matches, account.lab), _elsewhere(shelf, issuer))
    except LabToolError as error:
        raise QuickstartError(f"{account.lab} could not look up accounts: {error}") from None


def _by_lab(matches: Sequence[Match], own: str) -> dict[str, list[str]]:
    """Kinds of identifier by the lab that shares them; a lab finds its own selectors too, which is no news."""
    found: dict[str, list[str]] = {}
    for match in matches:
        if match.lab != own:
            found.setdefault(match.lab, []).append(match.kind)
    return found


def _elsewhere(shelf: Path, issuer: str) -> int:
    """How many verified selectors of other issuers were pulled."""
    pulled = [read_object(path.read_bytes()).members for path in (shelf / OBJECTS).glob("*/user-account--*/*.json")]
    selectors = [check_extensions(members).get(SELECTOR_EXTENSION) for members in pulled]
    return sum(isinstance(each, Selector) and each.issuer != issuer for each in selectors)


def expected_accounts(lab: str, homes: Mapping[str, str]) -> ExpectedAccounts:
    """What a lab has to find. homes: the exchange of each lab that is there, each of them an issuer of its own."""
    own = {(each.identifier.kind, each.identifier.value) for each in sample_accounts(lab)}
    found: dict[str, list[str]] = {}
    elsewhere = 0
    for other in homes.keys() - {lab}:
        is_apart = homes[other] != homes[lab]
        shared = [each.identifier for each in shared_with(lab, other, is_apart=is_apart)]
        common = sorted(each.kind for each in shared if (each.kind, each.value) in own)
        if is_apart:
            elsewhere += len(shared)
        elif common:
            found[other] = common
    return ExpectedAccounts(found, elsewhere)
