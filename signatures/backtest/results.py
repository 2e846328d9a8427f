"""What a backtest found. Counts are exact; lists of entities, windows and accounts are bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from signatures.backtest.signatures import Signature

# What a person looks through; the counts beside the lists say how many there are.
MAX_ENTITIES = 100
MAX_WINDOWS = 100
MAX_ACCOUNTS = 20


@dataclass(frozen=True, slots=True)
class Entity:
    """One group that a signature found: its fields, hits, events behind them, first and last event."""

    fields: Mapping[str, str]
    hits: int
    events: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """One hit: the group's fields, first and last event, events, and accounts behind it.

    events_labelled: those of a campaign, None without labels.
    """

    fields: Mapping[str, str]
    start: datetime
    end: datetime
    events: int
    account_count: int
    accounts: Sequence[str]
    events_labelled: int | None


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign of the labels, and how much of it a signature found."""

    name: str
    events: int
    events_found: int
    accounts: int
    accounts_found: int

    @property
    def recall(self) -> float:
        """The share of the campaign's events that stand behind hits."""
        return self.events_found / self.events


@dataclass(frozen=True, slots=True)
class Judgement:
    """A signature against the labels.

    hits_true: hits of which more than half of the events bear a label.
    events: behind hits; events_true: those of them that bear a label. events_labelled: of the whole log.
    """

    hits: int
    hits_true: int
    events: int
    events_true: int
    events_labelled: int
    campaigns: Sequence[Campaign]

    @property
    def precision(self) -> float | None:
        """The share of hits that are true; None without hits."""
        return self.hits_true / self.hits if self.hits else None

    @property
    def recall(self) -> float | None:
        """The share of campaigns of which at least one event stands behind a true hit; None without campaigns."""
        found = sum(campaign.events_found > 0 for campaign in self.campaigns)
        return found / len(self.campaigns) if self.campaigns else None

    @property
    def event_precision(self) -> float | None:
        """The share of events behind hits that bear a label; None without hits."""
        return self.events_true / self.events if self.events else None

    @property
    def event_recall(self) -> float | None:
        """The share of labelled events that stand behind hits; None without labels."""
        return self.events_true / self.events_labelled if self.events_labelled else None


@dataclass(slots=True)
class Outcome:
    """What became of one signature. entity_count, hits and events are exact; days: hits by the day they begin on."""

    signature: Signature
    hits: int = 0
    events: int = 0
    entity_count: int = 0
    account_count: int = 0
    entities: Sequence[Entity] = ()
    windows: Sequence[Window] = ()
    days: Mapping[date, int] = field(default_factory=dict)
    judgement: Judgement | None = None

    @property
    def is_tested(self) -> bool:
        """Whether it could be tested."""
        return self.signature.test is not None


@dataclass(slots=True)
class Results:
    """A whole backtest. days: of the log, from its first event to its last, at least one. label: column or ""."""

    rows: int
    seconds: float
    first: datetime | None
    last: datetime | None
    label: str
    remarks: Sequence[str]
    outcomes: Sequence[Outcome]

    @property
    def days(self) -> float:
        """Length of the log in days, at least one."""
        if self.first is None or self.last is None:
            return 1.0
        return max(1.0, (self.last - self.first).total_seconds() / 86_400)

    def per_day(self, outcome: Outcome) -> float:
        """The alerts that a signature is to be expected to give in a day."""
        return outcome.hits / self.days
