"""How long after a block the same template comes from another account (`llmx.block.failover_s`), from the events."""

from __future__ import annotations

from typing import Final

import numpy as np

from signatures.samplelogs.draws import Integers, Numbers, Words
from signatures.samplelogs.rows import BLOCKED, REQUEST, Rows
from signatures.samplelogs.units import MS_PER_DAY, MS_PER_SECOND

_REMEMBERED_MS: Final = MS_PER_DAY
"""A gateway does not wait for ever."""


class Failovers:
    """Blocks whose template has not come from elsewhere yet."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, int]] = {}

    def of_rows(self, rows: Rows, template: Words) -> Numbers:
        """Seconds, for the first request after each block; NaN for all others. Rows come by time."""
        answer = np.full(len(rows), np.nan)
        for at in self._candidates(rows, template):
            word, when, account = int(template[at]), int(rows.at[at]), int(rows.account[at])
            if rows.event[at] == BLOCKED:
                self._waiting[word] = (when, account)
                continue
            if word not in self._waiting:
                continue
            blocked_at, blocked = self._waiting[word]
            if account != blocked:
                answer[at] = round((when - blocked_at) / MS_PER_SECOND, 3)
                del self._waiting[word]
        if len(rows):
            oldest = int(rows.at[-1]) - _REMEMBERED_MS
            self._waiting = {word: block for word, block in self._waiting.items() if block[0] > oldest}
        return answer

    def _candidates(self, rows: Rows, template: Words) -> Integers:
        is_block = rows.event == BLOCKED
        words = np.concatenate([np.array(list(self._waiting), dtype=np.uint64), template[is_block]])
        if not len(words):
            return np.zeros(0, dtype=np.int64)
        is_request = (rows.event == REQUEST) & ~rows.is_shut_out
        return np.flatnonzero(is_block | (is_request & np.isin(template, words)))
