"""Publishes the samples as the labs, each at its home, and looks at what every lab gets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from exchange.quickstart.accounts import PINS_FILE, Account
from exchange.quickstart.crossing import Crossing, crossings_of
from exchange.quickstart.labs import LABS, labs_of
from exchange.quickstart.looking_up import (
    AccountLookup,
    AddressLookup,
    addresses_of,
    expected_accounts,
    look_up_accounts,
    look_up_addresses,
)
from exchange.quickstart.nodes import RunningNode
from exchange.quickstart.publication import PUBLISHED_FILE, publish_identities, publish_samples, sample_identities
from exchange.quickstart.selectors import SELECTORS_FILE, publish_selectors
from exchange.quickstart.viewing import LabView, view_as
from exchange.samples import expected_views

# Most of it is for a machine that is busy: a page takes well under a second.
CROSSING_TIMEOUT_S = 60.0
LOOK_INTERVAL_S = 0.5


class Showing:
    """The labs that have their homes at these nodes, what they published and what they get."""

    def __init__(
        self, nodes: Sequence[RunningNode], accounts: Mapping[str, Account], persons: Mapping[str, str]
    ) -> None:
        """persons: identity ids of the labs' persons."""
        self.nodes = nodes
        self.labs = labs_of([node.demo for node in nodes])
        self.views: list[LabView] = []
        self.addresses: list[AddressLookup] = []
        self.accounts: list[AccountLookup] = []
        self._accounts = accounts
        self._identities = sample_identities(accounts, persons)
        self._homes = {demo.slug: node.demo.name for demo in self.labs for node in nodes if demo in node.demo.labs}
        self._data_dir = nodes[0].data_dir
        self._marker = nodes[0].home / PUBLISHED_FILE

    def publish_identities(self) -> None:
        """Publish each lab's identity at its home.

        Raises:
            QuickstartError: a node refused one.
        """
        publish_identities(self.labs, self._accounts, self._data_dir)

    def publish_samples(self) -> int:
        """Publish the samples of the labs that have not done so yet; answers how many.

        Raises:
            QuickstartError: a node refused one.
        """
        return publish_samples(self.labs, self._accounts, self._identities, self._marker)

    def publish_selectors(self) -> int:
        """Publish the selectors of the labs that have not done so yet; answers how many.

        Raises:
            QuickstartError: an issuer cannot be believed, or a node refused an object.
        """
        marker = self._marker.with_name(SELECTORS_FILE)
        return sum(publish_selectors(self.labs, self._accounts, self._data_dir, marker).values())

    def look(self, between: Callable[[], None], *, wait: bool) -> None:
        """Pull as each lab. wait: again, until each has what the policy promises or the time for it is over.

        Raises:
            QuickstartError: a node cannot be read.
        """
        deadline = time.monotonic() + CROSSING_TIMEOUT_S
        views = {demo.slug: self._view(demo.slug) for demo in self.labs}
        for lab in views:
            # One after the other: to look costs the time in which the workers could pull.
            while wait and views[lab].missing and time.monotonic() < deadline:
                between()
                time.sleep(LOOK_INTERVAL_S)
                views[lab] = self._view(lab)
        self.views = list(views.values())

    def look_up(self, between: Callable[[], None]) -> None:
        """Ask as each lab about two addresses and its accounts, until the selectors have crossed or time is over.

        Raises:
            QuickstartError: a node does not answer.
        """
        deadline = time.monotonic() + CROSSING_TIMEOUT_S
        pins, addresses = self._data_dir / PINS_FILE, addresses_of(self._identities)
        expected = expected_views(apart=self._is_apart)
        for lab in self._homes:
            account, promised = self._accounts[lab], expected_accounts(lab, self._homes)
            self.addresses += look_up_addresses(account, expected[lab], addresses)
            found = look_up_accounts(account, pins)
            while not found.is_as_promised(promised) and time.monotonic() < deadline:
                between()
                time.sleep(LOOK_INTERVAL_S)
                found = look_up_accounts(account, pins)
            self.accounts.append(found)

    @property
    def wrong_lookups(self) -> list[str]:
        """Labs that were told something else than the samples promise; there should be none."""
        wrong = {each.lab for each in self.addresses if not each.is_as_promised}
        wrong |= {
            each.lab for each in self.accounts if not each.is_as_promised(expected_accounts(each.lab, self._homes))
        }
        return [lab for lab in self._homes if lab in wrong]

    @property
    def crossings(self) -> list[Crossing]:
        """What crossed between two exchanges; nothing where there is one, or nothing was published."""
        if len(self.nodes) < 2 or not self._marker.exists():
            return []
        return crossings_of([node.demo for node in self.nodes], self.views, self._identities)

    @property
    def _is_apart(self) -> bool:
        """Cobalt has its home with the others, or at the second exchange, started or not."""
        return any(demo not in self.nodes[0].demo.labs for demo in LABS)

    def _view(self, lab: str) -> LabView:
        expected = expected_views(apart=self._is_apart)[lab] if self._marker.exists() else {}
        return view_as(self._accounts[lab], self._data_dir / PINS_FILE, self._identities, expected)
