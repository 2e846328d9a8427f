"""Numbers that stand in texts: a text of digits and a number are alike."""

from __future__ import annotations

from typing import Final

from signatures.duckdb_backend import literals

# What SigmaHQ's rules and logs write; not what DuckDB's own conversion takes beside it, such as 1_000 and inf.
_NUMBER: Final = r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"


def number_in_text(sql: str) -> str:
    """The number that a text is, as DOUBLE, else NULL; also of a column whose kind is not known."""
    text = f"CAST({sql} AS VARCHAR)"
    return f"CASE WHEN regexp_full_match({text}, {literals.text(_NUMBER)}) THEN TRY_CAST({text} AS DOUBLE) END"
