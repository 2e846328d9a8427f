"""What becomes of the objects of a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from exchange.services.errors import ExchangeError
from exchange.services.publishing.item import Item
from exchange.stix.errors import StixError


class Fate(StrEnum):
    """known: stored before, or the same on every node. withdrawal: a note that was followed. refused: what may not
    return because it was deleted, expired or taken back; its bytes are kept nowhere."""

    STORED = "stored"
    KNOWN = "known"
    HELD = "held"
    WITHDRAWAL = "withdrawal"
    REFUSED = "refused"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Judged:
    """One object and what became of it. `error` is set exactly where it was refused or quarantined."""

    item: Item
    fate: Fate
    error: ExchangeError | StixError | None = None

    @property
    def is_taken(self) -> bool:
        return self.error is None


@dataclass(frozen=True, slots=True)
class PageReceipt:
    """What became of a page: how many objects came, and how many met each fate.

    reasons: codes of what was quarantined, with counts.
    """

    received: int
    stored: int
    known: int
    held: int
    withdrawals: int
    refused: int
    quarantined: int
    reasons: Mapping[str, int]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> PageReceipt:
        """The receipt for what was judged."""
        fates = Counter(each.fate for each in judged)
        reasons = Counter(
            each.error.code for each in judged if each.error is not None and each.fate is Fate.QUARANTINED
        )
        return cls(
            received=len(judged),
            stored=fates[Fate.STORED],
            known=fates[Fate.KNOWN],
            held=fates[Fate.HELD],
            withdrawals=fates[Fate.WITHDRAWAL],
            refused=fates[Fate.REFUSED],
            quarantined=fates[Fate.QUARANTINED],
            reasons=dict(sorted(reasons.items())),
        )
