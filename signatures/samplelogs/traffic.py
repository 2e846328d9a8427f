"""Requests of honest accounts, hour by hour.

Each account has a rate, a rhythm of the week and runs in which it works; what it sends in an hour is drawn from these
alone, so any hour can be made without the others. Requests are thinned evenly to the number that was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from signatures.samplelogs.accounts import Account
from signatures.samplelogs.actors import ACTORS
from signatures.samplelogs.draws import (
    Flags,
    Integers,
    Numbers,
    Words,
    below,
    drawn,
    exponential,
    fractions,
    key_of,
    mixed,
)
from signatures.samplelogs.rows import REQUEST, Rows
from signatures.samplelogs.span import Span
from signatures.samplelogs.units import (
    HOURS_FROM_MONDAY_TO_1970,
    HOURS_PER_DAY,
    HOURS_PER_WEEK,
    MS_PER_DAY,
    MS_PER_HOUR,
)

_HALF_LIFE_H: Final = 20.0
_ADOPTION_DAYS: Final = 3.0
_MINI: Final = 0.34
"""Share of requests that go to the small model."""
_WHILE_BLOCKED: Final = 0.04
_SPARE: Final = 1.04
"""More requests than are needed are drawn, because thinning can only take away."""
_MOST_IN_AN_HOUR: Final = 1_000_000


class HonestTraffic:
    """What the accounts send. Accounts are numbered as they come. rows: how many requests there will be."""

    def __init__(self, accounts: Sequence[Account], seed: int, span: Span, rows: int) -> None:
        self._span, self._wanted = span, rows
        self._keys = [key_of(seed, f"traffic {purpose}") for purpose in ("on", "counts", "rows", "runs")]
        self._first_hour = span.start_ms // MS_PER_HOUR
        self._read(accounts)
        self._factor = 1.0
        self._before = self._fit()
        # For each hour, how many requests are drawn before it, and the total at the end.

    def _read(self, accounts: Sequence[Account]) -> None:
        names = list(ACTORS.rhythms)
        weeks = np.array([ACTORS.rhythms[name] for name in names])
        self._weeks = weeks[[names.index(account.rhythm) for account in accounts]].T.copy()
        self._zone = np.array([account.zone_h for account in accounts])
        self._rate = np.array([account.per_day / HOURS_PER_DAY for account in accounts])
        self._on = np.array([account.on for account in accounts])
        self._run_hours = np.array([account.run_hours for account in accounts])
        self._width = np.array([account.width_ms for account in accounts])
        self._unevenness = np.array([account.unevenness for account in accounts])
        self._launch = np.array([account.launch_gain for account in accounts])
        self._adoption = np.array([account.adoption for account in accounts])
        self._created = np.array([account.created_ms for account in accounts])
        never = (self._span.end_ms, self._span.end_ms)
        blocks = np.array([account.blocks[0] if account.blocks else never for account in accounts]).reshape(-1, 2)
        self._blocked, self._unblocked = blocks[:, 0], blocks[:, 1]
        self._templates = np.array([account.templates for account in accounts]).reshape(-1, 2)
        self._loose = np.array([account.loose for account in accounts])
        self._one_off = np.array([account.one_off for account in accounts])
        self._number = np.arange(len(accounts))

    def _fit(self) -> Integers:
        """Choose the factor of all rates so that a little more is drawn than wanted; answers how much by hour."""
        expected = sum(float(self._expected(hour).sum()) for hour in range(self._span.hours))
        self._factor = self._wanted * _SPARE / max(expected, 1.0)
        while True:
            counts = [int(self._counts(hour).sum()) for hour in range(self._span.hours)]
            if sum(counts) >= self._wanted:
                return np.concatenate([[0], np.cumsum(counts)])
            self._factor *= _SPARE

    def _expected(self, hour: int) -> Numbers:
        """Requests of each account in this hour, on average over its runs."""
        week = (self._first_hour + hour + HOURS_FROM_MONDAY_TO_1970 + self._zone) % HOURS_PER_WEEK
        rate = self._rate * self._weeks[week, self._number] * self._factor
        begin = self._span.start_ms + hour * MS_PER_HOUR
        since_h = (begin - self._span.release_ms) / MS_PER_HOUR
        if since_h >= 0:
            # Rounded, because libraries differ in the last bit of a power.
            rate = rate * (1 + self._launch * round(0.5 ** (since_h / _HALF_LIFE_H), 6))
        here = np.clip((begin + MS_PER_HOUR - self._created) / MS_PER_HOUR, 0.0, 1.0)
        shut = (begin >= self._blocked) & (begin + MS_PER_HOUR <= self._unblocked)
        expected: Numbers = rate * here * np.where(shut, _WHILE_BLOCKED, 1.0)
        return expected

    def _counts(self, hour: int) -> Integers:
        on_key, count_key, _rows, _runs = self._keys
        now = self._first_hour + hour
        works = fractions(drawn(on_key, self._number, now // self._run_hours)) < self._on
        word = drawn(count_key, self._number, now)
        uneven = 1 - self._unevenness + self._unevenness * exponential(word)
        rate = np.where(works, self._expected(hour) / self._on * uneven, 0.0)
        return np.minimum((rate + fractions(mixed(word))).astype(np.int64), _MOST_IN_AN_HOUR)

    def rows(self, hour: int) -> Rows:
        """The requests of one hour."""
        counts = self._counts(hour)
        account = np.repeat(self._number, counts)
        nth = np.arange(len(account)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = self._thinned(int(self._before[hour]), len(account))
        account, nth = account[kept], nth[kept]
        word = drawn(self._keys[2], account, nth, hour)
        at = self._times(hour, account, mixed(word + np.uint64(1)))
        first, count = self._templates[account, 0], self._templates[account, 1]
        choice = fractions(mixed(word + np.uint64(2)))
        is_loose = fractions(mixed(word + np.uint64(3))) < self._one_off[account]
        template = np.where(is_loose, self._loose[account], first + (count * choice * choice).astype(np.int64))
        return Rows(
            account=account,
            at=at,
            template=template,
            word=word,
            model=self._models(account, at, fractions(mixed(word + np.uint64(4)))),
            event=np.full(len(account), REQUEST),
            is_loose=is_loose,
            is_shut_out=(at >= self._blocked[account]) & (at < self._unblocked[account]),
        )

    def _thinned(self, before: int, count: int) -> Flags:
        """Which of the drawn requests stay: evenly, so many as were asked for in the whole log."""
        number = before + np.arange(count + 1)
        kept = number * self._wanted // max(int(self._before[-1]), 1)
        return kept[1:] > kept[:-1]

    def _times(self, hour: int, account: Integers, word: Words) -> Integers:
        begin = self._span.start_ms + hour * MS_PER_HOUR
        earliest = np.maximum(self._created[account], begin)
        room = begin + MS_PER_HOUR - earliest
        width = np.where(self._width[account] > 0, np.minimum(self._width[account], room), room)
        start = earliest + below(drawn(self._keys[3], account, hour), room - width + 1)
        at: Integers = start + below(word, np.maximum(width, 1))
        return at

    def _models(self, account: Integers, at: Integers, choice: Numbers) -> Integers:
        age_days = (at - self._span.release_ms) / MS_PER_DAY
        adopted = self._adoption[account] * np.clip(age_days + 1, 0.0, _ADOPTION_DAYS) / _ADOPTION_DAYS
        takes_new = (at >= self._span.release_ms) & (choice < adopted)
        return np.where(takes_new, 2, np.where(choice > 1 - _MINI, 1, 0))
