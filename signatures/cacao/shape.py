"""Checks objects against the tables of `vocabulary.py`: names, kinds, identifiers, times.

Knows nothing of what refers to what.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from exchange.stix.errors import ObjectInvalidError, pointer_to, shown
from signatures.cacao.vocabulary import Shape

Members = Mapping[str, Any]
Path = tuple[str | int, ...]

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_IDENTIFIER: Final = re.compile(rf"([a-z][a-z0-9-]*[a-z0-9])--({_UUID})")
# Exactly three digits: section 3.2 of the standard; its published schema does not hold this.
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


def fault(code: str, message: str, path: Path) -> ObjectInvalidError:
    """Return the error about the value at `path` of a playbook."""
    return ObjectInvalidError(f"cacao-{code}", message, pointer_to(path))


def check_shape(members: Any, shape: Shape, path: Path) -> Members:
    """Return `members`, checked: only known properties, of their kinds, required ones present.

    Raises: ObjectInvalidError.
    """
    if not isinstance(members, dict):
        raise fault("type", "An object is expected here.", path)
    for name, value in members.items():
        kind = shape.kinds.get(name)
        if kind is None:
            raise fault("unknown-property", f"CACAO 2.0 knows no property {shown(name)} here.", (*path, name))
        if not _KINDS[kind](value):
            raise fault("type", f"{shown(name)} is {_DESCRIPTIONS[kind]}.", (*path, name))
    missing = sorted(shape.required - members.keys())
    if missing:
        raise fault("required", f"The property {missing[0]!r} is missing.", path)
    return members


def parse_identifier(text: Any) -> tuple[str, str] | None:
    """Return the type and UUID of `<type>--<uuid>`, None for anything else."""
    match = _IDENTIFIER.fullmatch(text) if isinstance(text, str) else None
    return (match[1], match[2]) if match else None


def check_identifier(text: Any, prefix: str, path: Path) -> None:
    """Check that `text` is an identifier of type `prefix`.

    Raises: ObjectInvalidError.
    """
    parsed = parse_identifier(text)
    if parsed is None or parsed[0] != prefix:
        raise fault("identifier", f"{shown(text)} is not `{prefix}--<UUID>`.", path)


def check_period(members: Members, start: str, end: str, path: Path, *, may_equal: bool) -> None:
    """Check that the time `end` is not before `start`, where both are given.

    Raises: ObjectInvalidError.
    """
    if start not in members or end not in members:
        return
    # Equal lengths and UTC: the texts sort as the times do.
    if members[end] < members[start] or (members[end] == members[start] and not may_equal):
        raise fault("period", f"`{end}` lies before `{start}`.", (*path, end))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_identity(value: Any) -> bool:
    parsed = parse_identifier(value)
    return parsed is not None and parsed[0] == "identity"


def _is_map_of(value: Any, test: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(test(item) for item in value.values())


def _is_list_of(value: Any, test: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and bool(value) and all(test(item) for item in value)


_KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "text": _is_text,
    "text_or_null": lambda value: value is None or isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "count": lambda value: _is_int(value) and value >= 1,
    "percent": lambda value: _is_int(value) and 0 <= value <= 100,
    "time": _is_time,
    "identity": _is_identity,
    "texts": lambda value: _is_list_of(value, _is_text),
    "map": lambda value: isinstance(value, dict),
    "maps": lambda value: _is_list_of(value, lambda item: isinstance(item, dict)),
    "text_map": lambda value: bool(value) and _is_map_of(value, _is_text),
    "flags": lambda value: _is_map_of(value, lambda item: isinstance(item, bool)),
    "any": lambda _value: True,
}
_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "text": "a non-empty text",
    "text_or_null": "a text or null",
    "bool": "true or false",
    "count": "a whole number of at least 1",
    "percent": "a whole number from 0 to 100",
    "time": "a UTC time with exactly three fraction digits",
    "identity": "the id of a STIX identity",
    "texts": "a non-empty list of texts",
    "map": "an object",
    "maps": "a non-empty list of objects",
    "text_map": "a non-empty object of texts",
    "flags": "an object of truth values",
    "any": "any value",
}
