"""Slows down guessing at the sign-in page: failures are counted by address and user name, in the cache.

django-otp slows down guesses of one person's code by itself; this also covers passwords, and names that nobody has.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

MAX_FAILURES: Final = 10
WINDOW_S: Final = 900
"""OWASP leaves both numbers to the site; ten mistakes in 15 min are no typing errors."""

_log: Final = logging.getLogger("exchange.admin")


def is_locked(address: str, username: str) -> bool:
    """Whether this address has failed too often with this name. Without a cache nobody is locked out."""
    try:
        return int(cache.get(_key(address, username), 0)) >= MAX_FAILURES
    except RedisError:
        _log.warning("sign-in without a cache: failures are not counted")
        return False


def count_failure(address: str, username: str) -> None:
    """Count one; the window begins with the first."""
    key = _key(address, username)
    try:
        if not cache.add(key, 1, WINDOW_S):
            cache.incr(key)
    except RedisError:
        _log.warning("sign-in without a cache: a failure is not counted")
    except ValueError:
        # The window ended between the two calls.
        cache.set(key, 1, WINDOW_S)


def forget_failures(address: str, username: str) -> None:
    """After success."""
    try:
        cache.delete(_key(address, username))
    except RedisError:
        _log.warning("sign-in without a cache: failures are not forgotten")


def _key(address: str, username: str) -> str:
    """User names stay out of the cache."""
    digest = hashlib.sha256(f"{address}\0{username.casefold()}".encode("utf-8", "replace")).hexdigest()
    return f"sign-in:{digest}"
