"""What the time since it was last seen leaves of a claim about a network. Half-lives stand in decay.toml.

The weight is of time alone. A producer's confidence is its own word and is never mixed with it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

_TABLE: Final[dict[str, Any]] = tomllib.loads(files("attribution.claims").joinpath("decay.toml").read_text("utf-8"))

UNNAMED: Final = ""
"""Kind of an address that is named by an observable or a pattern."""

HALF_LIFE_DAYS: Final[Mapping[str, float]] = {
    UNNAMED if kind == "unnamed" else kind: float(days) for kind, days in _TABLE["half_life_days"].items()
}
STALE_BELOW: Final = float(_TABLE["stale_below"])
"""What weighs less has decayed away, and is shown to those alone who ask for it."""

_DAY_S: Final = 86_400.0


def weight_of(kind: str, age_s: float) -> float:
    """From 1 (seen now, or in the future) towards 0. age_s: seconds since it was last seen."""
    if age_s <= 0:
        return 1.0
    return float(2.0 ** (-age_s / (_DAY_S * HALF_LIFE_DAYS[kind])))


def is_stale(weight: float) -> bool:
    """Whether default answers leave it out."""
    return weight < STALE_BELOW
