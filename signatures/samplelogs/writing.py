"""Writes tables as Parquet, JSON lines or CSV; the file is there as a whole or not at all.

Text is made of whole columns: no event becomes a Python object. Values need no escape, because all of them are ours
(names.py); what an event has no value for is left out of JSON, and empty in CSV. Labels are never left out.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from signatures.samplelogs.errors import CannotWriteError, WrongOptionError

_GROUP_ROWS: Final = 1 << 17
"""Rows in one row group of Parquet, and the most that waits in memory."""
_LEVEL: Final = 1


class LogWriter(ABC):
    """Takes tables of one schema, in order."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @abstractmethod
    def write(self, table: pa.Table) -> None:
        """Write one table."""

    def close(self) -> None:  # noqa: B027 - most formats have no end
        """Write what still waits, and the end."""


class _ParquetLog(LogWriter):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._waiting: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table) -> None:
        self._waiting.append(table)
        if sum(len(each) for each in self._waiting) >= _GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        if self._waiting:
            self._write_group()
        if self._writer is not None:
            self._writer.close()

    def _write_group(self) -> None:
        table = pa.concat_tables(self._waiting)
        self._waiting = []
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, table.schema, compression="zstd", compression_level=_LEVEL)
        self._writer.write_table(table, row_group_size=len(table))


class _JsonLog(LogWriter):
    def write(self, table: pa.Table) -> None:
        members = [_member(name, table.column(name).combine_chunks()) for name in table.column_names]
        joined = pc.binary_join_element_wise(*members, ",", null_handling="skip")
        _write_text(self._file, pc.binary_join_element_wise("{", joined, "}\n", ""))


class _CsvLog(LogWriter):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._has_head = False

    def write(self, table: pa.Table) -> None:
        if not self._has_head:
            self._file.write((",".join(table.column_names) + "\n").encode())
            self._has_head = True
        cells = [_text(table.column(name).combine_chunks()) for name in table.column_names]
        joined = pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement="")
        _write_text(self._file, pc.binary_join_element_wise(joined, "\n", ""))


WRITERS: Final[Mapping[str, Callable[[BinaryIO], LogWriter]]] = {
    ".parquet": _ParquetLog,
    ".jsonl": _JsonLog,
    ".ndjson": _JsonLog,
    ".json": _JsonLog,
    ".csv": _CsvLog,
}
"""By the ending of the file's name."""


def check_ending(path: Path) -> None:
    """Raises: WrongOptionError for an ending that no writer has."""
    if path.suffix.lower() not in WRITERS:
        raise WrongOptionError(f"{path.name} ends in none of {', '.join(WRITERS)}")


@contextmanager
def whole_file(path: Path) -> Iterator[LogWriter]:
    """A writer for the path; the file takes its place when the block ends well, and leaves nothing when not.

    Raises: WrongOptionError for the ending, CannotWriteError for what the file system refuses.
    """
    check_ending(path)
    if path.is_dir():
        raise CannotWriteError(f"cannot write {path}: it is a folder")
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}.tmp")
    is_done = False
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        try:
            with os.fdopen(descriptor, "wb") as file:
                writer = WRITERS[path.suffix.lower()](file)
                yield writer
                writer.close()
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            is_done = True
        finally:
            if not is_done:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise CannotWriteError(f"cannot write {path}: {error.strerror or error}") from None


def _member(name: str, column: pa.Array) -> pa.Array:
    quote = '"' if pa.types.is_string(column.type) or pa.types.is_timestamp(column.type) else ""
    return pc.binary_join_element_wise(f'"{name}":{quote}', _text(column), quote, "")


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        # The time zone is UTC; without it, no database of zones is asked.
        naive = column.cast(pa.timestamp("ms"))
        return pc.binary_join_element_wise(pc.strftime(naive, format="%Y-%m-%dT%H:%M:%S"), "Z", "")
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _write_text(file: BinaryIO, lines: pa.Array) -> None:
    if not len(lines):
        return
    # The lines stand one after the other in the array's buffer.
    _validity, _offsets, data = lines.buffers()
    file.write(memoryview(data)[: sum_of_lengths(lines)])


def sum_of_lengths(lines: pa.Array) -> int:
    """Bytes of all texts of an array."""
    return int(pc.sum(pc.binary_length(lines)).as_py())
