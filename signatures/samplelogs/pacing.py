"""When an operator's requests are sent: spread, in bursts, as fast as quotas allow, or around a launch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from signatures.samplelogs.accounts import Account
from signatures.samplelogs.draws import Dice
from signatures.samplelogs.units import MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND

ANY: Final = -1
"""The request may go to any account."""
Times = list[tuple[int, int]]


def schedule(
    behaviour: Mapping[str, Any],
    variant: Mapping[str, Any],
    requests: int,
    work: tuple[int, int],
    accounts: Sequence[Account],
    dice: Dice,
    release_ms: int,
) -> Times:
    """(time, number of an account or ANY) of every request, in order of time. work: begin and end."""
    idle = _Idle(dice, work, dice.between(variant["idle"]))
    lull = dice.between(variant["lull"])
    match behaviour["pacing"]:
        case "bursts":
            times = _bursts(behaviour, variant, requests, work, dice)
        case "saturating":
            return sorted(_saturating(behaviour, requests, lull, accounts, dice, idle))
        case "launch":
            early = round(requests * dice.between(behaviour["before"]))
            begins = min(release_ms + int(dice.between(behaviour["delay_h"]) * MS_PER_HOUR), work[1] - 1)
            times = _spread(early, (work[0], release_ms), 0.0, dice)
            times += _spread(requests - early, (max(begins, release_ms), work[1]), lull, dice)
        case _:
            times = _spread(requests, work, lull, dice)
    return sorted((idle.awake(at), ANY) for at in times)


def _spread(requests: int, work: tuple[int, int], lull: float, dice: Dice) -> list[int]:
    """Evenly at random; in the first part, the lull, at a third of the pace."""
    begin, end = work[0], max(work[1], work[0] + 1)
    slow, times = int((end - begin) * lull), []
    for _each in range(requests):
        at = begin + int((end - begin) * dice.fraction())
        if at < begin + slow and not dice.chance(1 / 3):
            at = begin + slow + int((end - begin - slow) * dice.fraction())
        times.append(at)
    return times


def _bursts(
    behaviour: Mapping[str, Any], variant: Mapping[str, Any], requests: int, work: tuple[int, int], dice: Dice
) -> list[int]:
    """Jobs: each begins at some time and is over soon."""
    count = min(max(1, round(dice.whole(behaviour["bursts"]) * dice.between(variant["thin"]))), requests)
    begins = [dice.whole(work) for _each in range(count)]
    widths = [
        int(dice.between(behaviour["width_s"]) * dice.between(variant["widen"]) * MS_PER_SECOND) for _each in begins
    ]
    which = [dice.whole((0, count - 1)) for _each in range(requests)]
    return [begins[burst] + int(widths[burst] * dice.fraction()) for burst in which]


def _saturating(
    behaviour: Mapping[str, Any], requests: int, lull: float, accounts: Sequence[Account], dice: Dice, idle: _Idle
) -> Times:
    """Each account by its own quota, evenly, from soon after it was opened until its part of the work is done."""
    times: Times = []
    share = requests // len(accounts)
    for number, account in enumerate(accounts):
        at = account.created_ms + int(dice.between(behaviour["start_min"]) * MS_PER_MINUTE)
        gap = MS_PER_HOUR / (account.plan.quota * dice.between(behaviour["fill"]))
        slow = int(share * lull * 0.4)
        for nth in range(share):
            at += int(gap * (3 if nth < slow else 1) * dice.between((0.8, 1.2)))
            at = idle.awake(at)
            times.append((at, number))
    return times


class _Idle:
    """Hours in which the operator does not work; the work waits until the next hour in which it does."""

    def __init__(self, dice: Dice, work: tuple[int, int], share: float) -> None:
        self._first = work[0] // MS_PER_HOUR
        hours = (work[1] - work[0]) // MS_PER_HOUR + 2
        self._asleep = [dice.chance(share) for _hour in range(hours)]

    def awake(self, at: int) -> int:
        hour = at // MS_PER_HOUR - self._first
        if not 0 <= hour < len(self._asleep) or not self._asleep[hour]:
            return at
        while 0 <= hour < len(self._asleep) and self._asleep[hour]:
            hour += 1
        return (self._first + hour) * MS_PER_HOUR + at % MS_PER_HOUR
