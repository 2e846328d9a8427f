"""Counts what is asked for, over all web processes: the generic cell rate algorithm, one script in Valkey a request.

A bucket is one number, the instant at which it will be full again, and is gone when that has passed. The instant is
Valkey's, so that clocks of web processes do not matter.

While Valkey does not answer, everything passes (docs/adr/0011): following and publishing go on without it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from exchange.services.counters import LIMITED, UNLIMITED
from exchange.services.errors import RateLimitedError
from exchange.services.rates import REFUSED, Rate

TIMEOUT_S: Final = 0.25
"""A round trip takes some 0.1 ms; whoever needs a thousand times that is away."""

AWAY_S: Final = 5.0
"""How long Valkey is left alone after it did not answer."""

KNOWN_S: Final = 86_400
"""How long a token counts as known at an address after it was used from there."""

MAX_DEBT_US: Final = 10**15
"""Thirty years: no debt is a reason to refuse what is owed already."""

PREFIX: Final = "commonwatch:rate:"

_SCRIPT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function full_at(key)
  return math.max(now, tonumber(redis.call('GET', key) or '0'))
end

if #KEYS == 3 and redis.call('EXPIRE', KEYS[3], ARGV[6]) == 0 then
  local room = ARGV[5] - (full_at(KEYS[2]) - now)
  if room < tonumber(ARGV[4]) then
    return {2, ARGV[4] - room, room, now}
  end
  redis.call('SET', KEYS[3], '', 'EX', ARGV[6])
end

local full = full_at(KEYS[1])
local room = ARGV[3] - (full - now)
if room < tonumber(ARGV[2]) then
  return {0, ARGV[2] - room, room, now}
end
full = full + ARGV[1]
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return {1, 0, room - ARGV[1], now}
"""
"""KEYS: the bucket; for a member, the bucket of refused credentials at its address and its own mark there.
ARGV, in microseconds: what the request costs, what room it needs, what the bucket holds; one refusal, what that
bucket holds; in seconds, the life of the mark. Answers whether it may (0 no, 1 yes, 2 not from this address), how long
to wait, the room left, and the instant."""

_log: Final = logging.getLogger("exchange.limits")
_lock: Final = threading.Lock()


class Cells:
    """The connection of this process, and until when it leaves Valkey alone."""

    def __init__(self, url: str) -> None:
        # One more attempt at once: a connection that was idle while Valkey restarted is no sign that it is away.
        client = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),
        )
        self._script = client.register_script(_SCRIPT)
        self._away_until = 0.0

    def run(self, keys: Sequence[str], arguments: Sequence[int]) -> tuple[int, int, int, int] | None:
        """What the script answers; None while Valkey is away."""
        if time.monotonic() < self._away_until:
            return None
        try:
            answer = cast("list[Any]", self._script(keys=[PREFIX + key for key in keys], args=list(arguments)))
        except RedisError as error:
            # The message of the driver may name the address, and that may hold a password.
            _log.error("rate limits are off for %.0f s: the cache does not answer (%s)", AWAY_S, type(error).__name__)
            self._away_until = time.monotonic() + AWAY_S
            return None
        allowed, wait_us, room_us, now_us = (int(value) for value in answer)
        return allowed, wait_us, room_us, now_us


_cells: Cells | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is counted: `kind` of work, whose (`owner`, a token's prefix or an address), and at which rate."""

    kind: str
    owner: str
    rate: Rate

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.owner}"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left in a bucket after a request."""

    bucket: Bucket
    left_us: int

    @property
    def left(self) -> int:
        """Whole units."""
        return self.bucket.rate.units_in(self.left_us)

    @property
    def full_in_s(self) -> int:
        """Seconds until all of the burst is there again."""
        return seconds(self.bucket.rate.burst_us - self.left_us)


def take(bucket: Bucket, units: int, *, guard: Bucket | None = None) -> Allowance | None:
    """Take units from a bucket, or refuse. None if nobody counts now.

    What costs more than the burst is let in when the bucket is full, and leaves a debt. `guard` is the bucket of
    refused credentials at a member's address: while it is empty, only tokens lately used from there are let in.

    Raises:
        RateLimitedError: with the time after which the same request is let in, if nothing else comes.
    """
    rate = bucket.rate
    keys = [bucket.key]
    arguments = [rate.cost_us(units), rate.cost_us(min(units, rate.burst)), rate.burst_us]
    if guard is not None:
        keys += [guard.key, f"known:{guard.owner}:{bucket.owner}"]
        arguments += [guard.rate.cost_us(1), guard.rate.burst_us, KNOWN_S]
    answer = _connected().run(keys, arguments)
    if answer is None:
        UNLIMITED.inc()
        return None
    allowed, wait_us, room_us, _ = answer
    if allowed == 1:
        return Allowance(bucket, room_us)
    refusing = guard if allowed == 2 and guard is not None else bucket
    LIMITED.labels(refusing.kind).inc()
    what = "wrong credentials from this address" if refusing.kind == REFUSED else "requests"
    raise RateLimitedError(f"too many {what}; come again later", retry_after_s=max(1, seconds(wait_us)))


def owe(bucket: Bucket, units: int) -> None:
    """Take units for what was let in already, whether they are there or not."""
    rate = bucket.rate
    if _connected().run([bucket.key], [rate.cost_us(units), -MAX_DEBT_US, rate.burst_us]) is None:
        UNLIMITED.inc()


def seconds(microseconds: int) -> int:
    """Whole seconds, rounded up."""
    return -(-microseconds // 1_000_000)


def _connected() -> Cells:
    global _cells
    with _lock:
        if _cells is None:
            _cells = Cells(settings.LIMITS_URL)
        return _cells
