"""Rates: how much of a kind of work may be asked for, as text and as numbers. It counts nothing; limiting.py does.

As text, in RATE_LIMITS and in a token's bounds: `read=200/s:2000 publish=2048/s:131072`, which is the kind, units in a
second, minute (m) or hour (h), and after the colon how many of them may be used at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

READ: Final = "read"
"""Requests of a token that read, one unit each."""

PUBLISH: Final = "publish"
"""Requests of a token that write: `REQUEST_UNITS`, and one unit for each KiB of the body."""

ANONYMOUS: Final = "anonymous"
"""Requests without credentials, one unit each, for each source address."""

REFUSED: Final = "refused"
"""Credentials that open nothing, one unit each, for each source address."""

KINDS: Final = (READ, PUBLISH, ANONYMOUS, REFUSED)
TOKEN_KINDS: Final = (READ, PUBLISH)

REQUEST_UNITS: Final = 16
"""What a request that writes costs before its body: a transaction and a place in the sequence."""

UNIT_BYTES: Final = 1_024
MAX_UNITS: Final = 1_000_000_000

_PERIODS_S: Final = {"s": 1, "m": 60, "h": 3_600}
_FORM: Final = re.compile(r"([a-z]+)=([0-9]{1,10})/([smh]):([0-9]{1,10})")


class RateSyntaxError(Exception):
    """Text that is no list of rates; the message says where and what is expected."""


MAX_BURST_US: Final = 2**52
"""Valkey's numbers are exact up to 2^53."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`units` in `period_s` seconds for ever, `burst` at once after a rest."""

    units: int
    period_s: int
    burst: int

    def cost_us(self, units: int) -> int:
        """The time in microseconds after which this many units are there again, rounded up."""
        return -(-units * self.period_s * 1_000_000 // self.units)

    @property
    def burst_us(self) -> int:
        """The time in microseconds in which an empty bucket fills."""
        return self.cost_us(self.burst)

    def units_in(self, room_us: int) -> int:
        """The whole units for which this much time has room, never below 0."""
        return max(0, room_us * self.units // (self.period_s * 1_000_000))


DEFAULT_RATES: Final[Mapping[str, Rate]] = MappingProxyType(
    {
        # A follower asks once a second; a full pull of a million objects in pages of 1,000 fits the burst.
        READ: Rate(200, 1, 2_000),
        # 2 MiB a second, and 128 MiB at once: some 100,000 objects.
        PUBLISH: Rate(2_048, 1, 131_072),
        ANONYMOUS: Rate(20, 1, 200),
        REFUSED: Rate(10, 60, 20),
    }
)


@lru_cache(maxsize=1_024)
def parse_rates(text: str, kinds: Collection[str] = KINDS) -> Mapping[str, Rate]:
    """The rates in a text, by kind; {} for an empty one.

    Raises:
        RateSyntaxError: a member of another form, an unknown kind, one that stands twice, or a number out of range.
    """
    found: dict[str, Rate] = {}
    for member in text.replace(",", " ").split():
        matched = _FORM.fullmatch(member)
        if matched is None:
            raise RateSyntaxError(f"{member[:60]!r} is not of the form read=200/s:2000")
        kind, units, burst = matched[1], int(matched[2]), int(matched[4])
        if kind not in kinds or kind in found:
            fault = "stands twice" if kind in found else f"is unknown; known are {', '.join(kinds)}"
            raise RateSyntaxError(f"{kind[:60]!r} {fault}")
        if not (1 <= units <= MAX_UNITS and 1 <= burst <= MAX_UNITS):
            raise RateSyntaxError(f"{member!r} has a number that is not from 1 to {MAX_UNITS}")
        rate = Rate(units, _PERIODS_S[matched[3]], burst)
        if rate.burst_us > MAX_BURST_US:
            raise RateSyntaxError(f"{member!r} would take more than a century to rest")
        found[kind] = rate
    return MappingProxyType(found)
