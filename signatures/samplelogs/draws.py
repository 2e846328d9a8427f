"""Chance that is the same everywhere: every draw is a hash of the seed and of what the draw is for.

numpy may change its distributions from one version to the next, and libraries of mathematics differ in the last bit.
So draws here are integers of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014),
turned into numbers by addition, multiplication and division alone. No draw depends on the order of others.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Item = TypeVar("Item")

_MASK: Final = (1 << 64) - 1
_GAMMA: Final = 0x9E3779B97F4A7C15
_MIX_ONE: Final = 0xBF58476D1CE4E5B9
_MIX_TWO: Final = 0x94D049BB133111EB
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))
_HALF: Final = np.uint64(32)
_FRACTION_BITS: Final = np.uint64(11)
_FRACTION: Final = 2.0**-53
_STEPS: Final = 1_024
# Quantiles of the exponential distribution of mean 1, cut off behind the last step; six digits are the same in every
# library of mathematics.
_QUANTILES: Final = np.array([round(-math.log1p(-min(step, _STEPS - 0.4) / _STEPS), 6) for step in range(_STEPS + 1)])


def key_of(seed: int, purpose: str) -> int:
    """The 64-bit key of all draws for one purpose."""
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:8], "big")


def mixed(words: Words) -> Words:
    """splitmix64's finaliser: every bit of a word acts on every bit of the answer."""
    words = (words ^ (words >> _SHIFTS[0])) * np.uint64(_MIX_ONE)
    words = (words ^ (words >> _SHIFTS[1])) * np.uint64(_MIX_TWO)
    return words ^ (words >> _SHIFTS[2])


def drawn(key: int, *parts: Integers | Words | int) -> Words:
    """A word for each combination of the parts, of which at least one is an array."""
    words: Words = np.full(1, key, dtype=np.uint64)
    for part in parts:
        # Arrays wrap around without a word; numpy warns of single numbers that do.
        factor = (
            np.uint64(part * _GAMMA & _MASK) if isinstance(part, int) else part.astype(np.uint64) * np.uint64(_GAMMA)
        )
        words = mixed((words ^ factor) + np.uint64(_GAMMA))
    return words


def fractions(words: Words) -> Numbers:
    """Numbers from 0 up to, not including, 1."""
    return (words >> _FRACTION_BITS).astype(np.float64) * _FRACTION


def below(words: Words, limits: Integers | int) -> Integers:
    """Whole numbers from 0 up to, not including, the limits, which are at most 2**31."""
    limit = np.asarray(limits).astype(np.uint64)
    return (((words >> _HALF) * limit) >> _HALF).astype(np.int64)


def exponential(words: Words) -> Numbers:
    """Numbers as the exponential distribution of mean 1 has them, the rarest cut off."""
    at = fractions(words) * _STEPS
    step = at.astype(np.int64)
    low, high = _QUANTILES[step], _QUANTILES[step + 1]
    numbers: Numbers = low + (at - step) * (high - low)
    return numbers


class Dice:
    """One draw after the other, for what is decided once: accounts, plans of operators."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._state = key_of(seed, purpose)

    def word(self) -> int:
        """A word of 64 bits."""
        self._state = (self._state + _GAMMA) & _MASK
        word = self._state
        word = ((word ^ (word >> 30)) * _MIX_ONE) & _MASK
        word = ((word ^ (word >> 27)) * _MIX_TWO) & _MASK
        return word ^ (word >> 31)

    def fraction(self) -> float:
        """From 0 up to, not including, 1."""
        return (self.word() >> 11) * _FRACTION

    def chance(self, share: float) -> bool:
        """True for this share of the draws."""
        return self.fraction() < share

    def whole(self, bounds: Sequence[float]) -> int:
        """A whole number between two bounds, both included."""
        low, high = int(bounds[0]), int(bounds[-1])
        return low + ((self.word() >> 32) * (high - low + 1) >> 32)

    def skewed(self, bounds: Sequence[float]) -> int:
        """A whole number between two bounds, the small ones far more often: as sizes of organisations are."""
        low, high = int(bounds[0]), int(bounds[-1])
        return low + int((high - low + 1) * self.fraction() ** 3)

    def between(self, bounds: Sequence[float]) -> float:
        """A number between two bounds."""
        return bounds[0] + self.fraction() * (bounds[-1] - bounds[0])

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return items[(self.word() >> 32) * len(items) >> 32]

    def delay(self, mean: float) -> float:
        """A waiting time of this mean, exponentially distributed, the longest cut off."""
        at = self.fraction() * _STEPS
        step = int(at)
        return mean * float(_QUANTILES[step] + (at - step) * (_QUANTILES[step + 1] - _QUANTILES[step]))
