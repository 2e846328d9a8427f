"""When a log begins and ends, and which models there are in that time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from signatures.samplelogs.draws import Dice
from signatures.samplelogs.units import MS_PER_DAY, MS_PER_HOUR

_NEW_MODEL_AT: Final = (0.3, 0.55)
"""In which part of the log the new model comes out."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the provider."""

    name: str
    released_ms: int


@dataclass(frozen=True, slots=True)
class Span:
    """start_ms: a full hour. models: the last one comes out within the span."""

    start_ms: int
    hours: int
    models: tuple[Model, ...]

    @property
    def end_ms(self) -> int:
        """The first moment after the span."""
        return self.start_ms + self.hours * MS_PER_HOUR

    @property
    def release_ms(self) -> int:
        """When the new model comes out."""
        return self.models[-1].released_ms

    @property
    def days(self) -> float:
        """Its length."""
        return self.hours * MS_PER_HOUR / MS_PER_DAY


def make_span(seed: int, start_ms: int, hours: int) -> Span:
    """A span with its models. start_ms: a full hour."""
    dice = Dice(seed, "models")
    released = start_ms + int(hours * dice.between(_NEW_MODEL_AT)) * MS_PER_HOUR + dice.whole((0, MS_PER_HOUR - 1))
    models = (
        Model("lumen-3", start_ms - dice.whole((200, 290)) * MS_PER_DAY),
        Model("lumen-3-mini", start_ms - dice.whole((60, 160)) * MS_PER_DAY),
        Model("lumen-4", released),
    )
    return Span(start_ms, hours, models)
