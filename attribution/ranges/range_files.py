"""Reads files of networks line by line: CSV with a head, or one network a line. Pure; a bad line costs itself alone.

The bytes are a stream and are never held as a whole. What is wrong with a line is told with its number, and so is
what was changed about it. What becomes of the networks is importing.py's business.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from attribution.addresses import Net, parse_net
from attribution.names import parse_asn
from exchange.stix.errors import ObjectInvalidError, shown
from exchange.stix.extensions_ranges import KINDS, is_canonical_net
from exchange.stix.timestamps import format_stix, ordering_key, parse_timestamp

COLUMNS: Final = ("range", "kind", "asn", "confidence", "first_seen", "last_seen", "source")
"""Of a CSV file (the project's contract); any order, and `range` alone is needed."""

MAX_LINE_BYTES: Final = 4_096
"""A network and a source of any length that says something."""

MAX_SOURCE_CHARS: Final = 200
"""What the scope of the agreement lets a source's name have."""

DEFAULT_MAX_WIDTH: Final[Mapping[int, int]] = {4: 8, 6: 19}
"""The shortest prefix that is taken. IPv4: a whole /8 was the largest block ever given to one holder. IPv6: registries
give providers from /32 to /19."""

_CACHED: Final = 4_096
"""Times and systems: lists name a few of them many times."""

_DELIMITERS: Final = (",", ";", "\t")
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_WIDE_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One network of a file. number: of its line, from 1. Times as STIX writes them, "" where the file has none."""

    number: int
    net: Net
    kind: str
    asn: int | None = None
    confidence: int | None = None
    first_seen: str = ""
    last_seen: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said of a line. is_refused: it is left out; else it was taken, changed as `text` says."""

    number: int
    text: str
    is_refused: bool


@dataclass(slots=True)
class Rules:
    """How lines are read. kind: of a line that names none. max_width: the shortest prefix by version of IP."""

    kind: str = "other"
    max_width: Mapping[int, int] = field(default_factory=lambda: DEFAULT_MAX_WIDTH)


def read_ranges(lines: Iterable[bytes], rules: Rules) -> Iterator[Line | Remark]:
    """Every network of the file and every remark, in the order of the lines.

    Raises: ObjectInvalidError (`encoding`, `columns`): the file as a whole cannot be read.
    """
    reader = _Reader(rules)
    for number, raw in enumerate(lines, 1):
        yield from reader.read(number, raw)


class _Reader:
    """What was learnt from the first line, and which networks have come already."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._columns: list[str] | None = None
        self._delimiter = ","
        self._is_begun = False
        self._seen: set[tuple[Net, str, int | None]] = set()

    def read(self, number: int, raw: bytes) -> Iterator[Line | Remark]:
        if number == 1:
            if raw.startswith(_WIDE_BOMS):
                raise ObjectInvalidError("encoding", "The file is UTF-16; save it as UTF-8.")
            raw = raw.removeprefix(_UTF8_BOM)
        if len(raw) > MAX_LINE_BYTES:
            yield Remark(number, f"the line has more than {MAX_LINE_BYTES} bytes", is_refused=True)
            return
        text, is_utf8 = _decoded(raw)
        if not text or text.startswith("#") or self._is_head(text):
            return
        self._is_begun = True
        try:
            cells = self._cells(text)
            line = self._line_of(number, cells)
        except ObjectInvalidError as error:
            yield Remark(number, error.message, is_refused=True)
            return
        if not is_utf8:
            yield Remark(number, "it is not UTF-8 and was read as Latin-1", is_refused=False)
        yield from self._taken(line, cells.get("range", ""))

    def _taken(self, line: Line, written: str) -> Iterator[Line | Remark]:
        key = (line.net, line.kind, line.asn)
        if key in self._seen:
            yield Remark(line.number, f"{line.net} is listed before", is_refused=False)
            return
        self._seen.add(key)
        if _is_changed(written, line.net):
            yield Remark(line.number, f"{shown(written)} was taken as {line.net}", is_refused=False)
        yield line

    def _is_head(self, text: str) -> bool:
        """Whether this is the head of a CSV file, which only the first line that says anything can be."""
        if self._is_begun or self._columns is not None:
            return False
        for delimiter in _DELIMITERS:
            columns = [name.strip().strip('"').lower() for name in text.split(delimiter)]
            if "range" in columns:
                unknown = [name for name in columns if name not in COLUMNS]
                if unknown or len(set(columns)) < len(columns):
                    fault = f"no column is called {shown(unknown[0])}" if unknown else "a column stands there twice"
                    raise ObjectInvalidError("columns", f"In the head, {fault}; known are {', '.join(COLUMNS)}.")
                self._columns, self._delimiter = columns, delimiter
                return True
        return False

    def _cells(self, text: str) -> dict[str, str]:
        if self._columns is None:
            return {"range": text.partition("#")[0].strip()}
        cells = text.split(self._delimiter) if '"' not in text else _quoted(text, self._delimiter)
        if len(cells) > len(self._columns):
            raise ObjectInvalidError("columns", f"The line has {len(cells)} values for {len(self._columns)} columns.")
        return {name: cell.strip() for name, cell in zip(self._columns, cells, strict=False)}

    def _line_of(self, number: int, cells: Mapping[str, str]) -> Line:
        first_seen, last_seen = _time(cells.get("first_seen", "")), _time(cells.get("last_seen", ""))
        if first_seen and last_seen and ordering_key(last_seen) < ordering_key(first_seen):
            raise ObjectInvalidError("order", "last_seen is earlier than first_seen.")
        return Line(
            number=number,
            net=self._net(cells.get("range", "")),
            kind=_kind(cells.get("kind", "") or self._rules.kind),
            asn=_asn(cells["asn"]) if cells.get("asn") else None,
            confidence=_confidence(cells.get("confidence", "")),
            first_seen=first_seen,
            last_seen=last_seen,
            source=_source(cells.get("source", "")),
        )

    def _net(self, text: str) -> Net:
        net = parse_net(text)
        widest = self._rules.max_width[net.version]
        if net.length < widest:
            raise ObjectInvalidError("too-wide", f"{net} is wider than /{widest}, the widest that is taken.")
        if not is_canonical_net(str(net)):
            raise ObjectInvalidError("network", f"{net} is no network that is shared.")
        return net


def _decoded(raw: bytes) -> tuple[str, bool]:
    try:
        return raw.decode("utf-8").strip(), True
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip(), False


def _quoted(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        raise ObjectInvalidError("columns", "The quotation marks of the line do not fit.") from None


def _is_changed(written: str, net: Net) -> bool:
    spelled = str(net)
    return written != spelled and f"{written}/{net.length}" != spelled


def _kind(text: str) -> str:
    kind = text.lower()
    if kind not in KINDS:
        raise ObjectInvalidError("kind", f"{shown(text)} is none of {', '.join(sorted(KINDS))}.")
    return kind


def _confidence(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100):
        raise ObjectInvalidError("confidence", f"{shown(text)} is no whole number from 0 to 100.")
    return int(text)


@lru_cache(maxsize=_CACHED)
def _asn(text: str) -> int:
    return parse_asn(text)


@lru_cache(maxsize=_CACHED)
def _time(text: str) -> str:
    """A time as STIX writes it; a date alone is its first moment. Raises: ObjectInvalidError (`timestamp`)."""
    if not text:
        return ""
    return format_stix(parse_timestamp(f"{text}T00:00:00Z" if len(text) == len("2026-01-31") else text))


def _source(text: str) -> str:
    if len(text) > MAX_SOURCE_CHARS or not text.isprintable():
        raise ObjectInvalidError("source", f"A source has at most {MAX_SOURCE_CHARS} printable characters.")
    return text
