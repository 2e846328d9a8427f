"""A backtest from signatures and files to results."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from exchange.stix.errors import shown
from signatures.backtest.engine import DEFAULT_MEMORY, Engine, Progress
from signatures.backtest.errors import BacktestError
from signatures.backtest.finding import Finder
from signatures.backtest.logs import describe, find_files
from signatures.backtest.results import Outcome, Results
from signatures.backtest.signatures import Signature
from signatures.backtest.source import RELATION, TIME_FIELD, Source, kinds_of, open_source
from signatures.backtest.staging import ACCOUNT_FIELD, batches, kept_fields, stage
from signatures.backtest.telling import Labels, moment, tell
from signatures.duckdb_backend.backend import CATEGORY_FIELD
from signatures.duckdb_backend.columns import Kind
from signatures.duckdb_backend.refusals import RefusedError
from signatures.vocabulary import VOCABULARY


@dataclass(frozen=True, slots=True)
class Settings:
    """memory: DuckDB's limit, such as 3GB. temporary: where what does not fit is put. threads: None for all cores."""

    memory: str = DEFAULT_MEMORY
    temporary: Path | None = None
    threads: int | None = None


def backtest(
    signatures: Sequence[Signature], logs: Sequence[str], *, label: str, settings: Settings, progress: Progress
) -> Results:
    """Test signatures on logs. label: the column that names the campaign of an event, "" for none.

    Raises: BacktestError.
    """
    began = time.monotonic()
    files = find_files(logs)
    wanted = {ACCOUNT_FIELD, CATEGORY_FIELD, TIME_FIELD} | ({label} if label else set())
    wanted |= {field for signature in signatures if signature.test is not None for field in signature.fields}
    typed = [name for name in wanted if name in VOCABULARY.fields]
    with Engine(
        files,
        memory=settings.memory,
        temporary=settings.temporary,
        threads=settings.threads,
        progress=progress,
    ) as engine:
        described = [describe(engine, path, typed) for path in files]
        kinds = kinds_of(described, wanted)
        if any(signature.has_keywords for signature in signatures):
            wanted |= {name for name, kind in kinds.items() if kind is Kind.TEXT}
        if label and label not in kinds:
            raise BacktestError(f"no file has the label column {shown(label)}")
        source = open_source(engine, described, wanted - {TIME_FIELD} | _used_times(signatures), kinds)
        rows, untimed, first, last = engine.row(f"SELECT count(*), count(*) - count(t), min(t), max(t) FROM {RELATION}")
        if not rows:
            raise BacktestError("there is no row in these files")
        if rows == untimed:
            raise BacktestError(f"no row has a value in the column {TIME_FIELD}")
        remarks = list(_remarks(source, int(untimed)))
        labels = _labels(engine, source, label)
        for signature in signatures:
            _look_for_columns(signature, source)
        outcomes = _outcomes(engine, signatures, source, labels)
        return Results(
            rows=int(rows),
            seconds=time.monotonic() - began,
            first=None if first is None else moment(first),
            last=None if last is None else moment(last),
            label=label,
            remarks=remarks,
            outcomes=outcomes,
        )


def _used_times(signatures: Sequence[Signature]) -> set[str]:
    """The time as a field of its own, if a rule looks at it."""
    return {TIME_FIELD} & {field for signature in signatures for field in signature.fields}


def _remarks(source: Source, untimed: int) -> list[str]:
    remarks = []
    if source.column(CATEGORY_FIELD) is None:
        remarks.append(f"no file has the column {CATEGORY_FIELD}, so categories of log sources leave nothing out")
    if source.column(ACCOUNT_FIELD) is None:
        remarks.append(f"no file has the column {ACCOUNT_FIELD}, so no accounts are told")
    if untimed:
        remarks.append(f"{untimed} rows have no {TIME_FIELD} and were left out")
    return remarks


def _look_for_columns(signature: Signature, source: Source) -> None:
    """Without a column to group by or to measure nothing can be tested; another that is missing never matches."""
    missing = sorted(field for field in signature.fields if source.column(field) is None)
    needed = sorted(kept_fields(signature) & set(missing))
    if needed:
        signature.refuse(f"no file has the column {shown(needed[0])}, by which it groups or which it measures")
    elif missing and signature.test is not None:
        listed = ", ".join(shown(field) for field in missing)
        signature.remarks.append(f"no file has {listed}: such a field matches nothing")


def _labels(engine: Engine, source: Source, label: str) -> Labels:
    column, account = source.column(label), source.column(ACCOUNT_FIELD)
    if column is None:
        return Labels("", {})
    campaign = f"nullif(CAST({column.sql} AS VARCHAR), '')"
    accounts = "0" if account is None else f"count(DISTINCT {account.sql})"
    rows = engine.rows(
        f"SELECT {campaign} AS l, count(*), {accounts} FROM {RELATION} "
        f"WHERE {campaign} IS NOT NULL AND t IS NOT NULL GROUP BY l"
    )
    return Labels(label, {str(name): (int(events), int(number)) for name, events, number in rows})


def _outcomes(engine: Engine, signatures: Sequence[Signature], source: Source, labels: Labels) -> list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    done = 0
    for batch, staged in batches(signatures, source):
        stage(engine, batch, staged, labels.field, f"matching rows for {len(batch)} signatures")
        finder = Finder(engine, staged)
        for signature in batch:
            done += 1
            doing = f"signature {done} of {len(signatures)}"
            try:
                outcomes[id(signature)] = tell(engine, finder, staged, signature, labels, doing)
            except RefusedError as error:
                signature.refuse(str(error))
            finder.forget()
        finder.forget_shared()
    return [outcomes.get(id(signature), Outcome(signature)) for signature in signatures]
