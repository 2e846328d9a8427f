"""Texts of Sigma as conditions on one expression: wildcards, case, regular expressions.

Without `cased` both sides are compared in lower case, each character by Unicode's simple mapping, as DuckDB's
`lower` does. A pattern beyond a prefix, a suffix or a part becomes a regular expression of RE2, whose time is linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import duckdb
from sigma.types import Placeholder, SigmaRegularExpression, SigmaRegularExpressionFlag, SigmaString, SpecialChars

from signatures.duckdb_backend import literals
from signatures.duckdb_backend.refusals import RefusedError

_ANY: Final = SpecialChars.WILDCARD_MULTI
_ONE: Final = SpecialChars.WILDCARD_SINGLE
_FLAGS: Final = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
Part = str | SpecialChars


def parts_of(value: SigmaString, field: str = "") -> list[Part]:
    """The plain pieces and wildcards of a text.

    Raises: RefusedError for a placeholder that nothing has filled.
    """
    parts: list[Part] = []
    for part in value.s:
        if isinstance(part, Placeholder):
            raise RefusedError(f"the placeholder %{part.name}% (expand)", "nothing fills it", field)
        if part is not _ANY or parts[-1:] != [_ANY]:
            parts.append(part)
    return parts


def is_plain(parts: Sequence[Part]) -> bool:
    """Whether a text holds no wildcard."""
    return all(isinstance(part, str) for part in parts)


def plain(parts: Sequence[Part], *, cased: bool) -> str:
    """The literal of a text without wildcards, in the form in which `subject` compares it."""
    return _literal("".join(part for part in parts if isinstance(part, str)), cased=cased)


def subject(sql: str, *, cased: bool) -> str:
    """The expression of a text in the form in which it is compared."""
    return sql if cased else f"lower({sql})"


def matches(sql: str, parts: Sequence[Part], *, cased: bool) -> str:
    """The condition that a text expression matches the parts as a whole; NULL stays NULL."""
    value = subject(sql, cased=cased)
    match parts:
        case [] | [str()]:
            return f"{value} = {plain(parts, cased=cased)}"
        case [special] if special is _ANY:
            return f"{sql} IS NOT NULL"
        case [str() as begin, special] if special is _ANY:
            return f"starts_with({value}, {_literal(begin, cased=cased)})"
        case [special, str() as end] if special is _ANY:
            return f"ends_with({value}, {_literal(end, cased=cased)})"
        case [first, str() as middle, last] if first is _ANY and last is _ANY:
            return f"contains({value}, {_literal(middle, cased=cased)})"
    pattern = "".join(
        _quoted(part if cased else _lower(part)) if isinstance(part, str) else "." if part is _ONE else ".*"
        for part in parts
    )
    return f"regexp_full_match({value}, {literals.text(pattern)}, 's')"


def matches_expression(sql: str, value: SigmaRegularExpression, field: str = "") -> str:
    """The condition that a regular expression matches somewhere in a text.

    `$` without the flag m is the end of the text, \\d, \\w, \\s and \\b know ASCII.
    Raises: RefusedError for what RE2 has not, named by it.
    """
    flags = "".join(sorted(_FLAGS[flag] for flag in value.flags))
    if value.contains_placeholder():
        raise RefusedError("a placeholder in a regular expression (expand)", "nothing fills it", field)
    pattern = (f"(?{flags})" if flags else "") + str(value.regexp)
    complaint = _complaint(pattern)
    if complaint:
        raise RefusedError("a regular expression", complaint, field)
    return f"regexp_matches({sql}, {literals.text(pattern)})"


@lru_cache(maxsize=1)
def _judge() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"enable_external_access": "false", "threads": "1"})


@lru_cache(maxsize=4_096)
def _complaint(pattern: str) -> str:
    """What RE2 says against a pattern, "" for nothing: the engine itself is asked."""
    try:
        _judge().cursor().execute("SELECT regexp_matches('', ?)", [pattern]).fetchall()
    except duckdb.Error as error:
        return "RE2 cannot express it: " + str(error).partition("Error: ")[2].split("\n", 1)[0]
    except UnicodeEncodeError:
        return "it holds a lone surrogate"
    return ""


@lru_cache(maxsize=4_096)
def _lower(value: str) -> str:
    """A text in lower case as the engine makes it; Python's own differs for some characters."""
    if value.isascii():
        return value.lower()
    literals.text(value)
    row = _judge().cursor().execute("SELECT lower(?)", [value]).fetchone()
    return str(row[0]) if row is not None else value


def _literal(value: str, *, cased: bool) -> str:
    return literals.text(value if cased else _lower(value))


def _quoted(value: str) -> str:
    """A text as a regular expression for itself."""
    return "".join(
        character if character.isalnum() or not character.isascii() else f"\\x{ord(character):02x}"
        for character in value
    )
