"""What changed from one version of an indicator to the next, in lines for an analyst.

The rule itself by its lines, other members by their places. What changes with every version is left out.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from exchange.stix.difference import Change, difference
from exchange.stix.next_version import unsigned

MAX_LINES: Final = 20
"""In a comment above a query nobody reads more. The versions themselves lie in the folder."""

MAX_VALUE_CHARS: Final = 120
# Comparing takes the square of this in steps; rules have some eighty lines.
_MAX_COMPARED_LINES: Final = 1_000


def changes_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """At most `MAX_LINES` lines, such as `/confidence: 40 -> 70`. Texts are as their producer wrote them."""
    lines: list[str] = []
    for change in difference(_told(old), _told(new)):
        for line in _lines(change):
            if len(lines) == MAX_LINES:
                lines[-1] = "and more"
                return tuple(lines)
            lines.append(line)
    return tuple(lines)


def _told(members: Mapping[str, Any]) -> dict[str, Any]:
    """An object without its version and signature, which stand elsewhere and are never the same."""
    return {name: value for name, value in unsigned(members).items() if name != "modified"}


def _lines(change: Change) -> Iterator[str]:
    if change.op == "add":
        yield f"{change.path}: added {_value(change.new)}"
    elif change.op == "remove":
        yield f"{change.path}: removed {_value(change.old)}"
    elif isinstance(change.old, str) and isinstance(change.new, str) and "\n" in change.old + change.new:
        yield from _text_lines(change.path, change.old.splitlines(), change.new.splitlines())
    else:
        yield f"{change.path}: {_value(change.old)} -> {_value(change.new)}"


def _text_lines(path: str, old: list[str], new: list[str]) -> Iterator[str]:
    if max(len(old), len(new)) > _MAX_COMPARED_LINES:
        yield f"{path}: {len(old)} lines became {len(new)}"
        return
    yield f"{path}:"
    for op, old_begin, old_end, new_begin, new_end in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if op != "equal":
            yield from (f"- {line[:MAX_VALUE_CHARS]}" for line in old[old_begin:old_end])
            yield from (f"+ {line[:MAX_VALUE_CHARS]}" for line in new[new_begin:new_end])


def _value(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= MAX_VALUE_CHARS else text[: MAX_VALUE_CHARS - 3] + "..."
