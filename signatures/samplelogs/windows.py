"""The aggregates that a gateway keeps for each account, computed from the events of the log, hour by hour.

requests, quota_ratio: in the hour of the clock, up to and with the event. active_hours: hours with requests among that
hour and the 23 before. idle_max_s: the longest pause that ended in those hours, at most a day. first_peak_latency_s:
from the creation of the account until it first used nine tenths of its quota (as the vocabulary defines it), from that
event on. template_entropy and diversity: of the 24 full hours before, brought up to date when an hour begins, the
second from a sketch of 64 bits, as gateways keep it. What was before the log is not known to it: all of them begin with
the log.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from signatures.samplelogs.draws import Flags, Integers, Numbers, Words
from signatures.samplelogs.units import HOURS_PER_DAY, MS_PER_DAY

PEAK: Final = 0.9
"""Of the quota; from the vocabulary's definition of `llmx.account.first_peak_latency_s`."""
_DAY_MASK: Final = np.uint32((1 << HOURS_PER_DAY) - 1)
_SKETCH_BITS: Final = 64
_UNKNOWN: Final = -1
# Far more than any pause, far less than what an int64 holds with millions of accounts.
_APART: Final = 1 << 38
# n * log2(n) in billionths, exact sums of whole numbers; beyond the table counts are halved until they are in it.
_TABLE: Final = 1 << 17
_N_LOG_N: Final = np.array([0] + [round(n * math.log2(n) * 1e9) for n in range(1, _TABLE)], dtype=np.int64)
# Linear counting (Whang and others, 1990): distinct values by bits that are set.
_DISTINCT: Final = np.array(
    [round(-_SKETCH_BITS * math.log((_SKETCH_BITS - min(n, 63.5)) / _SKETCH_BITS), 3) for n in range(_SKETCH_BITS + 1)]
)


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Of each row, in its order. NaN and -1 where nothing is known."""

    requests: Integers
    quota_ratio: Numbers
    active_hours: Integers
    idle_max_ms: Integers
    entropy: Numbers
    diversity: Numbers
    first_peak_ms: Integers


class Windows:
    """State of all accounts, by number. quotas: requests an hour. created: milliseconds."""

    def __init__(self, quotas: Integers, created: Integers, families: int) -> None:
        count = len(quotas)
        self._quotas, self._created, self._families = quotas, created, families
        self._hours = np.zeros(count, dtype=np.uint32)
        self._last = np.full(count, _UNKNOWN, dtype=np.int64)
        self._pauses = np.zeros((HOURS_PER_DAY, count), dtype=np.int64)
        self._seen = np.zeros((HOURS_PER_DAY, count), dtype=np.uint64)
        self._peak = np.full(count, _UNKNOWN, dtype=np.int64)
        self._by_family = np.zeros((count, families), dtype=np.int32)
        self._past: deque[tuple[Integers, Integers]] = deque(
            [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))] * HOURS_PER_DAY
        )

    def of_hour(self, hour: int, account: Integers, at: Integers, family: Integers, template: Words) -> Aggregates:
        """The aggregates of one hour's requests, which come by account and then by time.

        family: number from 0 on. template: hash. Hours come one by one, also those without requests.
        """
        begins = np.flatnonzero(np.concatenate([[True], account[1:] != account[:-1]])) if len(account) else _NONE
        counts = np.diff(np.append(begins, len(account)))
        users = account[begins]
        slot = hour % HOURS_PER_DAY
        self._hours = (self._hours << np.uint32(1)) & _DAY_MASK
        self._hours[users] |= np.uint32(1)
        self._pauses[slot] = 0
        entropy, diversity = self._mixture(users)
        running = np.arange(len(account)) - np.repeat(begins, counts) + 1
        answer = Aggregates(
            requests=running,
            quota_ratio=np.round(running / self._quotas[account], 3),
            active_hours=np.repeat(np.bitwise_count(self._hours[users]).astype(np.int64), counts),
            idle_max_ms=self._idle(users, begins, counts, at, slot),
            entropy=np.repeat(entropy, counts),
            diversity=np.repeat(diversity, counts),
            first_peak_ms=self._peaks(account, at, running),
        )
        self._remember(users, begins, account, family, template, slot)
        return answer

    def _idle(self, users: Integers, begins: Integers, counts: Integers, at: Integers, slot: int) -> Integers:
        if not len(at):
            return at
        before = np.concatenate([[0], at[:-1]])
        before[begins] = self._last[users]
        pause = np.where(before == _UNKNOWN, 0, np.minimum(at - before, MS_PER_DAY))
        # The largest so far within each account: accounts are lifted above one another.
        group = np.repeat(np.arange(len(users)), counts) * _APART
        largest = np.maximum.accumulate(pause + group) - group
        past = self._pauses[:, users].max(axis=0)
        ends = begins + counts - 1
        self._pauses[slot, users] = largest[ends]
        self._last[users] = at[ends]
        longest = np.maximum(largest, np.repeat(past, counts))
        return np.where(longest == 0, _UNKNOWN, longest)

    def _peaks(self, account: Integers, at: Integers, running: Integers) -> Integers:
        high: Flags = (running >= self._quotas[account] * PEAK) & (self._peak[account] == _UNKNOWN)
        which = np.flatnonzero(high)
        # Backwards, so that the first of an account is what stays.
        self._peak[account[which[::-1]]] = at[which[::-1]] - self._created[account[which[::-1]]]
        peak = self._peak[account]
        return np.where((peak != _UNKNOWN) & (at - self._created[account] >= peak), peak, _UNKNOWN)

    def _mixture(self, users: Integers) -> tuple[Numbers, Numbers]:
        counts = self._by_family[users].astype(np.int64)
        total = counts.sum(axis=1)
        while len(total) and total.max() >= _TABLE:
            counts //= 2
            total = counts.sum(axis=1)
        known = np.maximum(total, 1)
        spread = (_N_LOG_N[known] - _N_LOG_N[counts].sum(axis=1)) // known
        entropy = np.where(total > 0, np.round(spread / 1e9, 3), np.nan)
        sketch = np.bitwise_or.reduce(self._seen[:, users], axis=0)
        distinct = _DISTINCT[np.bitwise_count(sketch)]
        diversity = np.where(total > 0, np.round(np.minimum(distinct / known, 1.0), 3), np.nan)
        return entropy, diversity

    def _remember(
        self, users: Integers, begins: Integers, account: Integers, family: Integers, template: Words, slot: int
    ) -> None:
        cells, counts = np.unique(account * self._families + family, return_counts=True)
        gone, gone_counts = self._past.popleft()
        self._past.append((cells, counts))
        flat = self._by_family.reshape(-1)
        flat[gone] -= gone_counts.astype(np.int32)
        flat[cells] += counts.astype(np.int32)
        self._seen[slot] = 0
        if len(users):
            bits = np.uint64(1) << (template & np.uint64(_SKETCH_BITS - 1))
            self._seen[slot, users] = np.bitwise_or.reduceat(bits, begins)


_NONE: Final = np.zeros(0, dtype=np.intp)
