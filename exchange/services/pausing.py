"""Pauses between attempts: doubled with each failure, and spread, so that not everything is tried at one moment."""

from __future__ import annotations

import random
from typing import Final

_SPREAD: Final = 0.2


def growing_pause_s(failures: int, *, first_s: float, longest_s: float) -> float:
    """Seconds until the attempt after so many failures in a row, at least one."""
    return spread_s(min(first_s * 2.0 ** min(failures - 1, 32), longest_s))


def spread_s(seconds: float) -> float:
    """About so many seconds."""
    return seconds * random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 - spreads load, decides nothing
