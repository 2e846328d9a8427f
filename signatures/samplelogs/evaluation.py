"""Holds the hits of rules against the labels of a sample log: what was found, what was missed, who was hurt.

A hit is a signature, an entity (the values that its last correlation groups by) and a time. The events of a hit are all
events of the entity in that time. A hit is true if at least half of its accounts belong to campaigns, else it is false
and counted for the look-alike with the most accounts in it. An account of a campaign is found if one of its events lies
in a true hit. Pure: it reads labels, never rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from signatures.samplelogs.columns import LABELS
from signatures.samplelogs.draws import Integers
from signatures.samplelogs.log_reading import TIMESTAMP, read_columns
from signatures.samplelogs.units import MS_PER_SECOND

TRUE_SHARE: Final = 0.5
ORDINARY: Final = "ordinary"
"""Name of benign events that look like nothing."""
_ACCOUNT: Final = "user.id"
_BETWEEN: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Hit:
    """entity: values by field name, at least one. start, end: aware, both within the hit."""

    signature: str
    entity: Mapping[str, str]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class SignatureResult:
    """recall: share of accounts found, by campaign. false: false hits by look-alike. empty: hits without any event."""

    hits: int
    true_hits: int
    empty: int
    recall: Mapping[str, float]
    false: Mapping[str, int]

    @property
    def precision(self) -> float | None:
        """True hits among all with events; None if there is none."""
        judged = self.hits - self.empty
        return self.true_hits / judged if judged else None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """accounts: of each campaign. signatures: by name. missed: campaigns of which no signature found an account."""

    rows: int
    accounts: Mapping[str, int]
    signatures: Mapping[str, SignatureResult]
    missed: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "rows": self.rows,
            "campaigns": dict(self.accounts),
            "missed": list(self.missed),
            "signatures": {
                name: {
                    "hits": result.hits,
                    "true_hits": result.true_hits,
                    "precision": result.precision,
                    "recall": dict(result.recall),
                    "false": dict(result.false),
                }
                for name, result in self.signatures.items()
            },
        }


def evaluate(hits: Sequence[Hit], log: Path, signatures: Sequence[str] = ()) -> Evaluation:
    """Judge hits by the labels of a log. signatures: names that are in the answer even without hits.

    Raises:
        WrongLogError: the log cannot be read, or lacks a column that a hit names.
    """
    groups = _groups(hits)
    fields = sorted({name for group in groups for name in group.fields})
    names = list(dict.fromkeys([TIMESTAMP, _ACCOUNT, *LABELS, *fields]))
    members: dict[str, set[str]] = defaultdict(set)
    rows = 0
    for batch in read_columns(log, names):
        rows += len(batch)
        _note_members(batch, members)
        for group in groups:
            group.take(batch)
    return _result(rows, members, groups, [*signatures, *(hit.signature for hit in hits)])


def hits_of(report: Mapping[str, Any]) -> list[Hit]:
    """The hits in the answer of `commonwatch backtest --json`, by the ids of signatures.

    A hit without an entity, of a rule that groups by nothing, is left out: it would be everybody's. The answer has the
    largest hundred windows of a signature at most; what it leaves out is not judged.
    Raises: KeyError, ValueError for what is no such answer.
    """
    return [
        Hit(
            signature["id"],
            {name: str(value) for name, value in window["fields"].items() if value is not None},
            datetime.fromisoformat(window["start"]),
            datetime.fromisoformat(window["end"]),
        )
        for signature in report["signatures"]
        for window in signature["windows"]
        if any(value is not None for value in window["fields"].values())
    ]


@dataclass(slots=True)
class _Judged:
    """A hit, with the accounts that its events belong to: (name of campaign or look-alike, account), by kind."""

    hit: Hit
    planted: set[tuple[str, str]] = field(default_factory=set)
    benign: set[tuple[str, str]] = field(default_factory=set)

    @property
    def is_true(self) -> bool:
        return len(self.planted) >= TRUE_SHARE * (len(self.planted) + len(self.benign))

    @property
    def is_empty(self) -> bool:
        return not self.planted and not self.benign

    @property
    def lookalike(self) -> str:
        """Which has most accounts in the hit; by name where two have as many."""
        counts: dict[str, int] = defaultdict(int)
        for name, _account in self.benign:
            counts[name] += 1
        return min(counts, key=lambda name: (-counts[name], name))


class _Group:
    """All hits whose entities have the same fields."""

    def __init__(self, fields: tuple[str, ...], hits: Sequence[Hit]) -> None:
        self.fields = fields
        self.judged = [_Judged(hit) for hit in hits]
        keys = [_BETWEEN.join(hit.entity[name] for name in fields) for hit in hits]
        known = sorted(set(keys))
        self._keys = pa.array(known, pa.string())
        numbers = {key: number for number, key in enumerate(known)}
        self._key_of = np.array([numbers[key] for key in keys])
        self._start = np.array([_ms(hit.start) for hit in hits])
        self._end = np.array([_ms(hit.end) for hit in hits])

    def take(self, batch: pa.RecordBatch) -> None:
        """Find the events of each hit in a batch."""
        columns = [batch.column(name) for name in self.fields]
        text = columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, _BETWEEN)
        found = pc.index_in(text, value_set=self._keys, skip_nulls=True)
        where = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
        if not len(where):
            return
        key = found.take(pa.array(where)).to_numpy(zero_copy_only=False).astype(np.int64)
        at = batch.column(TIMESTAMP).cast(pa.int64()).take(pa.array(where)).to_numpy(zero_copy_only=False)
        order = np.lexsort((at, key))
        accounts = _accounts(batch.take(pa.array(where[order])))
        for number, first, last in self._slices(key[order], at[order]):
            judged = self.judged[number]
            for campaign, lookalike, account in dict.fromkeys(accounts[first:last]):
                if campaign:
                    judged.planted.add((campaign, account))
                else:
                    judged.benign.add((lookalike or ORDINARY, account))

    def _slices(self, key: Integers, at: Integers) -> Iterator[tuple[int, int, int]]:
        """(number of a hit, first and last of its events) for the hits that have any here; events by key and time."""
        here = np.flatnonzero((self._end >= at.min()) & (self._start <= at.max()))
        begins = np.searchsorted(key, self._key_of[here], side="left")
        ends = np.searchsorted(key, self._key_of[here], side="right")
        for number, begin, end in zip(here.tolist(), begins.tolist(), ends.tolist(), strict=True):
            times = at[begin:end]
            first = begin + int(np.searchsorted(times, self._start[number], side="left"))
            last = begin + int(np.searchsorted(times, self._end[number], side="right"))
            if first < last:
                yield number, first, last


def _groups(hits: Sequence[Hit]) -> list[_Group]:
    by_fields: dict[tuple[str, ...], list[Hit]] = defaultdict(list)
    for hit in hits:
        by_fields[tuple(sorted(hit.entity))].append(hit)
    return [_Group(fields, members) for fields, members in by_fields.items()]


def _accounts(batch: pa.RecordBatch) -> list[tuple[str, str, str]]:
    """(campaign, look-alike, account) of each event."""
    columns = [batch.column(name).fill_null("").to_pylist() for name in (*LABELS, _ACCOUNT)]
    return list(zip(*columns, strict=True))


def _note_members(batch: pa.RecordBatch, members: dict[str, set[str]]) -> None:
    planted = batch.filter(pc.not_equal(pc.fill_null(batch.column(LABELS[0]), ""), ""))
    for campaign, _lookalike, account in _accounts(planted):
        members[campaign].add(account)


def _result(
    rows: int, members: Mapping[str, set[str]], groups: Sequence[_Group], signatures: Sequence[str]
) -> Evaluation:
    by_signature: dict[str, list[_Judged]] = {name: [] for name in signatures}
    for group in groups:
        for judged in group.judged:
            by_signature[judged.hit.signature].append(judged)
    found_by = {name: _found(judged) for name, judged in by_signature.items()}
    return Evaluation(
        rows=rows,
        accounts={campaign: len(members[campaign]) for campaign in sorted(members)},
        signatures={name: _signature(judged, found_by[name], members) for name, judged in by_signature.items()},
        missed=tuple(
            campaign for campaign in sorted(members) if not any(found.get(campaign) for found in found_by.values())
        ),
    )


def _found(judged: Sequence[_Judged]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for each in judged:
        if not each.is_empty and each.is_true:
            for campaign, account in each.planted:
                found[campaign].add(account)
    return found


def _signature(
    judged: Sequence[_Judged], found: Mapping[str, set[str]], members: Mapping[str, set[str]]
) -> SignatureResult:
    false: dict[str, int] = defaultdict(int)
    empty = sum(each.is_empty for each in judged)
    true_hits = sum(each.is_true and not each.is_empty for each in judged)
    for each in judged:
        if not each.is_empty and not each.is_true:
            false[each.lookalike] += 1
    return SignatureResult(
        hits=len(judged),
        true_hits=true_hits,
        empty=empty,
        recall={
            campaign: round(len(found.get(campaign, ())) / len(members[campaign]), 3) for campaign in sorted(members)
        },
        false=dict(sorted(false.items())),
    )


def _ms(when: datetime) -> int:
    return int(when.timestamp() * MS_PER_SECOND)
