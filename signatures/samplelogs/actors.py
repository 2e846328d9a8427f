"""Reads the descriptions of actors: populations that use the gateway honestly, and operators of campaigns."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from signatures.samplelogs.accounts import Plan
from signatures.samplelogs.units import DAYS_PER_WEEK, HOURS_PER_DAY, WORKDAYS

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Country:
    """Where a customer is. Countries never tell honest customers from operators: all are drawn alike."""

    code: str
    zone_h: int
    language: str


@dataclass(frozen=True, slots=True)
class Actors:
    """Everything in the two files. rhythms: 168 weights, from Monday 0:00 of local time on, 1 on average."""

    plans: Mapping[str, Plan]
    rhythms: Mapping[str, tuple[float, ...]]
    countries: tuple[Country, ...]
    populations: Mapping[str, Mapping[str, Any]]
    behaviours: Mapping[str, Mapping[str, Any]]
    variants: Mapping[str, Mapping[str, Any]]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))


def _rhythm(hours: list[float], weekend: float) -> tuple[float, ...]:
    week = [hour * (1 if day < WORKDAYS else weekend) for day in range(DAYS_PER_WEEK) for hour in hours]
    mean = sum(week) / len(week)
    assert len(hours) == HOURS_PER_DAY
    return tuple(round(weight / mean, 6) for weight in week)


def _actors() -> Actors:
    honest, operators = _read("populations.toml"), _read("campaigns.toml")
    return Actors(
        plans={name: Plan(name, quota) for name, quota in honest["plans"].items()},
        rhythms={name: _rhythm(**rhythm) for name, rhythm in honest["rhythm"].items()},
        countries=tuple(Country(**country) for country in honest["country"]),
        populations={population["name"]: population for population in honest["population"]},
        behaviours=operators["behaviour"],
        variants=operators["variant"],
    )


ACTORS: Final = _actors()
CAMPAIGNS: Final = tuple(f"{behaviour}-{variant}" for variant in ACTORS.variants for behaviour in ACTORS.behaviours)
"""Names of all campaigns, in the order in which a small log takes them up."""
LOOKALIKES: Final = tuple(name for name in ACTORS.populations if name != "ordinary")
"""Names of all honest populations that look like a campaign in something."""
