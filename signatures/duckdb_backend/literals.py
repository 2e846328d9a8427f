"""Names, texts and numbers of hostile rules as parts of a query: nothing of them is ever read as SQL."""

from __future__ import annotations

from typing import Final

from signatures.duckdb_backend.refusals import RefusedError

# Beyond this a whole number has no exact type in DuckDB (HUGEINT).
_HUGE: Final = 2**127


def name(text: str) -> str:
    """A quoted identifier; DuckDB knows no escape in it but the doubled quote."""
    if "\0" in text or not text:
        raise RefusedError("a field name", "it is empty or holds a NUL character, as no column does", text)
    return '"' + _encodable(text).replace('"', '""') + '"'


def qualified_name(text: str) -> str:
    """A quoted table, each part of its name by itself: `catalog.schema.table`."""
    return ".".join(name(part) for part in text.split("."))


def text(value: str) -> str:
    """A text literal. NUL is written as chr(0), because tools between here and the database cut a query there."""
    pieces = ["'" + piece.replace("'", "''") + "'" for piece in _encodable(value).split("\0")]
    if len(pieces) == 1:
        return pieces[0]
    return "(" + " || chr(0) || ".join(pieces) + ")"


def number(value: int | float) -> str:
    """A number literal: whole numbers exactly, others as DOUBLE."""
    if isinstance(value, int) and abs(value) < _HUGE:
        return str(value)
    return f"CAST('{float(value)!r}' AS DOUBLE)"


def _encodable(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise RefusedError("a lone surrogate", "it is no character, and no log holds it") from None
    return value
