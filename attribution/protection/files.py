"""Reads the list of networks that are not to be blocked from a CSV file. Pure: what may stand is checked later."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any, Final, NamedTuple

from exchange.stix.errors import ObjectInvalidError, shown
from exchange.stix.timestamps import parse_timestamp

_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

COLUMNS: Final = ("net", "title", "reason", "source", "until")

MAX_LINES: Final = 100_000
"""Some thirty times the published ranges of the large clouds' front doors."""


class AllowedLine(NamedTuple):
    """One line. number: as an editor counts; fault: what is wrong with it, None if nothing is so far."""

    number: int
    fields: dict[str, str]
    until: datetime | None
    fault: str | None


def read_allowed_lines(raw: bytes) -> Iterator[AllowedLine]:
    """The lines below the head, in their order. Lines that are empty or begin with # are left out.

    Raises:
        ObjectInvalidError: no UTF-8, another head than `COLUMNS`, or more than `MAX_LINES`.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ObjectInvalidError("encoding", f"The file is no UTF-8 at byte {error.start}.") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    head = next(_rows(reader), (0, [], None))[1]
    if tuple(cell.strip() for cell in head) != COLUMNS:
        raise ObjectInvalidError("columns", f"The first line has to be {','.join(COLUMNS)}.")
    for number, row, fault in _rows(reader):
        if number > MAX_LINES:
            raise ObjectInvalidError("too-many-lines", f"At most {MAX_LINES} lines are taken.")
        yield AllowedLine(number, {}, None, fault) if fault else _line_of(number, row)


def _rows(reader: Any) -> Iterator[tuple[int, list[str], str | None]]:
    """Line numbers, cells, and what the CSV itself is faulted for."""
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, [], f"no CSV: {error}"
            continue
        if row and not row[0].startswith("#"):
            yield reader.line_num, row, None


def _line_of(number: int, row: list[str]) -> AllowedLine:
    if len(row) != len(COLUMNS):
        return AllowedLine(number, {}, None, f"{len(row)} columns; {len(COLUMNS)} are expected")
    fields = {name: cell.strip() for name, cell in zip(COLUMNS, row, strict=True)}
    try:
        return AllowedLine(number, fields, read_until(fields["until"]), None)
    except ObjectInvalidError as error:
        return AllowedLine(number, fields, None, error.message)


def read_until(text: str) -> datetime:
    """A date, which ends at midnight UTC as it begins, or a timestamp. Raises: ObjectInvalidError."""
    if _DATE.fullmatch(text):
        try:
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        except ValueError:
            raise ObjectInvalidError("timestamp", f"{shown(text)} is no date.") from None
    return parse_timestamp(text)
