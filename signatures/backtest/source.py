"""All files of a log as one relation with columns of known kinds.

The kind of a field is the vocabulary's; of another field it is what the files have. Files that do not fit are refused,
naming file, column, the kind that is wanted and the one that is found. Parquet is read where it lies, by each query
what it needs; text is read once into a table of the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from exchange.stix.errors import shown
from signatures.backtest.engine import Engine, printable
from signatures.backtest.errors import BacktestError
from signatures.backtest.logs import Format, LogFile, is_without_values, kind_of, reader
from signatures.duckdb_backend import literals
from signatures.duckdb_backend.columns import KIND_OF_TYPE, NUMERIC, Column, Kind
from signatures.vocabulary import VOCABULARY

TIME_FIELD: Final = "timestamp"
RELATION: Final = "source"
_TYPES: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TIMESTAMP: "TIMESTAMP",
}


@dataclass(slots=True)
class Source:
    """The columns that queries may use, after `open_source`. names: column of the relation for each field."""

    kinds: Mapping[str, Kind]
    names: dict[str, str] = field(default_factory=dict)

    def column(self, name: str) -> Column | None:
        """The column of a field, None if no file has it."""
        kind = self.kinds.get(name)
        if kind is None or name not in self.names:
            return None
        return Column(name, self.names[name], kind)

    def texts(self) -> Sequence[Column]:
        """Every column of text."""
        return [column for name in self.names if (column := self.column(name)) and column.kind is Kind.TEXT]


def kinds_of(files: Sequence[LogFile], wanted: Collection[str]) -> dict[str, Kind]:
    """The kind of every field of the files that a rule can ask for; what is not wanted counts if it is text.

    Raises: BacktestError for a wanted field that a file has in another kind than the vocabulary or another file.
    """
    kinds: dict[str, Kind] = {}
    origins: dict[str, LogFile] = {}
    for file in files:
        for name, sql_type in file.types.items():
            kind = _kind_in(file, name, sql_type) if name in wanted else kind_of(sql_type)
            if kind is None or (name not in wanted and kind is not Kind.TEXT):
                continue
            known = kinds.setdefault(name, kind)
            if known is not kind and {known, kind} == NUMERIC:
                kinds[name] = Kind.NUMBER
            elif known is not kind:
                raise BacktestError(
                    f"{printable(str(file.path))}: column {shown(name)} holds values of kind {kind}; "
                    f"{known} is wanted, as {printable(str(origins[name].path))} has it"
                )
            origins.setdefault(name, file)
    return kinds


def _kind_in(file: LogFile, name: str, sql_type: str) -> Kind | None:
    """The kind of a wanted column of a file; None for one without values.

    Raises: BacktestError for values that are not what is wanted, or that no rule can ask for.
    """
    known = VOCABULARY.fields.get(name)
    found = kind_of(sql_type)
    wanted = KIND_OF_TYPE[known.type] if known is not None else found
    if file.format is not Format.PARQUET and known is not None and (found is not None or is_without_values(sql_type)):
        # The whole file is read as what is wanted, and a value that is none of it is an error with its line.
        return Kind.NUMBER if wanted in NUMERIC else wanted
    if is_without_values(sql_type):
        return None
    if found in NUMERIC and wanted in NUMERIC:
        return found
    if found is not None and (found is wanted or (name == TIME_FIELD and found is Kind.TEXT)):
        return wanted
    raise BacktestError(
        f"{printable(str(file.path))}: column {shown(name)} holds values of type {shown(sql_type)}; "
        f"{wanted or 'text, a number, a truth value or a time'} is wanted"
    )


def open_source(engine: Engine, files: Sequence[LogFile], wanted: Collection[str], kinds: Mapping[str, Kind]) -> Source:
    """Make the relation `source`: `t` in microseconds of UTC, and a column for each wanted field that there is.

    Raises: BacktestError.
    """
    if all(TIME_FIELD not in file.types for file in files):
        raise BacktestError(f"no file has the column {TIME_FIELD!r}: without a time nothing can be backtested")
    source = Source(kinds)
    for name in sorted(wanted):
        if name in kinds:
            source.names[name] = f"c{len(source.names)}"
    groups: dict[tuple[object, ...], list[LogFile]] = {}
    for file in files:
        groups.setdefault(_signature(file, source), []).append(file)
    select = " UNION ALL ".join(_select(engine, group, source) for group in groups.values())
    is_parquet = all(file.format is Format.PARQUET for file in files)
    made = "TEMP VIEW" if is_parquet else "TEMP TABLE"
    engine.run(f"CREATE {made} {RELATION} AS {select}", "reading logs")
    return source


def _signature(file: LogFile, source: Source) -> tuple[object, ...]:
    """What has to be the same for files to be read together."""
    return (file.format, *(file.types.get(name) for name in (TIME_FIELD, *source.names)))


def _select(engine: Engine, files: Sequence[LogFile], source: Source) -> str:
    """The rows of files that are alike."""
    first = files[0]
    there = [name for name in source.names if name in first.types]
    listed = [f"{_time(first)} AS t"]
    for name, column in source.names.items():
        listed.append(f"{_value(first, name, source.kinds[name])} AS {column}")
    columns = None
    if first.format is not Format.PARQUET:
        columns = {literals.text(name): literals.text(_TYPES[source.kinds[name]]) for name in there}
        if TIME_FIELD in first.types:
            columns[literals.text(TIME_FIELD)] = "'TIMESTAMPTZ'"
        if not columns:
            # A reader wants at least one.
            columns = {literals.text(next(iter(first.types))): "'VARCHAR'"}
    read = reader(first.format, [engine.link_of(file.path) for file in files], columns)
    return f"SELECT {', '.join(listed)} FROM {read}"


def _time(file: LogFile) -> str:
    if TIME_FIELD not in file.types:
        return "CAST(NULL AS BIGINT)"
    # A time without a zone is UTC, and so is the session's zone.
    kind = "TIMESTAMP" if file.types[TIME_FIELD].startswith(("TIMESTAMP_", "DATE")) else "TIMESTAMPTZ"
    return f"epoch_us(CAST({literals.name(TIME_FIELD)} AS {kind}))"


def _value(file: LogFile, name: str, kind: Kind) -> str:
    if name not in file.types or (file.format is Format.PARQUET and is_without_values(file.types[name])):
        return f"CAST(NULL AS {_TYPES[kind]})"
    if kind is Kind.INTEGER and file.types[name] in {"UBIGINT", "HUGEINT", "UHUGEINT"}:
        return literals.name(name)
    if kind is Kind.TIMESTAMP:
        return f"make_timestamp(epoch_us(CAST({literals.name(name)} AS TIMESTAMPTZ)))"
    return f"CAST({literals.name(name)} AS {_TYPES[kind]})"
