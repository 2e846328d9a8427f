"""Reads lists of account identifiers, line by line: CSV `kind,value[,confidence,first_seen,last_seen]`, or JSON lines.

A line that is wrong is reported by its number and left out; the others are taken. No report repeats anything of a line:
these are a lab's own customers.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from attribution.normalising import IdentifierError, normalise
from exchange.stix.errors import StixError
from exchange.stix.timestamps import parse_timestamp

COLUMNS: Final = ("kind", "value", "confidence", "first_seen", "last_seen")
MAX_LINE_BYTES: Final = 16 * 1024
MAX_CONFIDENCE: Final = 100
"""STIX 2.1 section 3.2."""

_BOM: Final = b"\xef\xbb\xbf"


class LineError(ValueError):
    """Why a line is left out, without anything of it."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One account identifier, normalised, and what the lab says of it. Times are aware. The value shows in no repr."""

    kind: str
    value: str = field(repr=False)
    confidence: int | None = None
    first_seen: datetime | None = None
    last_seen: datetime | None = None

    @property
    def input(self) -> bytes:
        """What the function is evaluated on."""
        return self.kind.encode() + b"\0" + self.value.encode()


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list says: identifiers by the number of their line, from 1, and what is wrong with other lines.

    An identifier that stands twice is there once, as it stands last.
    """

    identifiers: dict[int, Identifier]
    faults: dict[int, str]


def read_identifiers(body: bytes) -> Listing:
    """Read a list; empty lines, and a first line that names the columns, say nothing."""
    identifiers: dict[int, Identifier] = {}
    faults: dict[int, str] = {}
    places: dict[tuple[str, str], int] = {}
    for number, line in enumerate(body.removeprefix(_BOM).split(b"\n"), start=1):
        if not line.strip() or (number == 1 and _is_heading(line)):
            continue
        try:
            found = _read_line(line)
        except (LineError, IdentifierError) as error:
            faults[number] = str(error)
            continue
        identifiers.pop(places.get((found.kind, found.value), 0), None)
        places[found.kind, found.value] = number
        identifiers[number] = found
    return Listing(identifiers, faults)


def identifier_of(members: dict[str, Any]) -> Identifier:
    """One identifier from its members, as `COLUMNS` names them; those that are "" or None are absent.

    Raises:
        LineError, IdentifierError: a member is missing, unknown or of another form.
    """
    present = {name: value for name, value in members.items() if value not in ("", None)}
    if not present.keys() <= set(COLUMNS):
        raise LineError(f"a member is none of {', '.join(COLUMNS)}")
    kind, value = present.get("kind"), present.get("value")
    if not isinstance(kind, str) or not isinstance(value, str):
        raise LineError("kind and value are texts that each line has")
    first, last = (_time(present, name) for name in ("first_seen", "last_seen"))
    if first is not None and last is not None and last < first:
        raise LineError("last_seen is before first_seen")
    kind = kind.strip().lower()
    return Identifier(kind, normalise(kind, value), _confidence(present.get("confidence")), first, last)


def _is_heading(line: bytes) -> bool:
    return line.strip().lower().replace(b" ", b"").startswith(b"kind,value")


def _read_line(line: bytes) -> Identifier:
    if len(line) > MAX_LINE_BYTES:
        raise LineError(f"the line has more than {MAX_LINE_BYTES} bytes")
    text = _text(line)
    return identifier_of(_json_members(text) if text.startswith("{") else _csv_members(text))


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8").strip()
    except UnicodeDecodeError:
        pass
    # Raised out here: the decoder's own error carries the bytes of the line.
    raise LineError("the line is not UTF-8")


def _json_members(text: str) -> dict[str, Any]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise LineError("the line begins with { and is no JSON object")
    return members


def _csv_members(text: str) -> dict[str, Any]:
    cells: Iterable[str] | None
    try:
        cells = next(csv.reader(io.StringIO(text), strict=True, skipinitialspace=True), [])
    except csv.Error:
        cells = None
    if cells is None or not 2 <= len(list(cells)) <= len(COLUMNS):
        raise LineError(f"the line has not 2 to {len(COLUMNS)} columns: {','.join(COLUMNS)}")
    return {name: cell.strip() for name, cell in zip(COLUMNS, cells, strict=False)}


def _confidence(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 3:
        value = int(value)
    if type(value) is not int or not 0 <= value <= MAX_CONFIDENCE:
        raise LineError(f"confidence is a whole number from 0 to {MAX_CONFIDENCE}")
    return value


def _time(members: dict[str, Any], name: str) -> datetime | None:
    value = members.get(name)
    if value is None:
        return None
    try:
        return parse_timestamp(value)
    except (StixError, TypeError, AttributeError):
        pass
    raise LineError(f"{name} is no time such as 2026-11-25T12:00:00Z")
