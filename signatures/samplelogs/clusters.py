"""Clusters of accounts as the provider of the model would compute them, from what it knows of accounts alone.

Accounts are in one cluster if they pay with the same instrument, belong to the same organisation, or came with the same
client, from the same network, under the same disposable mail domain. Campaigns are not looked at: an operator who buys
a card for each account has no cluster, and honest accounts of one company have one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from signatures.samplelogs.accounts import Account
from signatures.samplelogs.names import identifier


def clusters_of(accounts: Sequence[Account]) -> list[str]:
    """For each account the id of its cluster; "" for one that is alone."""
    leader = list(range(len(accounts)))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    first: dict[Hashable, int] = {}
    for number, account in enumerate(accounts):
        for bond in _bonds(account):
            other = find(first.setdefault(bond, number))
            leader[max(find(number), other)] = min(find(number), other)
    members: dict[int, int] = {}
    for number in range(len(accounts)):
        members[find(number)] = members.get(find(number), 0) + 1
    # Named by their first account's digits, turned around, so that the id says nothing.
    return [
        identifier("cluster", int(accounts[find(number)].id[-12:][::-1], 16) << 16) if members[find(number)] > 1 else ""
        for number in range(len(accounts))
    ]


def _bonds(account: Account) -> Iterator[Hashable]:
    if account.instrument:
        yield "instrument", account.instrument
    if account.org:
        yield "organisation", account.org
    if account.is_disposable:
        yield "client", account.tls, account.asn, account.email_domain
