"""The files of a log: which there are, in which form, and which columns each has.

A file is Parquet, JSON lines or CSV (with a header, RFC 4180) by its ending; the last two may be packed (.gz, .zst).
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from signatures.backtest.engine import Engine, printable
from signatures.backtest.errors import BacktestError
from signatures.duckdb_backend.columns import Kind


class Format(StrEnum):
    """How a file is written."""

    PARQUET = "Parquet"
    JSON = "JSON lines"
    CSV = "CSV"


_ENDINGS: Final = {
    ".parquet": Format.PARQUET,
    ".jsonl": Format.JSON,
    ".ndjson": Format.JSON,
    ".json": Format.JSON,
    ".csv": Format.CSV,
}
_PACKED: Final = frozenset({".gz", ".zst"})
_INTEGERS: Final = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"})
# Rows of a text file that are looked at to see which columns it has; the rest is read strictly by what was found.
SAMPLE_ROWS: Final = 20_480


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file and its columns: DuckDB's name of each type."""

    path: Path
    format: Format
    types: Mapping[str, str]


def find_files(patterns: Iterable[str]) -> list[Path]:
    """Every file that is named or that a pattern finds, once each.

    Raises: BacktestError for what is no file, or whose ending is unknown.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        paths = [path] if path.exists() else [Path(each) for each in sorted(glob.glob(pattern, recursive=True))]
        if not paths:
            raise BacktestError(f"{printable(pattern)}: there is no such file")
        for each in paths:
            _check_file(each)
            found[each] = None
    return list(found)


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise BacktestError(f"{printable(str(path))} is a folder: name its files, or a pattern for them")
        if path.stat().st_size == 0:
            raise BacktestError(f"{printable(str(path))} is empty")
        with path.open("rb"):
            pass
    except OSError as error:
        raise BacktestError(f"cannot read {printable(str(path))}: {error.strerror}") from None
    format_of(path)


def format_of(path: Path) -> Format:
    """How a file is written. Raises: BacktestError."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    ending = suffixes[-2] if len(suffixes) == 2 and suffixes[-1] in _PACKED else (suffixes or [""])[-1]
    form = _ENDINGS.get(ending)
    if form is None or (form is Format.PARQUET and ending != suffixes[-1]):
        raise BacktestError(f"{printable(str(path))}: the ending has to be one of {', '.join(_ENDINGS)}")
    return form


def describe(engine: Engine, path: Path, wanted: Iterable[str]) -> LogFile:
    """Look at a file's columns. wanted: fields of known type, which JSON may have beyond the sample.

    Raises: BacktestError.
    """
    form = format_of(path)
    rows = engine.rows(f"DESCRIBE SELECT * FROM {reader(form, [engine.link_of(path)])}")
    types = {str(row[0]): str(row[1]) for row in rows}
    if form is Format.JSON:
        types = dict.fromkeys(wanted, "JSON") | types
    return LogFile(path, form, types)


def reader(form: Format, links: list[str], columns: Mapping[str, str] | None = None) -> str:
    """The table function that reads files of one form; columns: names and types as literals, where they are given."""
    files = f"[{', '.join(links)}]"
    typed = "" if columns is None else "{" + ", ".join(f"{name}: {kind}" for name, kind in columns.items()) + "}"
    match form:
        case Format.PARQUET:
            return f"read_parquet({files})"
        case Format.JSON:
            options = (
                f", columns = {typed}" if typed else f", sample_size = {SAMPLE_ROWS}, map_inference_threshold = -1"
            )
            return f"read_json({files}, format = 'newline_delimited'{options})"
        case Format.CSV:
            options = f", types = {typed}" if columns else ""
            return f"read_csv({files}, delim = ',', quote = '\"', escape = '\"', header = true{options})"


def kind_of(sql_type: str) -> Kind | None:
    """The kind of a column of a type; None for lists, structures, bytes and the like."""
    base = sql_type.partition("(")[0]
    if base in {"VARCHAR", "UUID", "ENUM"}:
        return None if sql_type.endswith("]") else Kind.TEXT
    if sql_type.removeprefix("U") in _INTEGERS:
        return Kind.INTEGER
    if sql_type in {"FLOAT", "DOUBLE"} or (base == "DECIMAL" and not sql_type.endswith("]")):
        return Kind.NUMBER
    if sql_type == "BOOLEAN":
        return Kind.BOOLEAN
    if sql_type.startswith(("TIMESTAMP", "DATE")) and not sql_type.endswith("]"):
        return Kind.TIMESTAMP
    return None


def is_without_values(sql_type: str) -> bool:
    """Whether a type says that the sample of a text file had no value in the column."""
    return sql_type in {"JSON", '"NULL"', "NULL"}
