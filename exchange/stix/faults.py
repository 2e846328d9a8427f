"""Finds the first fault of a JSON text and its place: the slow reading behind `reading.py`.

It only explains. Where the fast path refused a text and nothing is found here, it is refused all the same.
"""

import json
import re
from typing import Any, Final, Literal, overload

import orjson

from exchange.stix.errors import MalformedJsonError, pointer_to, shown
from exchange.stix.limits import MAX_DEPTH, MAX_SAFE_INTEGER

Path = tuple[str | int, ...]
# A parser makes plain ones; asking for the type itself is three times as fast as `isinstance`.
_CONTAINERS: Final = (dict, list)


class _Fault:
    """Stands in the parsed value where something is wrong."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message


_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NONCHARACTER: Final = re.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)) + "]"
)
_NUMBER_TOO_LARGE: Final = "A number lies beyond 2^53 - 1, which not every reader holds exactly."


@overload
def find_fault(raw: bytes) -> MalformedJsonError: ...
@overload
def find_fault(raw: bytes, *, or_none: Literal[True]) -> MalformedJsonError | None: ...
def find_fault(raw: bytes, *, or_none: bool = False) -> MalformedJsonError | None:
    """Return the error that describes the first fault of `raw`; with `or_none`, None if there is none."""
    value = _parse_marking_faults(raw)
    if isinstance(value, MalformedJsonError):
        return value
    fault = _first_fault(value)
    if fault is None and not or_none:
        return _refused_by_parser(raw)
    return fault


def is_deeper_than(value: Any, max_depth: int) -> bool:
    """Tell whether a value has more than `max_depth` levels of containers."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(max_depth):
        if not level:
            return False
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) in _CONTAINERS
        ]
    return bool(level)


def path_beyond_depth(value: Any, max_depth: int) -> Path | None:
    """Return the path of a container that lies deeper than `max_depth` levels, None if there is none."""
    if not isinstance(value, dict | list):
        return None
    stack: list[tuple[Path, dict[str, Any] | list[Any]]] = [((), value)]
    while stack:
        path, container = stack.pop()
        if len(path) >= max_depth:
            return path
        steps = container.items() if isinstance(container, dict) else enumerate(container)
        stack.extend(((*path, step), child) for step, child in steps if isinstance(child, dict | list))
    return None


def _parse_marking_faults(raw: bytes) -> Any:
    """Parse leniently, with a `_Fault` at each number or name that is wrong; or return the syntax error."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return MalformedJsonError("not-utf-8", f"Byte {error.start} is not valid UTF-8.")
    if text.startswith("\ufeff"):
        return MalformedJsonError("byte-order-mark", "JSON must not begin with a byte order mark.")
    try:
        return _DECODER.decode(text)
    except RecursionError:
        return MalformedJsonError("too-deep", f"The JSON has more than {MAX_DEPTH} levels.")
    except json.JSONDecodeError as error:
        return MalformedJsonError("syntax", f"Not JSON: {error.msg} at line {error.lineno}, column {error.colno}.")


def _refused_by_parser(raw: bytes) -> MalformedJsonError:
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return MalformedJsonError("syntax", f"Not JSON: {error.msg} at line {error.lineno}, column {error.colno}.")
    return MalformedJsonError("syntax", "Not JSON that every reader understands alike.")


def _first_fault(value: Any) -> MalformedJsonError | None:
    fault = _leaf_fault((), value)
    stack: list[tuple[Path, Any]] = [((), value)]
    while stack and fault is None:
        path, container = stack.pop()
        if isinstance(container, dict | list):
            if len(path) >= MAX_DEPTH:
                message = f"The JSON has more than {MAX_DEPTH} levels."
                return MalformedJsonError("too-deep", message, pointer_to(path))
            fault = _fault_inside(path, container, stack)
    return fault


def _fault_inside(
    path: Path, container: dict[str, Any] | list[Any], stack: list[tuple[Path, Any]]
) -> MalformedJsonError | None:
    """Return the first fault of a container's own names and leaves; push the containers in it onto `stack`."""
    for step, child in container.items() if isinstance(container, dict) else enumerate(container):
        if isinstance(step, str) and (fault := _text_fault((*path, step), step)) is not None:
            return fault
        if isinstance(child, dict | list):
            stack.append(((*path, step), child))
        elif isinstance(child, str | _Fault) and (fault := _leaf_fault((*path, step), child)) is not None:
            return fault
    return None


def _leaf_fault(path: Path, leaf: Any) -> MalformedJsonError | None:
    if isinstance(leaf, _Fault):
        return MalformedJsonError(leaf.code, leaf.message, pointer_to(path))
    return _text_fault(path, leaf) if isinstance(leaf, str) else None


def _text_fault(path: Path, text: str) -> MalformedJsonError | None:
    """Return the error for a name or text that I-JSON forbids (RFC 7493 section 2.1)."""
    found = _SURROGATE.search(text)
    if found is not None:
        message = "The text holds half of a surrogate pair, which is no character."
        return MalformedJsonError("lone-surrogate", message, pointer_to(path))
    found = _NONCHARACTER.search(text)
    if found is not None:
        message = f"The text holds U+{ord(found[0]):04X}, which is no character."
        return MalformedJsonError("noncharacter", message, pointer_to(path))
    return None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _value in pairs:
            if name in seen:
                members[name] = _Fault("duplicate-name", f"The name {shown(name)} occurs twice in one object.")
            seen.add(name)
    return members


def _integer(text: str) -> int | _Fault:
    # Python refuses to convert very long digit strings; sixteen digits hold 2^53.
    if len(text.lstrip("-")) > 16 or abs(int(text)) > MAX_SAFE_INTEGER:
        return _Fault("integer-too-large", _NUMBER_TOO_LARGE)
    return int(text)


def _float(text: str) -> float | _Fault:
    # Every double of this size is an integer, and its canonical form may be one that `_integer` refuses.
    value = float(text)
    if abs(value) > MAX_SAFE_INTEGER:
        return _Fault("integer-too-large", _NUMBER_TOO_LARGE)
    return value


def _constant(text: str) -> _Fault:
    """NaN, Infinity or -Infinity, which Python's reader knows and JSON does not."""
    return _Fault("not-a-number", f"{text} is not a JSON number.")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
