"""Puts together who acts in a log, and everything that is decided before its first hour: campaigns, and what happens to
accounts. Campaigns come to one event of a hundred, whatever blocks and new accounts add to their work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from signatures.samplelogs.accounts import NO_TEMPLATE, Account, TemplateBook
from signatures.samplelogs.draws import drawn, key_of
from signatures.samplelogs.honest import settle
from signatures.samplelogs.operators import Campaign, moved_into, run_campaign
from signatures.samplelogs.planning import BENIGN_PER_CAMPAIGN, Plan, natural_requests
from signatures.samplelogs.rows import BLOCKED, CREATED, KEY_CREATED, UNBLOCKED, Rows
from signatures.samplelogs.span import Span
from signatures.samplelogs.traffic import HonestTraffic
from signatures.samplelogs.units import MS_PER_HOUR, MS_PER_MINUTE

_KEY_AFTER_MS: Final = 2 * MS_PER_MINUTE
_ATTEMPTS: Final = 4
_NEAR: Final = 0.02
_MOST_ACCOUNT_EVENTS: Final = 0.25
"""Of the benign rows: in a log of a few hundred rows, most of what happens is that accounts are opened."""

_Planted = tuple[int, int, int, int, int, bool, bool]
_PARTS: Final = ("at", "account", "event", "template", "model", "is_loose", "is_shut_out")


class Assembly:
    """The accounts and templates of a log, its honest requests by the hour, and what is planted between them.

    size: of the campaigns, on average; 1 is natural, 0 is none.
    """

    def __init__(self, plan: Plan) -> None:
        self.span, seed = plan.span, plan.options.seed
        self.book, campaigns = _campaigns(plan)
        natural = sum(natural_requests(each.name) for each in plan.campaigns)
        self.size = round(_events_of(campaigns) / natural, 3) if natural else 0.0
        rows = plan.options.rows - _events_of(campaigns)
        honest = settle(self.book, seed, plan.span, rows)
        events = _account_events(honest, plan.span, int(rows * _MOST_ACCOUNT_EVENTS))
        self.traffic = HonestTraffic(honest, seed, plan.span, rows - len(events))
        self.accounts: list[Account] = honest + [account for each in campaigns for account in each.accounts]
        planted = sorted([*events, *_campaign_events(campaigns, len(honest))])
        self._planted = _rows_of(planted, key_of(seed, "planted"))

    def planted(self, hour: int) -> Rows:
        """What campaigns do and what happens to accounts in one hour, by time."""
        begin = self.span.start_ms + hour * MS_PER_HOUR
        first, last = np.searchsorted(self._planted.at, [begin, begin + MS_PER_HOUR])
        return self._planted.take(slice(int(first), int(last)))


def _campaigns(plan: Plan) -> tuple[TemplateBook, list[Campaign]]:
    """Run all campaigns; once or twice more, smaller, if blocks and new accounts made them too large."""
    budget = plan.options.rows / (BENIGN_PER_CAMPAIGN + 1)
    size = 1.0
    for _attempt in range(_ATTEMPTS):
        book = TemplateBook()
        campaigns = [
            moved_into(
                run_campaign(each.name, each.number, each.size * size, book, plan.options.seed, plan.span), plan.span
            )
            for each in plan.campaigns
        ]
        events = _events_of(campaigns)
        if not events or abs(events / budget - 1) < _NEAR:
            break
        size *= budget / events
    return book, campaigns


def _events_of(campaigns: Sequence[Campaign]) -> int:
    return sum(len(campaign.events) for campaign in campaigns)


def _account_events(accounts: Sequence[Account], span: Span, most: int) -> list[_Planted]:
    """What happens to honest accounts within the log; not more than `most`, the first accounts first."""
    events: list[_Planted] = []
    for number, account in enumerate(accounts):
        happened = [
            (account.created_ms, CREATED, NO_TEMPLATE),
            (account.created_ms + _KEY_AFTER_MS, KEY_CREATED, NO_TEMPLATE),
        ]
        for begin, end in account.blocks:
            happened += [(begin, BLOCKED, account.templates[0]), (end, UNBLOCKED, NO_TEMPLATE)]
        events += [
            (at, number, event, template, 0, False, False)
            for at, event, template in happened
            if span.start_ms <= at < span.end_ms
        ]
    return events[:most]


def _campaign_events(campaigns: Sequence[Campaign], first: int) -> Iterator[_Planted]:
    for campaign in campaigns:
        for each in campaign.events:
            number = first + each.account
            yield each.at, number, each.event, each.template, each.model, each.is_loose, each.is_shut_out
        first += len(campaign.accounts)


def _rows_of(planted: Sequence[_Planted], key: int) -> Rows:
    columns = np.array(planted, dtype=np.int64).reshape(len(planted), len(_PARTS)).T
    at, account, event, template, model, is_loose, is_shut_out = columns
    return Rows(
        account=account,
        at=at,
        template=template,
        word=drawn(key, np.arange(len(at))),
        model=model,
        event=event,
        is_loose=is_loose.astype(bool),
        is_shut_out=is_shut_out.astype(bool),
    )
