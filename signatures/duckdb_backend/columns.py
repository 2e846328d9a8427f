"""What a query can say about the columns of a log: how a field is written, and what kind of values it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from signatures.duckdb_backend import literals
from signatures.vocabulary import VOCABULARY, FieldType


class Kind(StrEnum):
    """Of a column's values. UNKNOWN: the query converts them, and what cannot be converted does not match."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    UNKNOWN = "unknown"


NUMERIC: Final = frozenset({Kind.INTEGER, Kind.NUMBER})

KIND_OF_TYPE: Final[Mapping[FieldType, Kind]] = {
    FieldType.STRING: Kind.TEXT,
    FieldType.INTEGER: Kind.INTEGER,
    FieldType.NUMBER: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.TIMESTAMP: Kind.TIMESTAMP,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A field in a query. field: as the rule names it. sql: an expression without side effects."""

    field: str
    sql: str
    kind: Kind


class Columns(Protocol):
    """The columns of a log."""

    def column(self, field: str) -> Column | None:
        """The column of a field, None if no event has the field."""

    def texts(self) -> Sequence[Column] | None:
        """Every column of text, None if that is not known."""


@dataclass(frozen=True, slots=True)
class NamedColumns:
    """Columns of a log that was not looked at: a field is the column of its name, its kind the vocabulary's.

    text_fields: what keywords are searched in; None if nobody said.
    """

    text_fields: Sequence[str] | None = None

    def column(self, field: str) -> Column:
        """The column of a field, which is taken to be there."""
        known = VOCABULARY.fields.get(field)
        kind = KIND_OF_TYPE[known.type] if known is not None else Kind.UNKNOWN
        return Column(field, literals.name(field), kind)

    def texts(self) -> Sequence[Column] | None:
        """The named columns of text."""
        if self.text_fields is None:
            return None
        return [Column(field, literals.name(field), Kind.TEXT) for field in self.text_fields]
