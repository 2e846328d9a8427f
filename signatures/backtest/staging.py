"""One pass over the log for many rules: a table of the rows that any of them matches.

Each distinct condition becomes a column of flags, so the log is read once however many rules there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sigma.rule import SigmaRule

from signatures.backtest.engine import Engine
from signatures.backtest.signatures import Signature
from signatures.backtest.source import RELATION, Source
from signatures.duckdb_backend.backend import predicate_of
from signatures.duckdb_backend.columns import Column
from signatures.duckdb_backend.plans import Leaf, Plan
from signatures.duckdb_backend.refusals import RefusedError

ACCOUNT_FIELD: Final = "user.id"
# Beyond this a row of flags costs more than another pass.
MAX_FLAGS: Final = 256
STAGED: Final = "staged"


@dataclass(slots=True)
class Staged:
    """The rows of a batch of signatures. flags: column of each condition; rules: flag of each rule, by identity."""

    source: Source
    relation: str = STAGED
    time: str = "t"
    flags: dict[str, str] = field(default_factory=dict)
    rules: dict[int, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """A column of a row that is kept."""
        known = self.source.column(name)
        return known if name in self.kept else None

    def predicate(self, rule: SigmaRule) -> str:
        """The flag of a rule."""
        return self.rules[id(rule)]

    def add(self, leaf: Leaf) -> None:
        """Add a rule. Raises: RefusedError."""
        if id(leaf.rule) not in self.rules:
            predicate = predicate_of(leaf.rule, self.source)
            self.rules[id(leaf.rule)] = self.flags.setdefault(predicate, f"f{len(self.flags)}")


def leaves_of(signature: Signature) -> list[Leaf]:
    """The rules on single events of a signature."""
    if isinstance(signature.test, Plan):
        return [below.leaf for below in signature.test.leaves]
    return [] if signature.test is None else [signature.test]


def kept_fields(signature: Signature) -> set[str]:
    """The fields by which a signature groups and what it measures."""
    if not isinstance(signature.test, Plan):
        return set()
    return {field for below in signature.test.leaves for field in below.needed} | set(signature.test.measured)


def batches(signatures: Sequence[Signature], source: Source) -> Iterable[tuple[list[Signature], Staged]]:
    """Signatures in batches with their conditions; one whose rule cannot be expressed is told so and left out."""
    batch: list[Signature] = []
    staged = Staged(source)
    for signature in signatures:
        if signature.test is None:
            continue
        try:
            for leaf in leaves_of(signature):
                staged.add(leaf)
        except RefusedError as error:
            signature.refuse(str(error))
            continue
        batch.append(signature)
        if len(staged.flags) >= MAX_FLAGS:
            yield batch, staged
            batch, staged = [], Staged(source)
    if batch:
        yield batch, staged


def stage(engine: Engine, batch: Sequence[Signature], staged: Staged, label: str, doing: str) -> None:
    """Make the table of a batch: t, the flags, and the columns that are grouped by, measured, or told of an event.

    Raises: BacktestError.
    """
    source = staged.source
    wanted = {field for signature in batch for field in kept_fields(signature)} | {ACCOUNT_FIELD, label}
    staged.kept = {name: column for name, column in source.names.items() if name in wanted}
    flags = ", ".join(f"coalesce({predicate}, FALSE) AS {flag}" for predicate, flag in staged.flags.items())
    columns = "".join(f", {column}" for column in staged.kept.values())
    listed = "".join(f", {column}" for column in (*staged.kept.values(), *staged.flags.values()))
    any_flag = " OR ".join(staged.flags.values())
    engine.run(f"DROP TABLE IF EXISTS {STAGED}", doing)
    engine.run(
        f"CREATE TEMP TABLE {STAGED} AS SELECT t{listed} FROM "
        f"(SELECT t{columns}, {flags} FROM {RELATION} WHERE t IS NOT NULL) WHERE {any_flag}",
        doing,
    )
