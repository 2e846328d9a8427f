"""Warns publishers whose objects name networks that are not to be blocked. It refuses nothing: they may be right.

The publishing service finds `advise_publishers` by its dotted path in the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attribution.protection.marks import marks_for
from attribution.protection.networks import networks_in
from attribution.protection.shield import Mark

CODE: Final = "covers-protected"

MAX_WARNINGS: Final = 20
"""Of one object, which may name 10,000 networks; one more warning counts the rest."""

PublishingWarning = tuple[str, str, str]


def advise_publishers(objects: Sequence[Mapping[str, Any]]) -> list[tuple[PublishingWarning, ...]]:
    """Warnings for each of these checked objects: code, JSON pointer and message. One statement, or none."""
    named = [(place, *each) for place, members in enumerate(objects) for each in networks_in(members)]
    marks = marks_for([net for _, _, net in named])
    found: list[list[PublishingWarning]] = [[] for _ in objects]
    for (place, pointer, net), mark in zip(named, marks, strict=True):
        if mark is not None:
            found[place].append((CODE, pointer, _message(net, mark)))
    return [_bounded(warnings) for warnings in found]


def _message(net: str, mark: Mark) -> str:
    until = mark.to_json()["until"]
    return f"{net} overlaps {mark.net}, not to be blocked until {until}: {mark.title} ({mark.reason})"


def _bounded(warnings: list[PublishingWarning]) -> tuple[PublishingWarning, ...]:
    more = len(warnings) - MAX_WARNINGS
    if more <= 0:
        return tuple(warnings)
    return (*warnings[:MAX_WARNINGS], (CODE, "", f"{more} more of its networks overlap what is not to be blocked"))
